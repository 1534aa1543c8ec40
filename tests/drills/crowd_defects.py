"""Defects planted in correct histories of a crowd, one each; see ``defects``."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import assume

from drills.domains.cash.rows import Account
from drills.domains.congestion.rows import RoomEvent
from drills.domains.customers.rows import Reply
from drills.domains.orders.rows import ExchangeOrder
from drills.record.history import NS, RequestOutcome

from .crowded import price_at, refuse
from .defects import Defect, Plant, Rows, alter, pick
from .synthetic import END, FAULT, Draft, at

CROWD_DEFECTS: list[Defect] = []


def defect(*speaks: str) -> Callable[[Plant], Plant]:
    """The first of those who speak must show the rows."""

    def note(plant: Plant) -> Plant:
        CROWD_DEFECTS.append(Defect(plant, frozenset(speaks), speaks[0], None))
        return plant

    return note


def _one(draft: Draft, rng: random.Random, what: str) -> RoomEvent:
    if not draft.waiting_room:
        assume(False)
    row = pick(rng, draft.waiting_room, RoomEvent, lambda row: row.what == what)
    assert isinstance(row, RoomEvent)
    return row


def _added(draft: Draft, row: RoomEvent, **changes: object) -> RoomEvent:
    again = RoomEvent(**{**{name: getattr(row, name) for name in row.__struct_fields__}, **changes})
    draft.waiting_room.append(again)
    return again


@defect("places-kept")
def let_in_twice(draft: Draft, rng: random.Random) -> Rows:
    row = _one(draft, rng, "admitted")
    return [_added(draft, row, t_ns=row.t_ns + NS // 2)]


@defect("places-kept")
def one_ticket_for_two(draft: Draft, rng: random.Random) -> Rows:
    row = _one(draft, rng, "ticket")
    return [_added(draft, row, t_ns=row.t_ns + NS // 10, account="C-0002", key="7-900")]


@defect("places-kept")
def ticket_out_of_nowhere(draft: Draft, rng: random.Random) -> Rows:
    row = _one(draft, rng, "admitted")
    return [_added(draft, row, ticket="W-900001")]


@defect("let-in-as-they-came")
def kept_waiting_while_others_came_in(draft: Draft, rng: random.Random) -> Rows:
    """One of the first, let in after all that came in the next seconds."""
    if not draft.waiting_room:
        assume(False)
    early = [row for row in draft.waiting_room if row.what == "admitted" and row.since_ns < at(FAULT + 2.5)]
    return [alter(draft.waiting_room, rng.choice(early), t_ns=at(FAULT + 7))]


@defect("nothing-left-behind")
def room_never_closed(draft: Draft, rng: random.Random) -> Rows:
    row = _one(draft, rng, "closed")
    draft.waiting_room.remove(row)
    return [_one(draft, rng, "opened")]


@defect("warned-before-giving-up")
def gave_up_before_any_alert(draft: Draft, rng: random.Random) -> Rows:
    if not draft.plan.injects:
        assume(False)
    row = Reply(
        t_ns=at(FAULT) + rng.randrange(20, 60) * 1_000_000, id="900001", account="C-0001", key="7-900001",
        action="order", status=0, outcome=RequestOutcome.TIMEOUT,
    )  # fmt: skip
    draft.customers.append(row)
    return [row]


@defect("refusals-right")
def refused_by_a_price_of_long_ago(draft: Draft, rng: random.Random) -> Rows:
    """At the price of then, by somebody who goes by the price of the morning."""
    return [refuse(draft, "900002", 24, price_at(24) + rng.randrange(-20, 20))]


@defect("bought-within-means", "orders-accounted")
def bought_more_than_can_be_paid(draft: Draft, rng: random.Random) -> Rows:
    """An order that the brokerage never checked."""
    cash = sum(row.cash for row in draft.world if isinstance(row, Account) and row.id == "C-0001")
    row = ExchangeOrder(
        t_ns=at(END - 4), id="x-900003", account="C-0001", key="7-900003", code="1301", side="buy",
        quantity=100 * (3 * cash // 100_000), price=1_000 + rng.randrange(100),
    )  # fmt: skip
    draft.exchange.append(row)
    return [row]
