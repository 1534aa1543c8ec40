"""Defects planted in correct histories in which the spool is watched, one each; see ``defects``."""

from __future__ import annotations

import random
from collections.abc import Callable

from drills.domains.spool.rows import SpoolSeen

from .defects import Defect, Plant, Rows, alter, pick
from .spooled import INODES
from .synthetic import FAULT, Draft, at

SPOOL_DEFECTS: list[Defect] = []


def defect(*speaks: str) -> Callable[[Plant], Plant]:
    """The first of those who speak must show the rows."""

    def note(plant: Plant) -> Plant:
        SPOOL_DEFECTS.append(Defect(plant, frozenset(speaks), speaks[0], None))
        return plant

    return note


def last(draft: Draft) -> SpoolSeen:
    return max((row for row in draft.spool if isinstance(row, SpoolSeen)), key=lambda row: row.t_ns)


@defect("spool-headroom")
def left_nearly_full(draft: Draft, rng: random.Random) -> Rows:
    return [alter(draft.spool, last(draft), inodes_free=rng.randrange(0, INODES * 3 // 10))]


@defect("spool-headroom")
def left_filling(draft: Draft, rng: random.Random) -> Rows:
    return [alter(draft.spool, last(draft), left_ms=rng.randrange(0, 60_000))]


@defect("warned-before-the-spool-was-full")
def full_before_any_alert(draft: Draft, rng: random.Random) -> Rows:
    row = pick(rng, draft.spool, SpoolSeen, lambda row: row.t_ns < at(FAULT))
    return [alter(draft.spool, row, inodes_free=0, refusing=True)]
