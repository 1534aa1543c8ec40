"""Correct days with a transaction log before the api, and the defects that can be planted into it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from drills.domains.customers.rows import Reply, Request
from drills.domains.orders import facts as orders
from drills.domains.transaction_log.rows import HighWater, LogFile, LogLine, LogTrace, LogVolume

from .defects import Defect, Plant, Rows
from .synthetic import END, Draft, at, correct, replanned

LOG_CHECKS = ["orders-logged", "log-whole", "log-volume-relieved", "alerted-before-the-breach"]
BEGAN = 100
"""Lines of the days before."""
LOG_DEFECTS: list[Defect] = []


def correct_log(seed: int = 0, arm: str = "runbook", effect: bool = True) -> Draft:
    """A correct day, every request with a key on a line of the log."""
    draft = correct(seed, arm, effect)
    draft = replanned(draft, checks=[*draft.plan.checks, *LOG_CHECKS])
    draft.run = msgspec.structs.replace(draft.run, books=[*draft.run.books, "transactions"])
    asked = [row for row in draft.customers if isinstance(row, Request) and row.key]
    first = {row.key: row for row in sorted(asked, key=lambda row: row.t_ns, reverse=True)}
    keyed = sorted(first.values(), key=lambda row: row.t_ns)
    end, last = at(END + 2), BEGAN + len(keyed)
    draft.transactions = [
        *(
            LogLine(t_ns=row.t_ns, id=f"transactions.log:{n}", account=row.account, key=row.key, sequence=n,
                    what="POST /orders", file="transactions.log")
            for n, row in enumerate(keyed, BEGAN + 1)
        ),
        _file(end, "transactions-00000100.log", (1, BEGAN)),
        _file(end, "transactions.log", (BEGAN + 1, last)),
        _file(end, "evidence/copy-transactions-00000100.log", (1, BEGAN), copied=True),
        LogTrace(t_ns=end, id="debug.log", requests=10, first_ns=at(8), last_ns=at(10), bytes=20_000),
        LogVolume(t_ns=end, id="relay-log", size=4_000_000, free=3_000_000, inodes=200, inodes_free=190, growth=9000.0),
        HighWater(t_ns=end, id="relay", sequence=last, began=BEGAN),
    ]  # fmt: skip
    return draft


def _file(end: int, name: str, span: tuple[int, int], *, copied: bool = False) -> LogFile:
    return LogFile(t_ns=end, id=name, ranges=(span,), damaged=0, bytes=20_000, copied=copied)


def defect(*speaks: str, loss: tuple[str, int] | None = None) -> Callable[[Plant], Plant]:
    """The first of those who speak must show the rows."""

    def note(plant: Plant) -> Plant:
        LOG_DEFECTS.append(Defect(plant, frozenset(speaks), speaks[0], loss))
        return plant

    return note


def change(draft: Draft, kind: type[Any], name: str, **fields: Any) -> Any:
    """Another row in the place of that one."""
    assert draft.transactions is not None
    place = next(n for n, row in enumerate(draft.transactions) if isinstance(row, kind) and row.id == name)
    draft.transactions[place] = msgspec.structs.replace(draft.transactions[place], **fields)
    return draft.transactions[place]


def mark(draft: Draft) -> Any:
    assert draft.transactions is not None
    return next(row for row in draft.transactions if isinstance(row, HighWater))


@defect("orders-logged", "log-whole", loss=("unlogged_orders", 1))
def line_of_an_accepted_order_lost(draft: Draft, rng: random.Random) -> Rows:
    assert draft.transactions is not None
    intent = rng.choice(orders.acknowledged(draft.history()))
    line = next(row for row in draft.transactions if isinstance(row, LogLine) and row.key == intent.key)
    draft.transactions.remove(line)
    last = mark(draft).sequence
    spans = [span for span in ((BEGAN + 1, line.sequence - 1), (line.sequence + 1, last)) if span[0] <= span[1]]
    change(draft, LogFile, "transactions.log", ranges=tuple(spans))
    reply = draft.history().books["customers"][intent.acknowledged or 0]
    assert isinstance(reply, Reply)
    return [reply]


@defect("log-whole")
def log_of_the_days_before_removed(draft: Draft, rng: random.Random) -> Rows:
    assert draft.transactions is not None
    draft.transactions = [row for row in draft.transactions if "00000100" not in row.id]
    return [mark(draft)]


@defect("log-whole")
def lost_end_that_only_the_mark_knows(draft: Draft, rng: random.Random) -> Rows:
    return [change(draft, HighWater, "relay", sequence=mark(draft).sequence + 3)]


@defect("log-whole")
def line_torn(draft: Draft, rng: random.Random) -> Rows:
    return [change(draft, LogFile, "transactions.log", damaged=1)]


@defect("log-volume-relieved")
def volume_left_full(draft: Draft, rng: random.Random) -> Rows:
    return [change(draft, LogVolume, "relay-log", free=rng.randrange(0, 1_190_000))]


@defect("log-volume-relieved")
def inodes_left_taken(draft: Draft, rng: random.Random) -> Rows:
    return [change(draft, LogVolume, "relay-log", inodes_free=rng.randrange(0, 59))]


@defect("log-volume-relieved")
def level_left_raised(draft: Draft, rng: random.Random) -> Rows:
    return [change(draft, LogVolume, "relay-log", growth=float(rng.randrange(60_000, 200_000)))]
