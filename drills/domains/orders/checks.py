"""Orders and executions: every one accounted for, one to one, none twice."""

from __future__ import annotations

from collections import Counter

from drills.domains.orders import facts as orders
from drills.domains.orders import trades
from drills.domains.orders.means import bought_within_means
from drills.domains.orders.rows import OmsExecution, OmsOrder
from drills.judge.check import Check, combine, count
from drills.judge.timeline import observed_until
from drills.record.history import CheckResult, History


def orders_accounted(history: History) -> CheckResult:
    """What customers asked and were told is what the exchange's book and the brokerage hold; none stays open.

    How often an order is there is asked by ``no-duplicates``.
    """
    asked, accepted, held = orders.intents(history), orders.at_exchange(history), orders.at_brokerage(history)
    oms = {order.row.key for order in held}
    acknowledged = orders.acknowledged(history)
    due = [order for order in accepted if order.row.t_ns <= observed_until(history) - history.plan.slo.grace]
    open_ = [intent for intent in asked.values() if intent.told == orders.Told.UNKNOWN]
    unaware = [order for order in due if order.row.key not in oms]
    forgotten = [intent for intent in acknowledged if intent.key not in oms]
    return combine(
        count("orders.lost", _told(orders.lost(history)), len(acknowledged)),
        count("orders.forgotten", _told(forgotten), len(acknowledged)),
        count("orders.unaware", _rows(unaware), len(due)),
        count("orders.phantom", _rows(orders.phantoms(history)), len(accepted)),
        count("orders.altered-at-exchange", _rows(orders.altered(asked, accepted)), len(accepted)),
        count("orders.altered-at-brokerage", _held(orders.altered(asked, held)), len(held)),
        count("orders.misjudged", _held(orders.misheld(history)), len(held)),
        count("orders.unresolved", _unresolved(history, open_), len(asked)),
        count("orders.stuck", orders.stuck_orders(history), len(held)),
    )


def _told(intents: list[orders.Intent]) -> list[str]:
    return [f"customers:{intent.index if intent.acknowledged is None else intent.acknowledged}" for intent in intents]


def _rows(found: list[orders.AtExchange]) -> list[str]:
    return [f"exchange:{order.index}" for order in found]


def _held(found: list[orders.AtBrokerage]) -> list[str]:
    return [f"oms:{order.index}" for order in found]


def _unresolved(history: History, open_: list[orders.Intent]) -> list[str]:
    """Asked once more after the load and still no word; or never asked, and no definite state in the brokerage."""
    end = observed_until(history)
    due = end - history.plan.slo.grace
    stuck = {row.key for row in history.books["oms"] if isinstance(row, OmsOrder) and orders.is_passing(row, end)}
    return [
        f"customers:{intent.index}"
        for intent in open_
        if intent.t_ns <= due and (intent.asked_at_end or intent.key in stuck)
    ]


def executions_one_to_one(history: History) -> CheckResult:
    """The executions posted are those in the exchange's book, in number, quantity, price, code, side and account."""
    known = trades.trades(history)
    due = observed_until(history) - history.plan.slo.grace
    missing = [f"exchange:{trade.index}" for trade in known if not trade.posted and trade.row.t_ns <= due]
    differing = [f"oms:{trade.posted[0][0]}" for trade in known if not trade.same]
    unknown = [f"oms:{index}" for index, _ in trades.unknown_postings(history, known)]
    posted = sum(1 for _ in trades.posted_executions(history))
    held = orders.at_brokerage(history)
    return combine(
        count("executions.unposted", missing, len(known)),
        count("executions.unknown", unknown, posted),
        count("executions.differing", differing, posted),
        count("executions.misfilled", _misfilled(history, held), len(held)),
    )


def _misfilled(history: History, held: list[orders.AtBrokerage]) -> list[str]:
    """What an order is filled by is as old as the reading, so all that was posted until then belongs to it."""
    filled: Counter[str] = Counter()
    for row in history.books["oms"]:
        if isinstance(row, OmsExecution):
            filled[row.order] += row.quantity
    return [f"oms:{order.index}" for order in held if order.row.filled != filled[order.row.id]]


def no_duplicates(history: History) -> CheckResult:
    """One order per key, one order at the exchange per intent, one posting per execution, one notice per execution."""
    accepted, known = orders.at_exchange(history), trades.trades(history)
    postings = trades.repeated_postings(history)
    oms = [(order.index, order.row.key) for order in orders.at_brokerage(history)]
    return combine(
        count("orders.twice-at-exchange", _rows(orders.duplicates(history)), len(accepted)),
        count("orders.twice-at-brokerage", _again(oms), len(oms)),
        count("executions.posted-twice", [f"oms:{t.posted[1][0]}" for t in known if len(t.posted) > 1], len(known)),
        count("executions.legs-twice", [f"oms:{index}" for index, _ in postings], len(known)),
        count("executions.notified-twice", [f"notices:{t.noticed[1][0]}" for t in known if t.noticed[1:]], len(known)),
    )


def _again(rows: list[tuple[int, str]]) -> list[str]:
    seen: Counter[str] = Counter()
    again = []
    for index, key in rows:
        seen[key] += 1
        if seen[key] > 1:
            again.append(f"oms:{index}")
    return again


_ALL = ("world", "customers", "exchange", "oms", "notices")

CHECKS = (
    Check("orders-accounted", "I-03", ("customers", "exchange", "oms"), False, orders_accounted),
    Check("executions-one-to-one", "I-04", ("exchange", "oms"), False, executions_one_to_one),
    Check("no-duplicates", "I-05", _ALL, False, no_duplicates),
    Check("bought-within-means", "I-08", ("world", "exchange"), False, bought_within_means),
)
