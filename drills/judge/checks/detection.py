"""Monitoring: it was there all along, and it does not cry wolf."""

from __future__ import annotations

from drills.judge.checks.check import Check, not_offered
from drills.judge.interval import seconds
from drills.judge.timeline import longest_silence, pages, watched
from drills.record.history import CheckResult, History, Status
from drills.record.unsupported import ALERTS


def monitoring_had_no_gap(history: History) -> CheckResult:
    """The monitor's heartbeat was never silent for longer than the limit; else no missing alert means anything."""
    if ALERTS in history.run.not_offered:
        return not_offered(ALERTS)
    silence = longest_silence(history)
    if silence is None:
        return CheckResult(Status.INVALID, "the monitor was never heard")
    limit = history.plan.slo.monitor_gap
    says = f"longest silence of the monitor {seconds(silence.length)} s, limit {seconds(limit)} s"
    status = Status.PASS if silence.length <= limit else Status.INVALID
    return CheckResult(status, says, [] if status == Status.PASS else [f"events:{index}" for index in silence.events])


def no_page(history: History) -> CheckResult:
    """Where nothing is broken, no rule of the drill pages anybody."""
    if history.plan.injects:
        return CheckResult(Status.NOT_APPLICABLE, "something was broken: a page is right")
    if ALERTS in history.run.not_offered:
        return not_offered(ALERTS)
    false = [page for page in pages(history) if page.rule in history.plan.alerts]
    rules = ", ".join(sorted({page.rule for page in false}))
    if false:
        return CheckResult(
            Status.FAIL, f"{len(false)} false pages: {rules}", [f"events:{page.index}" for page in false]
        )
    if not history.plan.alerts:
        return CheckResult(Status.UNKNOWN, "the drill names no rules")
    if not watched(history):
        return CheckResult(Status.UNKNOWN, "cannot tell: the monitor was not heard all along")
    return CheckResult(Status.PASS, f"none of {len(history.plan.alerts)} rules fired")


CHECKS = (
    Check("monitoring-had-no-gap", "I-16", (), True, monitoring_had_no_gap),
    Check("no-page", "", (), True, no_page),
)
