"""Standing checks: can this run judge at all? A run that cannot is invalid, in words, and never a pass."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from drills.judge import outage
from drills.judge.checks.check import Check
from drills.judge.interval import seconds
from drills.judge.service_level import surveyed
from drills.judge.survey import BAD, DROPPED
from drills.judge.timeline import (
    Injection,
    events,
    fault_indexes,
    injection,
    is_stamped_well,
    observed_from,
    observed_until,
    snapshot_at,
    steps,
)
from drills.record.columns import pieces
from drills.record.history import NS, CheckResult, Event, History, Kind, Status
from drills.record.unsupported import OPERATOR

COMPLETE = frozenset({"judged", "cap", "stop_if"})
"""Reasons to end that leave a whole observation behind."""
MOST_LATE = 50_000_000
"""Lateness of sending, 99th percentile, ns: above it latencies say more of the load than of the target."""
MOST_DROPPED = 1000
"""One in so many arrivals may be dropped."""
CLOCK_JUMP = NS
LEAST_RATE = 95
"""Per cent of the planned arrivals that must have come, chance of the arrivals allowed for."""
LONGEST_ID = 8
"""Digits of a row's id: the load counts its rows, and a journal of more would not fit into memory."""
GOOD_BEFORE = 99
"""Per cent of the baseline's requests that must have been served well, as the gate asks."""
NOBODY_ACTS = ("no-fault", "no-action")
"""Arms without a page."""


def run_ended(history: History) -> CheckResult:
    """The run came to an end of its own, and the end stands on record."""
    end = history.run.end
    if end is None:
        return CheckResult(Status.INVALID, "the run did not end")
    says = f"ended: {end.reason}" + (f" ({end.says})" if end.says else "")
    return CheckResult(Status.PASS if end.reason in COMPLETE else Status.INVALID, says)


def history_whole(history: History) -> CheckResult:
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
    damage += _unknown_to_customers(history)
    if damage:
        return CheckResult(Status.INVALID, "; ".join(damage), [f"events:{n}" for n in (*gaps[:1], *garbled[:1])])
    return CheckResult(Status.PASS, f"{len(history.events)} events, {len(history.samples)} samples")


def _unknown_to_customers(history: History) -> Iterator[str]:
    """Requests of which their customers' book has not a row: the load writes that first, so the rows were lost."""
    if "customers" not in history.books:
        return
    ids = {int(row.id) for row in history.books["customers"] if row.id.isdecimal() and len(row.id) <= LONGEST_ID}
    known = np.zeros(max(ids, default=0) + 2, np.bool_)  # by id, and the last for all that are beyond
    known[list(ids)] = True
    keys, outcomes, lost = history.samples.key, history.samples.outcome, 0
    for part in pieces(len(outcomes), keys, outcomes):
        there = known.take(keys[part], mode="clip")  # several times faster than isin
        if not there.all():
            lost += int(np.count_nonzero(~there & (outcomes[part] != DROPPED)))
    if lost:
        yield f"{lost} of {int(np.count_nonzero(outcomes != DROPPED))} requests have no row in the customers' book"


def one_clock(history: History) -> CheckResult:
    """Wall clock and monotonic clock ran in step, so stamps of outsiders can be placed."""
    offsets = list(history.run.clock.values())
    if len(offsets) < 2:
        return CheckResult(Status.UNKNOWN, "clock offsets were not recorded at both ends")
    jump = max(offsets) - min(offsets)
    says = f"wall clock moved {seconds(jump)} s against the monotonic clock"
    return CheckResult(Status.PASS if jump <= CLOCK_JUMP else Status.INVALID, says)


def baseline_good(history: History) -> CheckResult:
    """Service was good before anything was broken."""
    bad = list(events(history, "runner", "baseline", Kind.FAIL))
    good = list(events(history, "runner", "baseline", Kind.OK))
    if bad or not good:
        says = "; ".join(["the baseline was not good", *_gate_said(bad[0])]) if bad else "no baseline was taken"
        return CheckResult(Status.INVALID, says, [f"events:{event.index}" for event in bad])
    poor = list(_poorly_served(history, observed_from(history), good[0].t - history.plan.slo.latency))
    if poor:
        return CheckResult(Status.INVALID, f"the baseline was not good: {', '.join(poor)}")
    return CheckResult(Status.PASS, "service was good before")


def _gate_said(event: Event) -> Iterator[str]:
    """What the gate saw that nothing was to be injected into, as far as it is on record."""
    shares: Mapping[str, float | None] = event.data.get("good") or {}
    silent = {name for name, share in shares.items() if share is None} | set(event.data.get("stalled") or ())
    poor = [
        f"{name} {share * 100:.1f} %"
        for name, share in shares.items()
        if share is not None and share * 100 < GOOD_BEFORE
    ]
    if poor:
        yield f"served well: {', '.join(poor)}"
    if silent:
        yield f"slow to answer or silent: {', '.join(sorted(silent))}"
    if event.data.get("alerts"):
        yield f"alerts before anything was broken: {', '.join(event.data['alerts'])}"


