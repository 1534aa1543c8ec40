"""All checks: those of each domain, and here those of validity, which ask whether the run can judge at all.

How to add one: ``drills/README.md``.
"""

from __future__ import annotations

from drills.domains.cash import checks as cash
from drills.domains.figures import checks as figures
from drills.domains.night import checks as night
from drills.domains.notices import checks as notices
from drills.domains.orders import checks as orders
from drills.domains.repairs import checks as repairs
from drills.judge.check import NOT_EXERCISED, UNSUPPORTED, Check, because, run_check
from drills.judge.checks import detection, lateness, own_parts, planned, recovery, validity
from drills.record.history import CheckResult, History, Reason, Status

FAMILIES = (
    cash,
    orders,
    notices,
    figures,
    night,
    repairs,
    recovery,
    detection,
    validity,
    planned,
    lateness,
    own_parts,
)

CHECKS: dict[str, Check] = {check.id: check for family in FAMILIES for check in family.CHECKS}
"""Every check by id; those of validity are asked of every run, the others if the drill names them."""

__all__ = [
    "CHECKS",
    "NOT_EXERCISED",
    "UNSUPPORTED",
    "Check",
    "run_check",
    "run_checks",
    "unfinished",
    "unfollowed",
]


def run_checks(history: History) -> list[tuple[Check, CheckResult]]:
    """Ask every check that the plan names and every one of validity, in the order of ``CHECKS``."""
    named = [check for check in CHECKS.values() if check.validity or check.id in history.plan.checks]
    unknown = [name for name in history.plan.checks if name not in CHECKS]
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


_NO_CHECK = because(Status.UNKNOWN, "no-such-check")


def _nobody(name: str) -> Check:
    return Check(name, "", (), False, lambda _: _NO_CHECK)
