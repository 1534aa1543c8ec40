"""Several runs of one drill taken as one answer: chance is no failure, and damage is no chance.

An objective fails where more than half of the runs missed it; a failed check of the books fails at once. A run that
cannot judge leaves the answer open, whatever the others have shown: missing evidence never raises a score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from drills.judge.scorecard import Scorecard
from drills.judge.unjudged import judges
from drills.judge.verdict import Grade
from drills.record.history import Status

WORST_FIRST = (Grade.UNABLE, Grade.MAJOR, Grade.SOME, Grade.PERFORMED)


class RepeatedObjective(msgspec.Struct, frozen=True):
    """In how many ``of`` the runs that asked for it an objective was missed, and in how many nobody can tell."""

    id: str
    failed: int
    unknown: int
    of: int
    verdict: Status


class Repeated(msgspec.Struct, frozen=True):
    """All runs of one drill and arm, and what they come to together; ``red`` are the checks that any of them failed."""

    drill: str
    variant: str | None
    arm: str
    runs: list[str]
    verdict: Status
    grade: str | None
    red: list[str]
    objectives: list[RepeatedObjective]


def repeated(cards: Iterable[Scorecard]) -> list[Repeated]:
    """One for each drill, variant and arm, in the order in which they first come; attempts made once more are out."""
    found = list(cards)
    again = {attempt.run for card in found for attempt in card.earlier}
    groups: dict[tuple[str, str | None, str], list[Scorecard]] = {}
    for card in found:
        if card.run not in again:
            groups.setdefault((card.drill, card.variant, card.arm), []).append(card)
    return [together(group) for group in groups.values()]


def together(cards: Sequence[Scorecard]) -> Repeated:
    """What runs of the same drill and arm come to; at least one."""
    first = cards[0]
    ids = list(dict.fromkeys(each.id for card in cards for each in card.objectives))
    objectives = [_objective(name, cards) for name in ids]
    red = sorted(
        {check.id for card in cards if judges(card.verdict) for check in card.checks if check.verdict == "fail"}
    )
    total = _verdict(cards, objectives)
    return Repeated(
        drill=first.drill,
        variant=first.variant,
        arm=first.arm,
        runs=[card.run for card in cards],
        verdict=total,
        grade=_grade(cards, total),
        red=red,
        objectives=objectives,
    )


def _objective(name: str, cards: Sequence[Scorecard]) -> RepeatedObjective:
    asked = [each.verdict for card in cards for each in card.objectives if each.id == name and each.verdict != "n/a"]
    failed, passed = asked.count(Status.FAIL), asked.count(Status.PASS)
    unknown = len(asked) - failed - passed
    if not asked:
        total = Status.NOT_APPLICABLE
    elif 2 * failed > len(asked):
        total = Status.FAIL
    else:
        total = Status.UNKNOWN if unknown else Status.PASS
    return RepeatedObjective(name, failed, unknown, len(asked), total)


def _verdict(cards: Sequence[Scorecard], objectives: Sequence[RepeatedObjective]) -> Status:
    """In the order of a single run's verdict: damage, cannot judge, an objective missed, unknown, pass."""
    if len(cards) == 1:
        return cards[0].verdict
    if any(card.verdict == Status.FAIL and not _by_chance(card) for card in cards):
        return Status.FAIL
    found = [card.verdict for card in cards]
    if Status.INVALID in found:
        return Status.INVALID
    if any(each.verdict == Status.FAIL for each in objectives):
        return Status.FAIL
    open_ = Status.UNKNOWN in found or any(each.verdict == Status.UNKNOWN for each in objectives)
    return Status.UNKNOWN if open_ else Status.PASS


def _by_chance(card: Scorecard) -> bool:
    """Whether it failed by objectives alone."""
    checks = any(each.verdict == Status.FAIL for each in card.checks)
    return not checks and any(each.verdict == Status.FAIL for each in card.objectives)


def _grade(cards: Sequence[Scorecard], total: Status) -> str | None:
    """The worst of the runs; where the drill passes although one of them missed something, it had challenges."""
    if total not in (Status.PASS, Status.FAIL):
        return None
    worst = min((card.grade for card in cards if card.grade is not None), key=_rank, default=None)
    if total == Status.PASS and worst in (Grade.UNABLE, Grade.MAJOR):
        return Grade.SOME
    return worst


def _rank(grade: str) -> int:
    return WORST_FIRST.index(Grade(grade))
