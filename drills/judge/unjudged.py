"""What a run that cannot judge may say: why, what to do about it, and nothing that would count for the target.

The cause comes first; what merely follows from it is counted. In an *invalid* run the instrument is not to be trusted,
so no measurement stands. In an *unknown* one it is: what was seen stays, but no objective is met by it, and where
nothing was seen that does not show that there was nothing. Pure functions of the card's cells; twice does no more than
once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from drills.judge import timeline
from drills.judge.governing import MEASURED
from drills.judge.scorecard import (
    CannotJudgeCell,
    CheckCell,
    GoverningCell,
    MetricCell,
    ObjectiveCell,
    Scorecard,
    Span,
    ValueCell,
)
from drills.judge.verdict import VOID
from drills.record.history import Count, History, Kind, Reason, Status

UNANSWERED = (Status.UNKNOWN, Status.INVALID)
STILL_THERE = "nothing-still-injected"
"""Follows from nothing: whatever else is wrong with the run, what it left must be undone."""
BASELINE = "baseline-good"
LOAD = "load-on-time"
FOLLOWS = {
    LOAD: ("load-reached-its-rate", BASELINE),
    "harness-kept-going": ("ran-as-planned", "monitoring-had-no-gap"),
    "runbook-was-followed": ("ran-as-planned",),
}
"""Check -> others that it explains: a load that was late or did not come at all, a harness that stood still, a runbook
that nobody opened."""
CLAIMS = ("no-page",)
"""Standing checks that say something of the target, not of whether the run can judge it."""
NO_DESCRIPTORS = "Too many open files"
"""What the operating system says, in its own words, where a process may open no more."""


def judges(verdict: str) -> bool:
    """Whether a run with this verdict counts for or against the target."""
    return verdict in (Status.PASS, Status.FAIL)


def how_far(history: History) -> str:
    """How a run was ended that did not come to its own end, for the fix: ``error.start``, ``interrupted``, …

    Empty for a run that did; ``killed`` where no end is on record. An error is told apart by how far the run had come.
    """
    end = history.run.end
    if end is None:
        return "killed"
    if end.reason != "error":
        return end.reason
    if NO_DESCRIPTORS in end.says:
        return "error.descriptors"
    if not any(timeline.events(history, "runner", "target", Kind.OK)):
        return "error.start"
    return "error.later" if any(timeline.events(history, "load", "ready")) else "error.login"


def claiming_nothing(card: Scorecard, ended: str = "") -> Scorecard:
    """The card of a run that judges as it is; of one that cannot, without any claim, and with the cause named.

    ``ended`` says how the run was ended (``how_far``); without it the fix is that of the cause alone.
    """
    if judges(card.verdict):
        return card
    invalid = card.verdict == Status.INVALID
    return msgspec.structs.replace(
        card,
        grade=None,
        cannot_judge=card.cannot_judge or _why(card, ended),
        prevented=False,
        metrics=[_metric(one, invalid) for one in card.metrics],
        objectives=[_objective(one, invalid) for one in card.objectives],
        governing=_governing(card.governing, invalid),
        accepted=[],
        no_limit=[],
        checks=[_check(one) for one in card.checks] if invalid else card.checks,
    )


def _why(card: Scorecard, ended: str) -> CannotJudgeCell:
    causes = list(_causes(card, ended))
    checks = [one for one in card.checks if one.id not in causes and _is_open(card, one)]
    objectives = [one for one in card.objectives if one.id not in causes and _is_missed(card, one)]
    fix = _fix(card, causes[0], ended) if causes else "nothing"
    return CannotJudgeCell(causes=causes, fix=fix, checks=len(checks), objectives=len(objectives))


def _fix(card: Scorecard, cause: str, ended: str) -> str:
    """What to do is named after the cause; where that is not enough to know it, after its kind as well."""
    if cause == "run-ended" and ended:
        return f"{cause}.{ended}"
    if cause == LOAD and card.load is not None and not card.load.sent:
        return f"{cause}.nobody-came"
    if cause in {check.id for check in card.checks}:
        return cause
    measured = next((one.measured for one in card.objectives if one.id == cause), None)
    return "objective.unmeasured" if measured is None else "objective.within"


def _causes(card: Scorecard, ended: str) -> Iterator[str]:
    if card.verdict == Status.INVALID:
        return _causes_of_invalid(card.checks, ended)
    return _causes_of_unknown(card.checks, card.objectives)


def _causes_of_invalid(checks: Sequence[CheckCell], ended: str) -> Iterator[str]:
    """A run that was cut short, or whose record is damaged, explains all but what is still injected."""
    ill = [check.id for check in checks if check.verdict == Status.INVALID]
    void = [check.id for check in checks if check.id in VOID and check.verdict != Status.PASS]
    if void:
        first = next(name for name in VOID if name in void)
        yield BASELINE if first == "run-ended" and ended == "baseline" and BASELINE in ill else first
    else:
        yield from (name for name in _unexplained(ill) if name != STILL_THERE)
    if STILL_THERE in ill:
        yield STILL_THERE


def _causes_of_unknown(checks: Sequence[CheckCell], objectives: Sequence[ObjectiveCell]) -> Iterator[str]:
    """Checks that cannot tell, one for each reason; where all could, the objectives that cannot."""
    blind = [check for check in checks if check.verdict in UNANSWERED]
    known = _unexplained([check.id for check in blind])
    blind = [check for check in blind if check.id in known]
    for number, check in enumerate(blind):
        if _found(check) not in [_found(before) for before in blind[:number]]:
            yield check.id
    if not blind:
        yield from (one.id for one in objectives if one.verdict in UNANSWERED)


def _found(check: CheckCell) -> tuple[list[Count], list[Reason]]:
    return check.counts, check.reasons


def _unexplained(ill: Sequence[str]) -> list[str]:
    """Those that do not follow from another one of them."""
    follow = {each for cause in FOLLOWS if cause in ill for each in FOLLOWS[cause]}
    return [name for name in ill if name not in follow]


def _is_open(card: Scorecard, check: CheckCell) -> bool:
    """Whether nobody can rely on an answer: in an invalid run on none but those of the instrument to itself."""
    if check.verdict == Status.NOT_APPLICABLE:
        return False
    return check.verdict in UNANSWERED or (card.verdict == Status.INVALID and _claims(check))


def _is_missed(card: Scorecard, one: ObjectiveCell) -> bool:
    return one.verdict in UNANSWERED or (card.verdict == Status.INVALID and one.verdict != Status.NOT_APPLICABLE)


def _claims(check: CheckCell) -> bool:
    return not check.validity or check.id in CLAIMS


def _check(check: CheckCell) -> CheckCell:
    answered = check.verdict in (Status.PASS, Status.FAIL) and _claims(check)
    return msgspec.structs.replace(check, verdict=Status.UNKNOWN) if answered else check


def _objective(one: ObjectiveCell, invalid: bool) -> ObjectiveCell:
    if one.verdict == Status.NOT_APPLICABLE:
        return one
    measured = None if invalid else _seen_span(one.measured)
    headroom = None if measured is None else one.headroom
    return msgspec.structs.replace(one, measured=measured, headroom=headroom, verdict=Status.UNKNOWN)


def _governing(cell: GoverningCell | None, invalid: bool) -> GoverningCell | None:
    """Of an invalid run what was measured is not told; what was set stays."""
    if cell is None or not invalid:
        return cell
    known = {name: None if name.startswith(MEASURED) else value for name, value in cell.numbers.items()}
    unknown = None in known.values()
    left, right = (None, None) if unknown else (cell.left, cell.right)
    return msgspec.structs.replace(cell, numbers=known, left=left, right=right)


def _metric(one: MetricCell, invalid: bool) -> MetricCell:
    """Nothing of it in an invalid run; else what was seen: where nothing was, that is not shown to be nothing."""
    values = [_value(cell, None if invalid else _seen(cell.value)) for cell in one.values]
    return msgspec.structs.replace(one, values=values)


def _value(cell: ValueCell, value: Span | float | None) -> ValueCell:
    return msgspec.structs.replace(cell, value=value)


def _seen(value: Span | float | None) -> Span | float | None:
    return _seen_span(value) if isinstance(value, tuple) else value or None


def _seen_span(span: Span | None) -> Span | None:
    return span if span is not None and any(span) else None
