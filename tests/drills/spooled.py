"""Correct histories in which the spool of notices is watched, and has room."""

from __future__ import annotations

import msgspec

from drills.domains.spool.rows import SpoolSeen

from . import synthetic as made
from .synthetic import END, Draft, at

SPOOL_CHECKS = ["spool-headroom", "warned-before-the-spool-was-full"]
INODES = 500


def correct_spooled(seed: int = 0, arm: str = "runbook", effect: bool = True) -> Draft:
    """A day with the spool's book."""
    draft = made.correct(seed, arm, effect)
    draft.plan = msgspec.structs.replace(draft.plan, checks=[*made.CHECKS, *SPOOL_CHECKS])
    draft.run = msgspec.structs.replace(draft.run, books=[*draft.run.books, "spool"])
    draft.spool = [
        SpoolSeen(t_ns=at(t), id="mail-spool", inodes=INODES, inodes_free=INODES - 3, waiting=2, pending=0, left_ms=-1,
                  refusing=False)
        for t in range(1, int(END))
    ]  # fmt: skip
    return draft
