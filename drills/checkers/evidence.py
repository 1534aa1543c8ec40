"""Standing checks: can this run judge at all? A run that cannot is invalid, in words, and never a pass."""

from __future__ import annotations

import math

from drills.checkers.check import Check
from drills.history import NS, History, Kind, Ruling, Verdict
from drills.judging import outage
from drills.judging.interval import seconds
from drills.judging.timeline import events, injection, is_stamped_well, observed_from, observed_until

COMPLETE = frozenset({"judged", "cap", "stop_if"})
"""Reasons to end that leave a whole observation behind."""
MOST_LATE = 50_000_000
"""Lateness of sending, 99th percentile, ns: above it latencies say more of the load than of the target."""
MOST_DROPPED = 1000
"""One in so many arrivals may be dropped."""
CLOCK_JUMP = NS
LEAST_RATE = 95
"""Per cent of the planned arrivals that must have come, chance of the arrivals allowed for."""


def run_ended(history: History) -> Verdict:
    """The run came to an end of its own, and the end stands on record."""
    end = history.run.end
    if end is None:
        return Verdict(Ruling.INVALID, "the run did not end")
    says = f"ended: {end.reason}" + (f" ({end.says})" if end.says else "")
    return Verdict(Ruling.PASS if end.reason in COMPLETE else Ruling.INVALID, says)


def history_whole(history: History) -> Verdict:
    """All of the history can be read, and its events are numbered without a gap."""
    damage = list(history.damage)
    gaps = [n for n, event in enumerate(history.events) if event.index != n]
    if gaps:
        damage.append(f"events are not numbered without gaps from {gaps[0]} on")
    garbled = [n for n, event in enumerate(history.events) if not is_stamped_well(event)]
    if garbled:
        damage.append(f"{len(garbled)} events carry a stamp that is no number of nanoseconds")
    if not history.events:
        damage.append("no events")
    if damage:
        return Verdict(Ruling.INVALID, "; ".join(damage), [f"events:{n}" for n in (*gaps[:1], *garbled[:1])])
    return Verdict(Ruling.PASS, f"{len(history.events)} events, {len(history.samples)} samples")


def one_clock(history: History) -> Verdict:
    """Wall clock and monotonic clock ran in step, so stamps of outsiders can be placed."""
    offsets = list(history.run.clock.values())
    if len(offsets) < 2:
        return Verdict(Ruling.UNKNOWN, "clock offsets were not recorded at both ends")
    jump = max(offsets) - min(offsets)
    says = f"wall clock moved {seconds(jump)} s against the monotonic clock"
    return Verdict(Ruling.PASS if jump <= CLOCK_JUMP else Ruling.INVALID, says)


def baseline_good(history: History) -> Verdict:
    """Service was good before anything was broken."""
    bad = list(events(history, "runner", "baseline", Kind.FAIL))
    good = list(events(history, "runner", "baseline", Kind.OK))
    if bad or not good:
        says = "the baseline was not good" if bad else "no baseline was taken"
        return Verdict(Ruling.INVALID, says, [f"events:{event.index}" for event in bad])
    return Verdict(Ruling.PASS, "service was good before")


def load_on_time(history: History) -> Verdict:
    """Requests left when they were meant to, and hardly any was dropped for want of an idle customer."""
    counts, late = outage.counts(history), outage.lateness_p99(history)
    if not counts.sent:
        return Verdict(Ruling.INVALID, "no request was sent")
    says = f"sent late by {seconds(late)} s (p99), {counts.dropped} of {counts.intended} dropped"
    fine = late <= MOST_LATE and counts.dropped * MOST_DROPPED <= counts.intended
    return Verdict(Ruling.PASS if fine else Ruling.INVALID, says)


def load_reached_its_rate(history: History) -> Verdict:
    """Each service had 95 % of its planned arrivals, less what chance takes (three standard deviations of Poisson)."""
    start = observed_from(history)
    span = observed_until(history) - start
    if span <= 0:
        return Verdict(Ruling.INVALID, "nothing was observed")
    short, says = False, []
    for service in outage.services(history):
        planned = service.rate * span / NS
        came = int((service.intended >= start).sum())
        short |= came == 0 or came < planned * LEAST_RATE / 100 - 3 * math.sqrt(planned)
        says.append(f"{service.name} {came} of {round(planned)}")
    if not says:
        return Verdict(Ruling.INVALID, "no service was to be asked")
    return Verdict(Ruling.INVALID if short else Ruling.PASS, "arrivals: " + ", ".join(says))


def fault_really_happened(history: History) -> Verdict:
    """Each planned fault was injected, and a witness saw its effect."""
    if not history.plan.injects:
        return Verdict(Ruling.NOT_APPLICABLE, "this arm breaks nothing")
    records = [injection(history, fault.index) for fault in history.plan.faults]
    if not records:
        return Verdict(Ruling.INVALID, "no fault was planned")
    unseen = [record for record in records if not (record.injected and record.witnessed)]
    rows = [f"events:{index}" for record in unseen or records for index in record.events]
    says = f"{len(records) - len(unseen)} of {len(records)} faults injected and witnessed"
    return Verdict(Ruling.INVALID if unseen else Ruling.PASS, says, rows)


def nothing_injected(history: History) -> Verdict:
    """An arm without a fault really had none."""
    if history.plan.injects:
        return Verdict(Ruling.NOT_APPLICABLE, "this arm has a fault")
    found = [event.index for event in events(history, "fault:", "inject")]
    says = f"{len(found)} injections in an arm without a fault" if found else "nothing was injected"
    return Verdict(Ruling.INVALID if found else Ruling.PASS, says, [f"events:{index}" for index in found])


CHECKS = (
    Check("run-ended", "", (), True, run_ended),
    Check("history-whole", "", (), True, history_whole),
    Check("one-clock", "", (), True, one_clock),
    Check("baseline-good", "", (), True, baseline_good),
    Check("fault-really-happened", "", (), True, fault_really_happened),
    Check("nothing-injected", "", (), True, nothing_injected),
    Check("load-on-time", "", (), True, load_on_time),
    Check("load-reached-its-rate", "", (), True, load_reached_its_rate),
)
