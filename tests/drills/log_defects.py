"""Defects planted in correct histories of a transaction log, one each; see ``defects``."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from drills.domains.customers.rows import Reply
from drills.domains.orders.rows import OmsOrder
from drills.domains.transaction_log.rows import HighWater, LogFile, LogLine, VolumeState

from .defects import Defect, Plant, Rows, alter, by_the_end, pick
from .logs import CURRENT, KEYED
from .synthetic import FAULT, Draft, at

LOG_DEFECTS: list[Defect] = []


def defect(*speaks: str) -> Callable[[Plant], Plant]:
    """The first of those who speak must show the rows."""

    def note(plant: Plant) -> Plant:
        LOG_DEFECTS.append(Defect(plant, frozenset(speaks), speaks[0], None))
        return plant

    return note


def current(draft: Draft) -> LogFile:
    found = pick(random.Random(0), draft.transactions, LogFile, lambda row: row.id == CURRENT)
    assert isinstance(found, LogFile)
    return found


def lost(draft: Draft, row: LogLine) -> LogFile:
    """Without its line, the file has two ranges."""
    draft.transactions.remove(row)
    file, whole = current(draft), row.sequence
    ((first, last),) = file.ranges
    found = alter(draft.transactions, file, ranges=((first, whole - 1), (whole + 1, last)))
    assert isinstance(found, LogFile)
    return found


@defect("accepted-logged")
def accepted_and_on_no_line(draft: Draft, rng: random.Random) -> Rows:
    """As after the log that is written to was removed: its lines are gone, and others have their numbers."""
    order = pick(rng, draft.oms, OmsOrder, by_the_end)
    (row,) = (row for row in draft.transactions if isinstance(row, LogLine) and row.key == order.key)
    alter(draft.transactions, row, key="")
    told = [
        row
        for row in draft.customers
        if isinstance(row, Reply) and (row.key, row.action, row.outcome) == (order.key, "order", "ok")
    ]
    return [order, *filter(by_the_end, told)]


@defect("log-without-gap")
def number_in_the_middle_without_a_line(draft: Draft, rng: random.Random) -> Rows:
    file = current(draft)
    ((first, last),) = file.ranges
    row = pick(rng, draft.transactions, LogLine, lambda row: not row.key and first < row.sequence < last)
    return [lost(draft, row)]


@defect("log-without-gap")
def end_of_the_log_lost(draft: Draft, rng: random.Random) -> Rows:
    mark = pick(rng, draft.transactions, HighWater)
    return [alter(draft.transactions, mark, sequence=mark.sequence + rng.randrange(1, 500))]


@defect("log-without-gap")
def archive_removed(draft: Draft, rng: random.Random) -> Rows:
    """Of the days before, of which there are no single lines."""
    gone = pick(rng, draft.transactions, LogFile, lambda row: row.id != CURRENT)
    after = pick(rng, draft.transactions, LogFile, lambda row: row.ranges[0][0] == gone.ranges[0][1] + 1)
    draft.transactions.remove(gone)
    return [after]


@defect("log-without-gap")
def number_given_twice(draft: Draft, rng: random.Random) -> Rows:
    row = pick(rng, draft.transactions, LogLine)
    again = msgspec.structs.replace(row, t_ns=row.t_ns + 1, key="", account="", what="started")
    draft.transactions.append(again)
    return [again]


@defect("log-without-gap")
def mark_behind_the_log(draft: Draft, rng: random.Random) -> Rows:
    mark = pick(rng, draft.transactions, HighWater)
    alter(draft.transactions, mark, sequence=mark.sequence - 1)
    return [current(draft)]


@defect("log-without-gap")
def line_that_is_not_whole(draft: Draft, rng: random.Random) -> Rows:
    """A part of a record with the next one behind it, say."""
    file = pick(rng, draft.transactions, LogFile)
    return [alter(draft.transactions, file, damaged=rng.randrange(1, 4))]


@defect("log-volume-headroom")
def copies_left_on_the_volume(draft: Draft, rng: random.Random) -> Rows:
    volume = pick(rng, draft.transactions, VolumeState)
    return [alter(draft.transactions, volume, free=volume.size * 2 // 10)]


@defect("log-volume-headroom")
def inodes_left_taken(draft: Draft, rng: random.Random) -> Rows:
    volume = pick(rng, draft.transactions, VolumeState)
    return [alter(draft.transactions, volume, inodes_free=volume.inodes // 5)]


@defect("log-volume-headroom")
def level_left_raised(draft: Draft, rng: random.Random) -> Rows:
    """Room enough now, and none in a minute."""
    volume = pick(rng, draft.transactions, VolumeState)
    return [alter(draft.transactions, volume, per_s=160_000)]


@defect("alerted-before-the-breach")
def refused_before_any_alert(draft: Draft, rng: random.Random) -> Rows:
    asked = pick(rng, draft.customers, Reply, lambda row: row.action not in KEYED and row.t_ns < at(FAULT))
    return [alter(draft.customers, asked, status=503, outcome="error", error="LOG_UNAVAILABLE")]
