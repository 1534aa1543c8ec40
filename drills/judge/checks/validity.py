"""Standing checks: can this run judge at all? A run that cannot is invalid, in words, and never a pass."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from drills.judge import outage
from drills.judge.check import Check, because
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
    opened_right,
    snapshot_at,
    steps_of,
)
from drills.record.arm import NOBODY_ACTS
from drills.record.columns import pieces
from drills.record.history import NS, CheckResult, Event, History, Kind, Reason, Status
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
STEPPED = "load-step"
LEAST_OVER, MOST_USUAL = 2.0, 0.8
"""Of what the target takes: as often the stepped-up load must be that, and no larger a part of it the usual load."""
LONGEST_ID = 8
"""Digits of a row's id: the load counts its rows, and a journal of more would not fit into memory."""
GOOD_BEFORE = 99
"""Per cent of the baseline's requests that must have been served well, as the gate asks."""


def run_ended(history: History) -> CheckResult:
    """The run came to an end of its own, and the end stands on record."""
    end = history.run.end
    if end is None:
        return because(Status.INVALID, "end.none")
    status = Status.PASS if end.reason in COMPLETE else Status.INVALID
    if end.says:
        return because(status, "end.with-words", how=end.reason, words=end.says)
    return because(status, "end", how=end.reason)


def history_whole(history: History) -> CheckResult:
    """All of the history can be read, and its events are numbered without a gap."""
    damage = list(history.damage)
    gaps = [n for n, event in enumerate(history.events) if event.index != n]
    if gaps:
        damage.append(Reason("damage.event-gap", {"index": gaps[0]}))
    garbled = [n for n, event in enumerate(history.events) if not is_stamped_well(event)]
    if garbled:
        damage.append(Reason("damage.event-stamps", {"n": len(garbled)}))
    if not history.events:
        damage.append(Reason("damage.no-events"))
    damage += _unknown_to_customers(history)
    if damage:
        rows = [f"events:{n}" for n in (*gaps[:1], *garbled[:1])]
        return CheckResult(Status.INVALID, reasons=damage, evidence=rows)
    return because(Status.PASS, "history.whole", events=len(history.events), samples=len(history.samples))


def _unknown_to_customers(history: History) -> Iterator[Reason]:
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
        sent = int(np.count_nonzero(outcomes != DROPPED))
        yield Reason("damage.requests-without-row", {"n": lost, "of": sent})


def one_clock(history: History) -> CheckResult:
    """Wall clock and monotonic clock ran in step, so stamps of outsiders can be placed."""
    offsets = list(history.run.clock.values())
    if len(offsets) < 2:
        return because(Status.UNKNOWN, "clock.not-recorded")
    jump = max(offsets) - min(offsets)
    return because(Status.PASS if jump <= CLOCK_JUMP else Status.INVALID, "clock.moved", seconds=seconds(jump))


def baseline_good(history: History) -> CheckResult:
    """Service was good before anything was broken."""
    bad = list(events(history, "runner", "baseline", Kind.FAIL))
    good = list(events(history, "runner", "baseline", Kind.OK))
    if bad or not good:
        reasons = [Reason("baseline.bad"), *_gate_said(bad[0])] if bad else [Reason("baseline.none")]
        return CheckResult(Status.INVALID, reasons=reasons, evidence=[f"events:{event.index}" for event in bad])
    poor = list(_poorly_served(history, observed_from(history), good[0].t - history.plan.slo.latency))
    if poor:
        return CheckResult(Status.INVALID, reasons=[Reason("baseline.bad"), *poor])
    return because(Status.PASS, "baseline.good")


def _gate_said(event: Event) -> Iterator[Reason]:
    """What the gate saw that nothing was to be injected into, as far as it is on record."""
    shares: Mapping[str, float | None] = event.data.get("good") or {}
    silent = {name for name, share in shares.items() if share is None} | set(event.data.get("stalled") or ())
    for name, share in shares.items():
        if share is not None and share * 100 < GOOD_BEFORE:
            yield Reason("baseline.share", {"service": name, "percent": round(share * 100, 1)})
    if silent:
        yield Reason("baseline.silent", {"services": sorted(silent)})
    if event.data.get("alerts"):
        yield Reason("baseline.alerts", {"rules": list(event.data["alerts"])})


def _poorly_served(history: History, start: int, end: int) -> Iterator[Reason]:
    """What the gate can only ask for in passing, asked of all samples: each service's share of good requests."""
    for service in outage.services(history):
        came, bad = (surveyed(service).count(mark, start, end) for mark in (0, BAD))
        if (came - bad) * 100 < came * GOOD_BEFORE:
            yield Reason("baseline.served", {"service": service.name, "good": came - bad, "of": came})


def load_on_time(history: History) -> CheckResult:
    """Requests left when they were meant to, and hardly any was dropped for want of an idle customer.

    A generator that stood still for a moment of a long run hardly shows in a percentile; the requests that were bad for
    it do, and would be counted against the target.
    """
    counts, late = outage.counts(history), outage.lateness_p99(history)
    if not counts.sent:
        return because(Status.INVALID, "load.nothing-sent")
    found = [
        Reason("load.late", {"seconds": seconds(late)}),
        Reason("load.dropped", {"n": counts.dropped, "of": counts.intended}),
    ]
    impossible, spoilt = outage.impossible(history), outage.spoilt(history)
    if impossible:
        found.append(Reason("load.answered-before-sent", {"n": impossible, "of": counts.sent}))
    elif spoilt:
        found.append(Reason("load.bad-for-being-late", {"n": spoilt, "of": counts.sent}))
    fine = late <= MOST_LATE and counts.dropped * MOST_DROPPED <= counts.intended and len(found) == 2
    return CheckResult(Status.PASS if fine else Status.INVALID, reasons=found)


