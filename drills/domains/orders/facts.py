"""What became of the orders: what customers asked and were told, against what the exchange's book holds.

The books are read after the load has stopped, seconds after the end of the observation. What customers learned when
they asked after it decides what became of an order; what anybody did after it does not count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from drills.domains.customers.rows import Reply, Request
from drills.domains.orders.rows import ExchangeCancel, ExchangeExecution, ExchangeOrder, OmsOrder
from drills.judge.facts import fact
from drills.judge.timeline import events, observed_until
from drills.record.history import History, Kind, RequestOutcome

ACCEPTED = frozenset({"new", "partially-filled", "filled", "pending-cancel", "cancelled"})
"""Order states that say the exchange has, or had, the order."""

OPEN = frozenset({"new", "partially-filled"})
"""Those that say that it still rests there."""


STUCK = frozenset({"unknown", "pending-new", "pending-cancel"})
"""Order states that must not last: passing ones."""


class Told(StrEnum):
    """What a customer has been told of an order."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # rejected, or never received
    CLOSED = "closed"  # this attempt was not taken in; says nothing of an earlier one with the same key
    UNKNOWN = "unknown"


Terms = tuple[str, str, str | None, int, int]
"""Account, code, side, shares and limit price in yen: what every statement of one order must agree on."""


def terms(row: Request | ExchangeOrder | OmsOrder) -> Terms:
    """The terms of an order as one of its three books states them."""
    return row.account, row.code, row.side, row.quantity, row.price


@dataclass(slots=True)
class Intent:
    """All that passed between a customer and the brokerage about one idempotency key."""

    key: str
    root: str
    index: int  # of the first request, in the customers' book
    t_ns: int
    terms: Terms
    told: Told = Told.UNKNOWN
    acknowledged: int | None = None  # of the first reply, before the end, that said the exchange has it
    replies: list[int] = field(default_factory=list)
    asked_at_end: bool = False


@fact
def intents(history: History) -> dict[str, Intent]:
    """Every order asked for up to the end of the observation, by key, with the last word on it."""
    end = observed_until(history)
    found: dict[str, Intent] = {}
    keys: dict[str, str] = {}
    for index, row in enumerate(history.books["customers"]):
        if isinstance(row, Request):
            keys[row.id] = row.key
            _ask(found, index, row, end)
    for t_ns, index, row in sorted(_replies(history)):
        intent = found.get(row.key or keys.get(row.id, ""))
        if intent is not None:
            _hear(intent, index, row, before_end=t_ns <= end)
    return found


def _ask(found: dict[str, Intent], index: int, row: Request, end: int) -> None:
    if row.action == "order" and row.t_ns <= end and row.key not in found:
        found[row.key] = Intent(row.key, row.root or row.key, index, row.t_ns, terms(row))
    if row.final and row.key in found:
        found[row.key].asked_at_end = True


def _replies(history: History) -> list[tuple[int, int, Reply]]:
    rows = enumerate(history.books["customers"])
    return [(row.t_ns, index, row) for index, row in rows if isinstance(row, Reply)]


def _hear(intent: Intent, index: int, row: Reply, before_end: bool) -> None:
    word = said(row)
    if word is None:
        return
    silent_on_earlier = word == Told.CLOSED and bool(intent.replies)  # a closed door unsays nothing
    intent.replies.append(index)
    if word == Told.ACCEPTED and intent.acknowledged is None and before_end:
        intent.acknowledged = index
    if intent.told != Told.ACCEPTED and not silent_on_earlier:
        intent.told = word


def said(row: Reply) -> Told | None:
    """What a reply tells of its order; None where it tells nothing."""
    if row.state in ACCEPTED:
        return Told.ACCEPTED
    if row.action == "order":
        return _said_of_order(row)
    if row.action == "status":
        gone = row.state == "rejected" or row.error == "NO_SUCH_ORDER"
        return Told.REFUSED if gone else Told.UNKNOWN
    return None


def _said_of_order(row: Reply) -> Told:
    if row.state in ("unknown", "pending-new"):
        return Told.UNKNOWN
    if row.state == "rejected":
        return Told.REFUSED
    return _WORDS.get(row.outcome, Told.UNKNOWN)


_WORDS: dict[str, Told] = {
    RequestOutcome.OK: Told.ACCEPTED,
    RequestOutcome.REJECT: Told.REFUSED,
    RequestOutcome.CLOSED: Told.CLOSED,
    RequestOutcome.REFUSED: Told.CLOSED,  # no connection: it cannot have been taken in
}


@dataclass(frozen=True, slots=True)
class AtExchange:
    """An order the exchange accepted, with its place in the exchange's book."""

    index: int
    row: ExchangeOrder


@fact
def at_exchange(history: History) -> list[AtExchange]:
    """Orders the exchange accepted, all that its book holds, in its order."""
    rows = enumerate(history.books["exchange"])
    return [AtExchange(index, row) for index, row in rows if isinstance(row, ExchangeOrder)]


@dataclass(frozen=True, slots=True)
class AtBrokerage:
    """An order as the brokerage holds it, with its place in the brokerage's book."""

    index: int
    row: OmsOrder


