"""From when on the figures that customers were shown were right again, and current where they had been."""

from __future__ import annotations

from drills.domains.figures import oracle
from drills.judge import outage
from drills.judge.domain import Condition
from drills.judge.interval import Interval
from drills.judge.milestones import NOT_NEEDED, Milestone, held
from drills.record.history import History


def since(history: History, after: int, late: int) -> Milestone:
    """No wrong figure shown as current, and balances current again where they were before."""
    back = _back(history, after)
    return held(history, back.at.widened(late) if back.at else None) if back.disturbed else NOT_NEEDED


def _back(history: History, after: int) -> outage.Return:
    shown = oracle.figures(history)
    before = [figure.row.current for figure in shown if figure.row.received_ns < after]
    must_be_current = any(before) or not before
    spoilt = [figure.wrong or (must_be_current and not figure.row.current) for figure in shown]
    late = [n for n, bad in enumerate(spoilt) if bad and shown[n].row.received_ns >= after]
    if not late:
        return outage.Return(False, None)
    following = shown[late[-1] + 1 :]
    if not following:
        return outage.Return(True, None)
    last, first = shown[late[-1]].row, following[0].row
    return outage.Return(True, Interval(min(last.sent_ns, first.received_ns), first.received_ns))


RIGHT_AGAIN = Condition(("world", "customers", "exchange"), since)
"""Part of good service: a service that shows wrong figures is not restored."""
