"""What was still lying about when the observation ended: stuck orders, unposted executions, closed doors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drills.domains.orders.trades import trades
from drills.judge import outage
from drills.judge.timeline import observed_until
from drills.record import books
from drills.record.history import History

STUCK = frozenset({"unknown", "pending-new", "pending-cancel"})
"""Order states that must not last: passing ones."""

NEEDS = ("customers", "exchange", "oms", "notices")
"""The books without which nobody can say whether something was left."""


@dataclass(frozen=True, slots=True)
class Residual:
    """One thing left behind: what, in words that can be counted, and its book row (empty for a service)."""

    what: str
    evidence: str


def residuals(history: History) -> list[Residual]:
    """Everything left behind at the end of the observation. Needs all books of ``NEEDS``."""
    return [*stuck_orders(history), *_open_trades(history), *_closed_services(history), *_marked_figures(history)]


def stuck_orders(history: History) -> Iterator[Residual]:
    """Orders in a passing state for longer than the grace plus the time an answer may take.

    One that came out of it while the books were read was still in it at the end.
    """
    slo, end = history.plan.slo, observed_until(history)
    due = end - slo.grace - slo.latency
    for index, row in enumerate(history.books["oms"]):
        if isinstance(row, books.OmsOrder) and is_passing(row, end) and (row.passing_ns or row.t_ns) <= due:
            state = row.state if row.state in STUCK else "in a passing state"
            yield Residual(f"order still {state}", f"oms:{index}")


def is_passing(order: books.OmsOrder, at: int) -> bool:
    """Whether the order was in a passing state at that instant, ns, after which its book was read."""
    return order.state in STUCK or order.settled_ns > at


def _open_trades(history: History) -> Iterator[Residual]:
    grace, end = history.plan.slo.grace, observed_until(history)
    for trade in trades(history):
        if trade.row.t_ns > end - grace:
            continue
        if not trade.posted:
            yield Residual("execution not posted", f"exchange:{trade.index}")
        elif not trade.noticed and trade.posted[0][1].t_ns <= end - grace:
            yield Residual("notice not sent", f"exchange:{trade.index}")


def _closed_services(history: History) -> Iterator[Residual]:
    for service in outage.services(history):
        if len(service.closed) and bool(service.closed[-1]):
            row = int(np.searchsorted(history.samples.intended, service.intended[-1]))
            yield Residual(f"service {service.name} still closed", f"samples:{row}")


def _marked_figures(history: History) -> Iterator[Residual]:
    end = observed_until(history)
    shown = [
        (row.received_ns, index, row.current)
        for index, row in enumerate(history.books["customers"])
        if isinstance(row, books.Shown) and row.received_ns <= end
    ]
    if shown and not max(shown)[2] and any(current for _, _, current in shown):
        yield Residual("balances still marked not current", f"customers:{max(shown)[1]}")