@fact
def at_brokerage(history: History) -> list[AtBrokerage]:
    """Orders the brokerage took in by the end of the observation, in its book's order, in the state read after it."""
    end, rows = observed_until(history), enumerate(history.books["oms"])
    return [AtBrokerage(index, row) for index, row in rows if isinstance(row, OmsOrder) and row.t_ns <= end]


@fact
def acknowledged(history: History) -> list[Intent]:
    """Orders of which a customer was told by the end that the exchange has them."""
    return [intent for intent in intents(history).values() if intent.acknowledged is not None]


@fact
def lost(history: History) -> list[Intent]:
    """Acknowledged to a customer, but not at the exchange by the end: what got there later had not been there."""
    end = observed_until(history)
    there = {order.row.key for order in at_exchange(history) if order.row.t_ns <= end}
    return [intent for intent in acknowledged(history) if intent.key not in there]


@fact
def resting(history: History) -> frozenset[str]:
    """Keys of the orders of earlier days that a fault brought, by the harness's own evidence."""
    found = (
        event.data.get("orders", ())
        for fault in history.plan.faults
        for event in events(history, f"fault:{fault.index}", "inject", Kind.OK)
    )
    return frozenset(order["key"] for orders in found for order in orders)


@fact
def phantoms(history: History) -> list[AtExchange]:
    """At the exchange, though no customer asked for it, or was told that it was refused or never received."""
    end, asked, earlier = observed_until(history), intents(history), resting(history)
    denied = (Told.REFUSED, Told.CLOSED)
    return [
        order
        for order in at_exchange(history)
        if order.row.t_ns <= end
        and order.row.key not in earlier
        and (order.row.key not in asked or asked[order.row.key].told in denied)
    ]


Statement = TypeVar("Statement", AtExchange, AtBrokerage)


def altered(asked: dict[str, Intent], stated: list[Statement]) -> list[Statement]:
    """Stated on other terms than the customer asked for; an order nobody asked for is no alteration."""
    return [one for one in stated if one.row.key in asked and terms(one.row) != asked[one.row.key].terms]


@fact
def misheld(history: History) -> list[AtBrokerage]:
    """Rejected by the brokerage's word though the exchange has it, or accepted by its word though the exchange has not.

    Also filled or cancelled by its word alone, and still open by its word though the exchange has cancelled it. The
    brokerage's word is read before the exchange's, so whatever it calls accepted, filled or cancelled must be there by
    then.
    """
    there = {order.row.key: order.row.t_ns for order in reversed(at_exchange(history))}
    due = observed_until(history) - history.plan.slo.grace
    cancelled = {row.key: row.t_ns for row in history.books["exchange"] if isinstance(row, ExchangeCancel)}
    filled = _filled(history)
    return [
        order
        for order in at_brokerage(history)
        if (order.row.state == "rejected" and there.get(order.row.key, due + 1) <= due)
        or (order.row.state in ACCEPTED and order.row.key not in there)
        or (order.row.state == "cancelled" and order.row.key not in cancelled)
        or (order.row.state == "filled" and filled[order.row.key] < order.row.quantity)
        or (order.row.state in OPEN and cancelled.get(order.row.key, due + 1) <= due)
    ]


def _filled(history: History) -> Counter[str]:
    """Shares filled at the exchange, by the customer's key."""
    filled: Counter[str] = Counter()
    for row in history.books["exchange"]:
        if isinstance(row, ExchangeExecution):
            filled[row.key] += row.quantity
    return filled


@fact
def duplicates(history: History) -> list[AtExchange]:
    """Orders at the exchange beyond the first of one intent, however often it was re-typed or sent again.

    An earlier order that had been cancelled at the exchange, unfilled, before the next was accepted does not count.
    """
    end, asked = observed_until(history), intents(history)
    dead = _cancelled_unfilled(history)
    by_root: dict[str, list[AtExchange]] = defaultdict(list)
    extra = []
    for order in at_exchange(history):
        if order.row.t_ns > end:
            continue
        intent = asked.get(order.row.key)
        earlier = by_root[intent.root if intent else order.row.key]
        if any(dead.get(other.row.id, end + 1) > order.row.t_ns for other in earlier):
            extra.append(order)
        earlier.append(order)
    return extra


def _cancelled_unfilled(history: History) -> dict[str, int]:
    rows = history.books["exchange"]
    filled = {row.order for row in rows if isinstance(row, ExchangeExecution)}
    return {row.id: row.t_ns for row in rows if isinstance(row, ExchangeCancel) and row.id not in filled}


@fact
def stuck_orders(history: History) -> list[str]:
    """Orders in a passing state for longer than the grace plus the time an answer may take, as book rows.

    One that came out of it while the books were read was still in it at the end.
    """
    slo, end = history.plan.slo, observed_until(history)
    due = end - slo.grace - slo.latency
    return [
        f"oms:{index}"
        for index, row in enumerate(history.books["oms"])
        if isinstance(row, OmsOrder) and is_passing(row, end) and (row.passing_ns or row.t_ns) <= due
    ]


def is_passing(order: OmsOrder, at: int) -> bool:
    """Whether the order was in a passing state at that instant, ns, after which its book was read."""
    return order.state in STUCK or order.settled_ns > at
