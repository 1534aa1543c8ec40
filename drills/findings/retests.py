"""Whether retests show that a finding is no more: three passes in a row, with seeds that chance chose.

The attempts are those of the register, so none can be left out: a run that was thrown away, or ended by somebody's
hand, breaks the row like one that failed. One that could not judge by no fault of anybody counts for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from drills.archive.row import Limit, RunRow
from drills.archive.trends import acts
from drills.findings.derive import at_of, day_of
from drills.record.entries import RETEST, Begun, Ended
from drills.record.register import Register
from drills.spec.findingsfile import RESULTS, Attempt, Finding, LimitForm

NEEDED = 3
PASS, FAIL, NO_CARD, CUT, UNKNOWN, CANNOT_JUDGE, LOOSER, QUICKER = RESULTS
NEUTRAL = (CANNOT_JUDGE, LOOSER, QUICKER)
"""Results that neither count nor break the row."""
RAN = ("judged", "cap", "stop_if", "baseline", "error")
"""How runs end that nobody has ended."""


def attempts(finding: Finding, rows: Mapping[str, RunRow], register: Register) -> tuple[Attempt, ...]:
    """All retests of a finding, in order, whatever came of them."""
    ended = register.ended()
    return tuple(
        Attempt(run=run, date=day_of(run), seed=begun.seed, result=_result(finding, rows.get(run), ended.get(run)))
        for run, begun in register.begun().items()
        if _is_for(finding, begun) and at_of(run) > at_of(finding.first_seen.run)
    )


def passes_in_a_row(found: Sequence[Attempt]) -> list[str]:
    """The runs of the row of passes with which the attempts end."""
    passed: list[str] = []
    for attempt in found:
        if attempt.result == PASS:
            passed.append(attempt.run)
        elif attempt.result not in NEUTRAL:
            passed.clear()
    return passed


def since_last_seen(finding: Finding, found: Sequence[Attempt]) -> list[Attempt]:
    """Those that may close it: whatever was shown before it was seen again shows nothing."""
    return [each for each in found if at_of(each.run) > at_of(finding.last_seen.run)]


def closing(found: Sequence[Attempt]) -> tuple[str, ...] | None:
    """The first runs that were enough; None where there are not that many in a row."""
    for last in range(1, len(found) + 1):
        passed = passes_in_a_row(found[:last])
        if len(passed) >= NEEDED:
            return tuple(passed[-NEEDED:])
    return None


def _is_for(finding: Finding, begun: Begun) -> bool:
    called = f"{begun.drill}.{begun.variant}" if begun.variant else begun.drill
    mine = (finding.drill, finding.arm, finding.target, finding.operator, finding.pace)
    return (
        begun.purpose == RETEST and begun.drawn and mine == (called, begun.arm, begun.target, acts(begun), begun.pace)
    )


def _result(finding: Finding, row: RunRow | None, ended: Ended | None) -> str:
    if row is None:
        return NO_CARD
    if row.verdict == FAIL:
        return FAIL
    if row.verdict == "invalid":
        return CANNOT_JUDGE if ended is not None and ended.reason in RAN else CUT
    if row.verdict != PASS:
        return UNKNOWN
    if is_looser(row, finding.limits, finding.checks, finding.accepts):
        return LOOSER
    quick = row.reaction_s is not None and finding.reaction_s is not None and row.reaction_s < finding.reaction_s
    return QUICKER if quick else PASS


def is_looser(
    row: RunRow, limits: Collection[LimitForm], checks: Collection[str], accepts: Collection[str] | None
) -> bool:
    """Whether a run was held against less than this; ``accepts`` None: whatever is accepted."""
    now = {one.id: one for one in row.objectives}
    if any(_lets_more_pass(now.get(limit.id), limit) for limit in limits):
        return True
    newly = accepts is not None and any(name not in accepts for name in row.accepts)
    return newly or any(name not in row.checks for name in checks)


def _lets_more_pass(now: Limit | None, limit: LimitForm) -> bool:
    if now is None or now.at_least != (limit.at_least is not None):
        return True
    if limit.at_least is not None:
        return now.limit < limit.at_least
    return limit.at_most is not None and now.limit > limit.at_most
