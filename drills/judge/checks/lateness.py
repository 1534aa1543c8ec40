"""Did the harness itself keep going? While it stood still no alert was taken, no undo came and no step was begun.

Nor did a step get on while its command waited to be begun: the target has not heard of it by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drills.judge.check import Check, because
from drills.judge.checks.planned import LATE
from drills.judge.interval import seconds
from drills.judge.timeline import events
from drills.record.history import CheckResult, History, Kind, Status

FIGURES = ("ticks", "worst_ns", "total_ns")


def harness_kept_going(history: History) -> CheckResult:
    """Its own clock ticked all through the observation, and no tick was later than an act of the plan may be.

    Within an act, such as an injection or a step, nothing else would show that it stood still. Short times add up where
    one act follows another, so in all it may have been away for no longer than the monitor may be silent. The same
    holds for the steps of the runbook and how long each waited for its commands to be begun.
    """
    figures = next((event.data for event in events(history, "runner", "lateness", Kind.INFO)), {})
    late = [event for event in events(history, "runner", "late", Kind.INFO) if type(event.data.get("ns")) is int]
    steps = [event for event in events(history, "operator", "step") if event.kind != Kind.INVOKE]
    if not _are_measured(figures):
        return because(Status.UNKNOWN, "harness.not-measured")
    if not all(type(event.data.get("waited_ns")) is int for event in steps):
        return because(Status.UNKNOWN, "harness.waits-not-measured")
    lost, waited = [event.data["ns"] for event in late], [event.data["waited_ns"] for event in steps]
    worst, total = max([figures["worst_ns"], *lost]), max(figures["total_ns"], sum(lost))
    gap = history.plan.slo.monitor_gap
    stood = {"worst": seconds(worst), "total": seconds(total)}
    limits = {"limit": seconds(LATE), "total_limit": seconds(gap)}
    if worst > LATE or total > gap:
        rows = [f"events:{event.index}" for event in late]
        return because(Status.INVALID, "harness.stood-still-too-long", rows, **stood, **limits)
    longest, in_all = max(waited, default=0), sum(waited)
    if longest > LATE or in_all > gap:
        rows = [f"events:{event.index}" for event in steps if event.data["waited_ns"]]
        waits = {"worst": seconds(longest), "total": seconds(in_all)}
        return because(Status.INVALID, "harness.commands-waited", rows, **waits, **limits)
    return because(Status.PASS, "harness.stood-still", **stood)


def _are_measured(figures: Mapping[str, Any]) -> bool:
    return all(type(figures.get(name)) is int for name in FIGURES) and figures["ticks"] > 0


CHECKS = (Check("harness-kept-going", "", (), True, harness_kept_going),)
