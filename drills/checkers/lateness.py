"""Did the harness itself keep going? While it stood still no alert was taken, no undo came and no step was begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drills.checkers.check import Check
from drills.checkers.planned import LATE
from drills.history import History, Kind, Ruling, Verdict
from drills.judging.interval import seconds
from drills.judging.timeline import events

FIGURES = ("ticks", "worst_ns", "total_ns")


def harness_kept_going(history: History) -> Verdict:
    """Its own clock ticked all through the observation, and no tick was later than an act of the plan may be.

    Within an act, such as an injection or a step, nothing else would show that it stood still. Short times add up where
    one act follows another, so in all it may have been away for no longer than the monitor may be silent.
    """
    figures = next((event.data for event in events(history, "runner", "lateness", Kind.INFO)), {})
    late = [event for event in events(history, "runner", "late", Kind.INFO) if type(event.data.get("ns")) is int]
    if not _are_measured(figures):
        return Verdict(Ruling.UNKNOWN, "nobody measured whether the harness stood still")
    lost = [event.data["ns"] for event in late]
    worst, total = max([figures["worst_ns"], *lost]), max(figures["total_ns"], sum(lost))
    says = f"the harness stood still for at most {seconds(worst)} s at a time and {seconds(total)} s in all"
    if worst <= LATE and total <= history.plan.slo.monitor_gap:
        return Verdict(Ruling.PASS, says)
    limits = f"limits {seconds(LATE)} s and {seconds(history.plan.slo.monitor_gap)} s"
    return Verdict(Ruling.INVALID, f"{says}, {limits}", [f"events:{event.index}" for event in late])


def _are_measured(figures: Mapping[str, Any]) -> bool:
    return all(type(figures.get(name)) is int for name in FIGURES) and figures["ticks"] > 0


CHECKS = (Check("harness-kept-going", "", (), True, harness_kept_going),)
