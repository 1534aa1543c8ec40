"""From when on nobody was in doubt about a withdrawal any more, and what of that is left at the end."""

from __future__ import annotations

from drills.domains.withdrawals import facts
from drills.judge import outage
from drills.judge.check import count
from drills.judge.domain import Condition, Residual
from drills.judge.interval import point
from drills.judge.milestones import ABSENT, NOT_NEEDED, Milestone, returned
from drills.record.history import Count, History


def since(history: History, after: int, _: int) -> Milestone:
    """From when on each that had been unknown was settled as the bank has it."""
    found, doubtful = facts.differences(history), facts.in_doubt(history)
    if found.reversed_but_paid or found.completed_but_not_paid or found.unknown_to_us or facts.stuck(history):
        return ABSENT  # such a difference never goes away by itself
    settled = [each.row.settled_ns for each in doubtful if each.row.settled_ns >= after]
    if not settled:
        return NOT_NEEDED
    return returned(history, outage.Return(True, point(max(settled))))


def _left(history: History) -> Count:
    return count("left.withdrawals", [each.place for each in facts.stuck(history)], len(facts.held(history)))


SETTLED = Condition(("bank", facts.BOOK), since)
RESIDUALS = (Residual((facts.BOOK,), _left),)
