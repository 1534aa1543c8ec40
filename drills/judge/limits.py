"""Whether every harm has a limit or an acceptance: one above zero that has neither is named, and costs the grade."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from drills.judge.metric import Metric, Window
from drills.judge.objectives import Measured
from drills.record.history import Plan


def harmed(measured: Measured, metrics: Mapping[str, Metric]) -> list[str]:
    """The metrics that counted harm: above zero in the whole of the run."""
    counted = (metric for metric in metrics.values() if metric.harm is not None)
    return [metric.id for metric in counted if _above_zero(measured, metric.id)]


def without_limit(plan: Plan, measured: Measured, metrics: Mapping[str, Metric]) -> list[str]:
    """Of these, those that no objective and no check of the drill limits and the drill does not accept."""
    found = harmed(measured, metrics)
    return [name for name in found if not _is_covered(plan, metrics, name, found)]


def _above_zero(measured: Measured, metric: str) -> bool:
    whole = [value.measured for value in measured.get(metric, ()) if (value.window, value.of) == (Window.ALL, None)]
    return any(found is not None and found.latest > 0 for found in whole)


def _is_covered(plan: Plan, metrics: Mapping[str, Metric], name: str, found: Collection[str]) -> bool:
    """``found`` are the metrics that counted harm: of a sum, those that have added something have to be covered."""
    harm = metrics[name].harm
    assert harm is not None
    asked = {name} | harm.limited_by
    if name in plan.accepts or asked & {*plan.checks, *(one.metric for one in plan.objectives)}:
        return True
    return bool(harm.sum_of) and all(_is_covered(plan, metrics, part, found) for part in harm.sum_of if part in found)
