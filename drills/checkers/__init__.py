"""Checkers: pure functions from a history to a verdict, one file per family.

To add one: a function ``History -> Verdict`` that names its evidence, a line in its family's ``CHECKS``, a test that
it is silent on a correct history and finds a planted defect.
"""

from __future__ import annotations

from drills.checkers import (
    batch,
    cash,
    detection,
    evidence,
    figures,
    instrument,
    lateness,
    notices,
    orders,
    planned,
    recovery,
    repairs,
)
from drills.checkers.check import NOT_EXERCISED, NOT_OFFERED, Check, rule
from drills.history import History, Ruling, Verdict

FAMILIES = (
    cash,
    orders,
    notices,
    figures,
    batch,
    repairs,
    recovery,
    detection,
    evidence,
    planned,
    lateness,
    instrument,
)

CHECKS: dict[str, Check] = {check.id: check for family in FAMILIES for check in family.CHECKS}
"""Every check by id; the standing ones are asked of every run, the others if the drill names them."""

__all__ = ["CHECKS", "NOT_EXERCISED", "NOT_OFFERED", "Check", "rule", "rule_all", "unfinished", "unfollowed"]


def rule_all(history: History) -> list[tuple[Check, Verdict]]:
    """Ask every check that the plan names and every standing one, in the order of ``CHECKS``."""
    named = [check for check in CHECKS.values() if check.standing or check.id in history.plan.checks]
    unknown = [name for name in history.plan.checks if name not in CHECKS]
    return [(check, rule(check, history)) for check in named] + [(_nobody(name), _NO_CHECK) for name in unknown]


def unfinished(failures: list[str]) -> list[tuple[Check, Verdict]]:
    """What a judge that broke somewhere says of itself: it has not seen all, so it cannot pass the run."""
    if not failures:
        return []
    broken = Verdict(Ruling.UNKNOWN, "; ".join(failures))
    return [(Check("judged-whole", "", (), True, lambda _: broken), broken)]


def unfollowed(history: History) -> list[tuple[Check, Verdict]]:
    """What a run says of itself in which the page was to be followed and nobody did: nothing where somebody did."""
    said = evidence.page_not_followed(history)
    return [] if said is None else [(Check("runbook-was-followed", "", (), True, lambda _: said), said)]


_NO_CHECK = Verdict(Ruling.UNKNOWN, "no such check in this version")


def _nobody(name: str) -> Check:
    return Check(name, "", (), False, lambda _: _NO_CHECK)
