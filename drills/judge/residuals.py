"""What was still lying about when the observation ended: stuck orders, unposted executions, closed doors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drills.domains.orders.trades import Trade, trades
from drills.judge import outage
from drills.judge.check import count
from drills.judge.timeline import observed_until
from drills.record import books
from drills.record.history import Count, History

STUCK = frozenset({"unknown", "pending-new", "pending-cancel"})
"""Order states that must not last: passing ones."""

NEEDS = ("customers", "exchange", "oms", "notices")
"""The books without which nobody can say whether something was left."""


def residuals(history: History) -> list[Count]:
    """Everything left behind at the end of the observation, by kind. Needs all books of ``NEEDS``."""
    due = [trade for trade in trades(history) if trade.row.t_ns <= observed_until(history) - history.plan.slo.grace]
    shown = _shown(history)
    return [
        count(
            "left.orders", stuck_orders(history), sum(isinstance(row, books.OmsOrder) for row in history.books["oms"])
        ),
        count("left.executions", [f"exchange:{trade.index}" for trade in due if not trade.posted], len(due)),
        count("left.notices", list(_unsent(history, due)), len(due)),
        count("left.services", list(_closed_services(history)), len(outage.services(history))),
        count("left.balances", _marked(shown), min(1, len(shown))),
    ]


def stuck_orders(history: History) -> list[str]:
    """Orders in a passing state for longer than the grace plus the time an answer may take, as book rows.

    One that came out of it while the books were read was still in it at the end.
    """
    slo, end = history.plan.slo, observed_until(history)
    due = end - slo.grace - slo.latency
    return [
        f"oms:{index}"
        for index, row in enumerate(history.books["oms"])
        if isinstance(row, books.OmsOrder) and is_passing(row, end) and (row.passing_ns or row.t_ns) <= due
    ]


def is_passing(order: books.OmsOrder, at: int) -> bool:
    """Whether the order was in a passing state at that instant, ns, after which its book was read."""
    return order.state in STUCK or order.settled_ns > at


def _unsent(history: History, due: list[Trade]) -> Iterator[str]:
    """Executions that were posted in time for a notice, and have none."""
    until = observed_until(history) - history.plan.slo.grace
    for trade in due:
        if trade.posted and not trade.noticed and trade.posted[0][1].t_ns <= until:
            yield f"exchange:{trade.index}"


def _closed_services(history: History) -> Iterator[str]:
    for service in outage.services(history):
        if len(service.closed) and bool(service.closed[-1]):
            yield f"samples:{int(np.searchsorted(history.samples.intended, service.intended[-1]))}"


def _shown(history: History) -> list[tuple[int, int, bool]]:
    """When a figure was shown to a customer (ns), its row, and whether as current."""
    end = observed_until(history)
    return [
        (row.received_ns, index, row.current)
        for index, row in enumerate(history.books["customers"])
        if isinstance(row, books.Shown) and row.received_ns <= end
    ]


def _marked(shown: list[tuple[int, int, bool]]) -> list[str]:
    """The last figure, where it was still marked as not current and others had not been."""
    marked = shown and not max(shown)[2] and any(current for _, _, current in shown)
    return [f"customers:{max(shown)[1]}"] if marked else []
