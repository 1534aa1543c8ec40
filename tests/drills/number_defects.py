"""Defects planted in correct histories of numbered orders, one each; see ``defects``."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import assume

from drills.domains.customers.rows import Reply
from drills.domains.numbers.rows import CounterSeen
from drills.domains.orders.rows import ExchangeExecution, ExchangeOrder, OmsOrder

from .defects import Defect, Plant, Rows, alter, pick
from .synthetic import END, FAULT, Draft, at

NUMBER_DEFECTS: list[Defect] = []


def defect(*speaks: str) -> Callable[[Plant], Plant]:
    """The first of those who speak must show the rows."""

    def note(plant: Plant) -> Plant:
        NUMBER_DEFECTS.append(Defect(plant, frozenset(speaks), speaks[0], None))
        return plant

    return note


def renumbered(draft: Draft, row: ExchangeOrder, number: int) -> ExchangeOrder:
    """On both sides, so that they agree."""
    (held,) = (each for each in draft.oms if isinstance(each, OmsOrder) and each.key == row.key)
    alter(draft.oms, held, number=str(number))
    found = alter(draft.exchange, row, number=f"{number:07d}")
    assert isinstance(found, ExchangeOrder)
    return found


@defect("live-number-unique")
def number_of_an_order_that_rests(draft: Draft, rng: random.Random) -> Rows:
    """The next order has the number of the one before it, of which nothing can be filled yet."""
    taken = sorted((row for row in draft.exchange if isinstance(row, ExchangeOrder)), key=lambda row: row.t_ns)
    held = {row.key for row in draft.oms if isinstance(row, OmsOrder)}
    n = rng.choice(
        [n for n in range(10, len(taken) // 2) if taken[n].key in held and _rests(draft, taken[n - 1], taken[n])]
    )
    return [renumbered(draft, taken[n], int(taken[n - 1].number))]


@defect("numbers-agree")
def another_number_at_the_exchange(draft: Draft, rng: random.Random) -> Rows:
    held = {row.key for row in draft.oms if isinstance(row, OmsOrder)}
    row = pick(rng, draft.exchange, ExchangeOrder, lambda row: row.key in held and row.t_ns < at(END))
    (other,) = (each for each in draft.oms if isinstance(each, OmsOrder) and each.key == row.key)
    alter(draft.oms, other, number=str(int(row.number) + 50_000))
    return [row]


@defect("numbers-go-up")
def number_that_goes_back(draft: Draft, rng: random.Random) -> Rows:
    """To one that was never given, so that nobody has it."""
    held = {row.key for row in draft.oms if isinstance(row, OmsOrder)}
    row = pick(rng, draft.exchange, ExchangeOrder, lambda row: row.key in held and at(10) < row.t_ns < at(END))
    return [renumbered(draft, row, rng.randrange(1, 900))]


@defect("warned-before-the-limit")
def last_number_before_any_alert(draft: Draft, rng: random.Random) -> Rows:
    """Reached by the last order before the fault; where there is none, nobody has said how near the limit is."""
    if not draft.plan.injects:
        assume(False)
    rows = (row for row in draft.exchange if isinstance(row, ExchangeOrder))
    row = max((each for each in rows if each.t_ns < at(FAULT)), key=lambda each: each.t_ns)
    for n, (t, actor, kind, what, data) in enumerate(draft.events):
        if "most" in data:
            draft.events[n] = (t, actor, kind, what, {**data, "most": int(row.number)})
    return [row]


@defect("orders-taken")
def refused_by_the_exchange(draft: Draft, rng: random.Random) -> Rows:
    orders = (row for row in draft.customers if isinstance(row, Reply) and row.action == "order" and row.t_ns < at(END))
    row = rng.choice([row for row in orders if row.outcome == "reject"])
    return [alter(draft.customers, row, error="REJECTED")]


@defect("number-headroom")
def nearly_used_up_at_the_end(draft: Draft, rng: random.Random) -> Rows:
    last = max((row for row in draft.counters if isinstance(row, CounterSeen)), key=lambda row: row.t_ns)
    return [alter(draft.counters, last, left_ms=rng.randrange(0, 50_000))]


@defect("number-headroom")
def used_up_at_the_end(draft: Draft, rng: random.Random) -> Rows:
    last = max((row for row in draft.counters if isinstance(row, CounterSeen)), key=lambda row: row.t_ns)
    return [alter(draft.counters, last, headroom=-rng.randrange(0, 10), left_ms=-1)]


def _rests(draft: Draft, row: ExchangeOrder, until: ExchangeOrder) -> bool:
    fills = (each for each in draft.exchange if isinstance(each, ExchangeExecution) and each.order == row.id)
    return all(fill.t_ns > until.t_ns for fill in fills)
