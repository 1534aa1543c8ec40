"""Monitoring: it was there all along, and it does not cry wolf."""

from __future__ import annotations

from drills.judge.check import Check, because, unsupported
from drills.judge.interval import seconds
from drills.judge.timeline import longest_silence, pages, watched
from drills.record.history import CheckResult, History, Status
from drills.record.unsupported import ALERTS


def monitoring_had_no_gap(history: History) -> CheckResult:
    """The monitor's heartbeat was never silent for longer than the limit; else no missing alert means anything."""
    if ALERTS in history.run.unsupported:
        return unsupported(ALERTS)
    silence = longest_silence(history)
    if silence is None:
        return because(Status.INVALID, "monitor.never-heard")
    limit = history.plan.slo.monitor_gap
    status = Status.PASS if silence.length <= limit else Status.INVALID
    rows = [] if status == Status.PASS else [f"events:{index}" for index in silence.events]
    return because(status, "monitor.silence", rows, seconds=seconds(silence.length), limit=seconds(limit))


def no_page(history: History) -> CheckResult:
    """Where nothing is broken, no rule of the drill pages anybody."""
    if history.plan.injects:
        return because(Status.NOT_APPLICABLE, "page.right")
    if ALERTS in history.run.unsupported:
        return unsupported(ALERTS)
    false = [page for page in pages(history) if page.rule in history.plan.alerts and not page.synthetic]
    if false:
        rules = sorted({page.rule for page in false})
        rows = [f"events:{page.index}" for page in false]
        return because(Status.FAIL, "page.false", rows, n=len(false), rules=rules)
    if not history.plan.alerts:
        return because(Status.UNKNOWN, "page.no-rules")
    if not watched(history):
        return because(Status.UNKNOWN, "monitor.not-heard-throughout")
    return because(Status.PASS, "page.none", rules=len(history.plan.alerts))


CHECKS = (
    Check("monitoring-had-no-gap", "I-16", (), True, monitoring_had_no_gap),
    Check("no-page", "", (), True, no_page),
)
