"""The judge with all domains, as tests ask it."""

from __future__ import annotations

from drills.domains.registry import DOMAINS
from drills.judge import instants as dated
from drills.judge import run_checks as asked
from drills.judge.check import Check
from drills.judge.domains import Domains
from drills.judge.interval import Interval
from drills.judge.metric import Observed, values
from drills.judge.milestones import Milestones
from drills.record.history import CheckResult, Count, History

CHECKS = DOMAINS.of_any_target().checks
"""As they are asked of a run that has none of the books which a domain brings."""


def domains(history: History) -> Domains:
    """Those that judge it: of one whose book it has not, nothing."""
    return DOMAINS.of_run(history.run)


def instants(history: History) -> Milestones:
    """When what happened."""
    return dated.instants(history, domains(history))


def run_checks(history: History) -> list[tuple[Check, CheckResult]]:
    """What the checks found."""
    return asked.run_checks(history, domains(history).checks)


def measured(history: History, metric: str, window: str = "all", of: str | None = None) -> Interval | None:
    """A value of a metric in the units that are measured."""
    found = values(domains(history).metrics[metric], Observed.of(history, instants(history)))
    return next(value.measured for value in found if (value.window, value.of) == (window, of))


def number(history: History, metric: str, window: str = "all") -> int | None:
    """The same of one that is a number."""
    found = measured(history, metric, window)
    return None if found is None else found.latest


def residuals(history: History) -> list[Count]:
    """What was left at the end."""
    return [each.left(history) for each in domains(history).residuals]
