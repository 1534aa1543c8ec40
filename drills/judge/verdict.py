"""From rulings to one verdict and one grade. The worst cell decides; nothing is averaged.

The order is: integrity failure, invalid, objective failure, unknown, pass. One thing comes before all: a run that did
not come to its end, whose history is damaged, or whose own parts were not sound, accuses nobody. What such a run lacks
in its books may only not have been written yet, or not have been asked for, so it is invalid whatever the checks say.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from drills.judge import timeline
from drills.judge.milestones import Milestones
from drills.judge.objectives import Judged
from drills.judge.run_checks import Asked
from drills.record.history import History, Status
from drills.record.unsupported import ALERTS

VOID = ("run-ended", "history-whole", "own-parts-sound", "processors-available")
"""Standing checks without which no other cell means anything."""


def verdict(asked: Asked, objectives: Sequence[Judged]) -> Status:
    """The verdict of a run."""
    cells = [answer.status for _, answer in asked] + [judged.status for judged in objectives]
    if any(check.id in VOID and answer.status != Status.PASS for check, answer in asked):
        return Status.INVALID
    if is_damaged(asked):
        return Status.FAIL
    if Status.INVALID in cells:
        return Status.INVALID
    if Status.FAIL in cells:
        return Status.FAIL
    answers = [judged.status for judged in objectives] + [said.status for check, said in asked if not check.validity]
    judges = any(status != Status.NOT_APPLICABLE for status in answers)
    return Status.PASS if judges and Status.UNKNOWN not in cells else Status.UNKNOWN


def is_damaged(asked: Asked) -> bool:
    """Whether a check of the books failed."""
    return any(answer.status == Status.FAIL and not check.validity for check, answer in asked)


class Grade(StrEnum):
    """In words, after HSEEP."""

    PERFORMED = "performed"  # all objectives met, and no harm without a limit or an acceptance
    SOME = "some-challenges"  # met, but there was such harm, a step went wrong or was repeated, or the alert came late
    MAJOR = "major-challenges"  # an objective was missed, the data are intact
    UNABLE = "unable"  # not recovered by the cap, or data damaged


def grade(history: History, total: Status, asked: Asked, at: Milestones, no_limit: Sequence[str] = ()) -> Grade | None:
    """The grade of a run that can judge; None for one that cannot. ``no_limit``: harm that nothing limits."""
    if total not in (Status.PASS, Status.FAIL):
        return None
    recovered = at.recovered.not_needed or at.recovered.at is not None
    if is_damaged(asked) or (history.plan.injects and not recovered):
        return Grade.UNABLE
    if total == Status.FAIL:
        return Grade.MAJOR
    rough = bool(no_limit) or (history.plan.injects and _was_rough(history, at))
    return Grade.SOME if rough else Grade.PERFORMED


def _was_rough(history: History, at: Milestones) -> bool:
    """A step of the runbook was retried or did not go well, or the runbook was opened before any alert."""
    steps = [step for each in timeline.openings(history) if each.right for step in timeline.steps_of(history, each)]
    again = len({step.id for step in steps}) < len(steps)
    astray = any(step.outcome != "ok" for step in steps)
    if ALERTS in history.run.unsupported:
        return again or astray
    late = at.alert is None or (at.runbook is not None and at.runbook.earliest < at.alert.latest)
    return again or astray or late