def _poorly_served(history: History, start: int, end: int) -> Iterator[str]:
    """What the gate can only ask for in passing, asked of all samples: each service's share of good requests."""
    for service in outage.services(history):
        came, bad = (surveyed(service).count(mark, start, end) for mark in (0, BAD))
        if (came - bad) * 100 < came * GOOD_BEFORE:
            yield f"{service.name} {came - bad} of {came} served well"


def load_on_time(history: History) -> CheckResult:
    """Requests left when they were meant to, and hardly any was dropped for want of an idle customer.

    A generator that stood still for a moment of a long run hardly shows in a percentile; the requests that were bad for
    it do, and would be counted against the target.
    """
    counts, late = outage.counts(history), outage.lateness_p99(history)
    if not counts.sent:
        return CheckResult(Status.INVALID, "no request was sent")
    says = f"sent late by {seconds(late)} s (p99), {counts.dropped} of {counts.intended} dropped"
    impossible = outage.impossible(history)
    if impossible:
        return CheckResult(Status.INVALID, f"{says}, {impossible} of {counts.sent} answered before they were sent")
    spoilt = outage.spoilt(history)
    if spoilt:
        return CheckResult(Status.INVALID, f"{says}, {spoilt} of {counts.sent} bad only for being sent late")
    fine = late <= MOST_LATE and counts.dropped * MOST_DROPPED <= counts.intended
    return CheckResult(Status.PASS if fine else Status.INVALID, says)


def load_reached_its_rate(history: History) -> CheckResult:
    """Each service had 95 % of its planned arrivals, less what chance takes (three standard deviations of Poisson).

    And it was never silent for longer than the window in which degradation is judged: a load that stood still while
    the target did has not seen it. Chance leaves out twenty arrivals in a row once in five hundred million.
    """
    start = observed_from(history)
    span = observed_until(history) - start
    if span <= 0:
        return CheckResult(Status.INVALID, "nothing was observed")
    short, says, silent = False, [], []
    for service in outage.services(history):
        planned = service.rate * span / NS
        came, silence = surveyed(service).arrivals(start, start + span)
        short |= came == 0 or came < planned * LEAST_RATE / 100 - 3 * math.sqrt(planned)
        says.append(f"{service.name} {came} of {round(planned)}")
        if came and silence > outage.window(service.rate):
            silent.append(f"; nothing sent to {service.name} for {seconds(silence)} s")
    if not says:
        return CheckResult(Status.INVALID, "no service was to be asked")
    return CheckResult(
        Status.INVALID if short or silent else Status.PASS, "arrivals: " + ", ".join(says) + "".join(silent)
    )


def fault_really_happened(history: History) -> CheckResult:
    """Each planned fault was injected, a witness saw its effect, and the harness left it there as long as planned."""
    if not history.plan.injects:
        return CheckResult(Status.NOT_APPLICABLE, "this arm breaks nothing")
    records = [injection(history, fault.index) for fault in history.plan.faults]
    if not records:
        return CheckResult(Status.INVALID, "no fault was planned")
    unseen = [record for record in records if not (record.injected and record.witnessed)]
    short = [record for record in records if _was_cut_short(history, record)]
    others = [injection(history, index) for index in fault_indexes(history)[len(records) :]]
    bad = [*unseen, *short, *others]
    rows = dict.fromkeys(f"events:{index}" for record in bad or records for index in record.events)
    says = f"{len(records) - len(unseen)} of {len(records)} faults injected and witnessed"
    says += f", {len(short)} undone before the end" if short else ""
    says += f", {len(others)} that nobody planned" if others else ""
    return CheckResult(Status.INVALID if bad else Status.PASS, says, list(rows))


def _was_cut_short(history: History, record: Injection) -> bool:
    """A fault that was to stay until all was judged was taken away while the target was still being watched."""
    stays = any(fault.index == record.index and fault.lasts is None for fault in history.plan.faults)
    end = snapshot_at(history)
    return stays and record.undone_at is not None and end is not None and record.undone_at < end


def nothing_injected(history: History) -> CheckResult:
    """An arm without a fault really had none."""
    if history.plan.injects:
        return CheckResult(Status.NOT_APPLICABLE, "this arm has a fault")
    found = [event.index for event in events(history, "fault:", "inject")]
    says = f"{len(found)} injections in an arm without a fault" if found else "nothing was injected"
    return CheckResult(Status.INVALID if found else Status.PASS, says, [f"events:{index}" for index in found])


def runbook_not_followed(history: History) -> CheckResult | None:
    """Where a page was to be followed and was not, nothing is known of it; a false alarm has not even been one."""
    if history.plan.arm in NOBODY_ACTS or OPERATOR in history.run.not_offered:
        return None
    opened = next(events(history, "operator", "page", Kind.INVOKE), None)
    if opened is not None and steps(history):
        return None
    says = "nobody opened the page" if opened is None else "no step of the page was begun"
    rows = [] if opened is None else [f"events:{opened.index}"]
    return CheckResult(Status.UNKNOWN if history.plan.injects else Status.INVALID, says, rows)


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
