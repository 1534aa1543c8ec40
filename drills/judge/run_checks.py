"""Asking the checks: those that the plan names, those of validity, and what a judgement says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from drills.judge.check import Check, because, run_check
from drills.judge.checks import processors, validity
from drills.judge.objectives import Judged
from drills.record.history import CheckResult, History, Reason, Status

Asked = Sequence[tuple[Check, CheckResult]]
"""Checks and what each found."""


def run_checks(history: History, checks: Mapping[str, Check]) -> list[tuple[Check, CheckResult]]:
    """Ask every check that the plan names and every one of validity, in the order of ``checks``."""
    named = [check for check in checks.values() if check.validity or check.id in history.plan.checks]
    unknown = [name for name in history.plan.checks if name not in checks]
    return [(check, run_check(check, history)) for check in named] + [(_nobody(name), _NO_CHECK) for name in unknown]


def unfinished(failures: list[Reason]) -> list[tuple[Check, CheckResult]]:
    """What a judge that broke somewhere says of itself: it has not seen all, so it cannot pass the run."""
    if not failures:
        return []
    broken = CheckResult(Status.UNKNOWN, reasons=failures)
    return [(Check("judged-whole", "", (), True, lambda _: broken), broken)]


def unfollowed(history: History) -> list[tuple[Check, CheckResult]]:
    """What a run says of itself in which the runbook was to be followed and nobody did: nothing where somebody did."""
    said = validity.runbook_not_followed(history)
    return [] if said is None else [(Check("runbook-was-followed", "", (), True, lambda _: said), said)]


def contended(history: History, asked: Asked, objectives: Sequence[Judged]) -> list[tuple[Check, CheckResult]]:
    """Of a run whose processors others kept busy for long: it accuses nobody; a pass is one all the same."""
    found = processors.contention(history)
    if found is None:
        return []
    accuses = Status.FAIL in [answer.status for _, answer in asked] + [one.status for one in objectives]
    answer = msgspec.structs.replace(found, status=Status.INVALID if accuses else Status.PASS)
    return [(Check(processors.ID, "", (), True, lambda _: answer), answer)]


_NO_CHECK = because(Status.UNKNOWN, "no-such-check")


def _nobody(name: str) -> Check:
    return Check(name, "", (), False, lambda _: _NO_CHECK)
