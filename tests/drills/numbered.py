"""Correct histories in which every order has a number at the exchange, and a fault has put it near its limit."""

from __future__ import annotations

import msgspec

from drills.domains.numbers.rows import CounterSeen
from drills.domains.orders.rows import ExchangeOrder, OmsOrder
from drills.record.history import Kind

from . import synthetic as made
from .synthetic import END, FAULT, Draft, at

NUMBER_CHECKS = [
    "live-number-unique",
    "numbers-agree",
    "numbers-go-up",
    "orders-taken",
    "number-headroom",
    "warned-before-the-limit",
]
LAST = 1_000
MOST = 9_999_999


def correct_numbered(seed: int = 0, arm: str = "runbook", effect: bool = True) -> Draft:
    """A day with the counter's book. The limit is far: whatever is wrong with numbers is planted."""
    draft = made.correct(seed, arm, effect)
    draft.plan = msgspec.structs.replace(draft.plan, checks=[*made.CHECKS, *NUMBER_CHECKS])
    draft.run = msgspec.structs.replace(draft.run, books=[*draft.run.books, "counters"])
    taken = sorted((row for row in draft.exchange if isinstance(row, ExchangeOrder)), key=lambda row: row.t_ns)
    numbers = {row.key: f"{LAST + n}" for n, row in enumerate(taken, 1)}
    draft.exchange = [_numbered(row, numbers, 7) for row in draft.exchange]
    draft.oms = [_numbered(row, numbers, 0) for row in draft.oms]
    draft.counters = [
        CounterSeen(t_ns=at(t), id="order_number", value=LAST + int(t * 25), headroom=MOST - LAST, left_ms=400_000)
        for t in range(1, int(END))
    ]
    for n, (t, actor, kind, what, data) in enumerate(draft.events):
        if (actor, what, kind) == ("fault:0", "inject", Kind.OK):
            draft.events[n] = (t, actor, kind, what, {**data, "last": LAST, "most": MOST, "orders": []})
    return draft


def _numbered(row: object, numbers: dict[str, str], width: int) -> object:
    if isinstance(row, ExchangeOrder | OmsOrder) and row.key in numbers:
        return msgspec.structs.replace(row, number=numbers[row.key].zfill(width))
    return row


def before_the_fault(row: ExchangeOrder) -> bool:
    """Whether the exchange took it before the fault, and so before any alert."""
    return row.t_ns < at(FAULT)