def load_reached_its_rate(history: History) -> CheckResult:
    """Each service had 95 % of its planned arrivals, less what chance takes (three standard deviations of Poisson).

    And it was never silent for longer than the window in which degradation is judged: a load that stood still while
    the target did has not seen it. Chance leaves out twenty arrivals in a row once in five hundred million.
    """
    start = observed_from(history)
    span = observed_until(history) - start
    if span <= 0:
        return because(Status.INVALID, "load.nothing-observed")
    short, found = False, list[Reason]()
    for service in outage.services(history):
        planned = service.rate * span / NS
        came, silence = surveyed(service).arrivals(start, start + span)
        short |= came == 0 or came < planned * LEAST_RATE / 100 - 3 * math.sqrt(planned)
        found.append(Reason("load.arrivals", {"service": service.name, "came": came, "planned": round(planned)}))
        if came and silence > outage.window(service.rate):
            short = True
            found.append(Reason("load.silence", {"service": service.name, "seconds": seconds(silence)}))
    if not found:
        return because(Status.INVALID, "load.no-service")
    return CheckResult(Status.INVALID if short else Status.PASS, reasons=found)


def load_over_capacity(history: History) -> CheckResult:
    """Where a fault is a load stepped up: it is far more than what the target was measured to take, and the usual load
    is less. Otherwise the machine decided what broke, or nothing did."""
    if all(fault.kind != STEPPED for fault in history.plan.faults):
        return because(Status.NOT_APPLICABLE, "capacity.no-step")
    found = list(events(history, "runner", "capacity"))
    if not found:
        return because(Status.INVALID, "capacity.not-measured")
    reasons, off, told = [], False, False
    for event in found:
        takes, usual, most = (event.data.get(name) for name in ("per_s", "usual_per_s", "most_per_s"))
        if takes is None:
            reasons.append(Reason("capacity.not-told", {"service": str(event.data["service"])}))
            continue
        told = True
        off |= most < takes * LEAST_OVER or usual > takes * MOST_USUAL
        rates = {"takes": round(takes, 1), "usual": usual, "most": most}
        reasons.append(Reason("capacity.rates", {"service": str(event.data["service"]), **rates}))
    status = Status.INVALID if off else Status.PASS if told else Status.NOT_APPLICABLE
    return CheckResult(status, reasons=reasons, evidence=[f"events:{each.index}" for each in found])


def fault_really_happened(history: History) -> CheckResult:
    """Each planned fault was injected, a witness saw its effect, and the harness left it there as long as planned."""
    if not history.plan.injects:
        return because(Status.NOT_APPLICABLE, "arm.breaks-nothing")
    records = [injection(history, fault.index) for fault in history.plan.faults]
    if not records:
        return because(Status.INVALID, "fault.none-planned")
    unseen = [record for record in records if not (record.injected and record.witnessed)]
    short = [record for record in records if _was_cut_short(history, record)]
    others = [injection(history, index) for index in fault_indexes(history)[len(records) :]]
    bad = [*unseen, *short, *others]
    rows = dict.fromkeys(f"events:{index}" for record in bad or records for index in record.events)
    found = [Reason("fault.verified", {"n": len(records) - len(unseen), "of": len(records)})]
    found += [Reason("fault.undone-early", {"n": len(short)})] if short else []
    found += [Reason("fault.unplanned", {"n": len(others)})] if others else []
    return CheckResult(Status.INVALID if bad else Status.PASS, reasons=found, evidence=list(rows))


def _was_cut_short(history: History, record: Injection) -> bool:
    """A fault that was to stay until all was judged was taken away while the target was still being watched."""
    stays = any(fault.index == record.index and fault.lasts is None for fault in history.plan.faults)
    end = snapshot_at(history)
    return stays and record.undone_at is not None and end is not None and record.undone_at < end


def nothing_injected(history: History) -> CheckResult:
    """An arm without a fault really had none."""
    if history.plan.injects:
        return because(Status.NOT_APPLICABLE, "arm.has-a-fault")
    found = [event.index for event in events(history, "fault:", "inject")]
    if found:
        return because(Status.INVALID, "fault.in-control", [f"events:{index}" for index in found], n=len(found))
    return because(Status.PASS, "fault.none-injected")


def runbook_not_followed(history: History) -> CheckResult | None:
    """Where a runbook was to be followed and was not, nothing is known of it; a false alarm has not even been one."""
    if history.plan.arm in NOBODY_ACTS or OPERATOR in history.run.unsupported:
        return None
    opened = opened_right(history)
    if opened is not None and steps_of(history, opened):
        return None
    why = "runbook.not-opened" if opened is None else "runbook.not-begun"
    rows = [] if opened is None else [f"events:{opened.index}"]
    return because(Status.UNKNOWN if history.plan.injects else Status.INVALID, why, rows)


CHECKS = (
    Check("run-ended", "", (), True, run_ended),
    Check("history-whole", "", (), True, history_whole),
    Check("one-clock", "", (), True, one_clock),
    Check("baseline-good", "", (), True, baseline_good),
    Check("fault-really-happened", "", (), True, fault_really_happened),
    Check("nothing-injected", "", (), True, nothing_injected),
    Check("load-on-time", "", (), True, load_on_time),
    Check("load-reached-its-rate", "", (), True, load_reached_its_rate),
    Check("load-over-capacity", "", (), True, load_over_capacity),
)
