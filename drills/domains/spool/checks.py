"""The spool of notices: room at the end, and an alert before there was none."""

from __future__ import annotations

from drills.domains.spool import facts
from drills.judge.check import Check, because, combine, count
from drills.judge.warning import alerted_before
from drills.record.history import CheckResult, History, Status

MOST_USED = 0.7
LEAST_MS = 60_000
"""How long the room must last at the pace of the end."""


def spool_headroom(history: History) -> CheckResult:
    """At the end less than 70 % of the inodes are taken where notices are written, and they last for a minute."""
    looks = facts.looks(history)
    if not looks:
        return because(Status.UNKNOWN, "spool.never-seen")
    index, last = looks[-1]
    taken = 1 - last.inodes_free / last.inodes if last.inodes else 1.0
    bad = last.refusing or taken > MOST_USED or 0 <= last.left_ms < LEAST_MS
    return combine(count("spool.no-headroom", [f"{facts.BOOK}:{index}"] if bad else [], 1))


def warned_before_the_spool_was_full(history: History) -> CheckResult:
    """Where a notice did not fit, an alert that names the cause had come before."""
    found = facts.full(history)
    breach = None if found is None else (found[1].t_ns, f"{facts.BOOK}:{found[0]}")
    return alerted_before(history, breach, "spool.lead", "spool.no-alert")


CHECKS = (
    Check("spool-headroom", "I-11", (facts.BOOK,), False, spool_headroom),
    Check("warned-before-the-spool-was-full", "I-11", (facts.BOOK,), False, warned_before_the_spool_was_full),
)
