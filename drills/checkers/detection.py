"""Monitoring: it was there all along, and it does not cry wolf."""

from __future__ import annotations

from drills.checkers.check import Check, not_offered
from drills.history import History, Ruling, Verdict
from drills.judging.interval import seconds
from drills.judging.timeline import longest_silence, pages, watched
from drills.offered import ALERTS


def monitoring_had_no_gap(history: History) -> Verdict:
    """The monitor's heartbeat was never silent for longer than the limit; else no missing alert means anything."""
    if ALERTS in history.run.not_offered:
        return not_offered(ALERTS)
    silence = longest_silence(history)
    if silence is None:
        return Verdict(Ruling.INVALID, "the monitor was never heard")
    limit = history.plan.slo.monitor_gap
    says = f"longest silence of the monitor {seconds(silence.length)} s, limit {seconds(limit)} s"
    ruling = Ruling.PASS if silence.length <= limit else Ruling.INVALID
    return Verdict(ruling, says, [] if ruling == Ruling.PASS else [f"events:{index}" for index in silence.events])


def no_page(history: History) -> Verdict:
    """Where nothing is broken, no rule of the drill pages anybody."""
    if history.plan.injects:
        return Verdict(Ruling.NOT_APPLICABLE, "something was broken: a page is right")
    if ALERTS in history.run.not_offered:
        return not_offered(ALERTS)
    false = [page for page in pages(history) if page.rule in history.plan.alerts]
    rules = ", ".join(sorted({page.rule for page in false}))
    if false:
        return Verdict(Ruling.FAIL, f"{len(false)} false pages: {rules}", [f"events:{page.index}" for page in false])
    if not history.plan.alerts:
        return Verdict(Ruling.UNKNOWN, "the drill names no rules")
    if not watched(history):
        return Verdict(Ruling.UNKNOWN, "cannot tell: the monitor was not heard all along")
    return Verdict(Ruling.PASS, f"none of {len(history.plan.alerts)} rules fired")


CHECKS = (
    Check("monitoring-had-no-gap", "I-16", (), True, monitoring_had_no_gap),
    Check("no-page", "", (), True, no_page),
)
