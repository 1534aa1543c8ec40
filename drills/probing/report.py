"""What a measurement showed, as it is printed and as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from drills.judge.interval import Interval
from drills.probing.meter import Meter
from drills.probing.outages import Limits, Outage, latencies, lateness_p99, outages
from drills.probing.samples import Ended
from drills.record.history import NS

SCHEMA = "kunren.probe/1"
LATEST_NS, LEAST_NS = 5_000_000, 2_000_000
"""Requests may leave so late at most (99 %), or as late as two of them lie apart; but nobody is asked for less."""

NAMES = ("p50", "p99", "max")

Verdict = Literal["no-outage", "outages", "cannot-judge"]
Span = tuple[float, float | None]
"""Seconds, at least and at most; None: it had not ended."""


class FoundOutage(msgspec.Struct, frozen=True):
    """One outage. ``start`` and ``end`` in seconds since the first request was due, each the earliest and the latest.

    ``from_the_first``: no request before it was answered well, so nobody knows when it began.
    """

    start: tuple[float, float]
    end: tuple[float, float] | None
    duration: Span
    kind: str
    partial: bool
    bad: int
    of: int
    lost_service_s: float
    from_the_first: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of a measurement. Latencies in ms, from when a request was due; ``why`` it cannot judge, if so."""

    schema: str
    url: str
    started: str
    rate: float
    seconds: float
    requests: int
    verdict: Verdict
    why: str
    outages: list[FoundOutage]
    lost_service_s: float
    latency_ms: dict[str, float] | None
    lateness_p99_ms: float
    ended: dict[str, int]
    statuses: dict[str, int]
    words: dict[str, str]
    moved: list[tuple[float, str]]
    sent_again: int


def report(meter: Meter, slow: int) -> Report:
    """Of what was measured so far; an answer later than ``slow`` (ns) after it was due counts as bad."""
    samples, plan = meter.taken(), meter.plan
    found = outages(samples, Limits(slow, plan.step))
    late, took = lateness_p99(samples), latencies(samples)
    allowed = max(LEAST_NS, min(plan.step, LATEST_NS))
    why = f"requests left {late / 1e6:.1f} ms late (p99), at most {allowed / 1e6:g} ms" if late > allowed else ""
    if not len(samples):
        why = "nothing was sent"
    span = int(samples.due[-1] - samples.due[0]) + plan.step if len(samples) else 0
    listed = [_found(each, meter.began, meter.began + span) for each in found]
    return Report(
        schema=SCHEMA,
        url=meter.where.url,
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        rate=plan.rate,
        seconds=_seconds(span),
        requests=len(samples),
        verdict="cannot-judge" if why else "outages" if listed else "no-outage",
        why=why,
        outages=listed,
        lost_service_s=_seconds(sum(each.lost for each in found)),
        latency_ms=None
        if took is None
        else dict(zip(("p50", "p99", "max"), (each / 1e6 for each in took), strict=True)),
        lateness_p99_ms=late / 1e6,
        ended={how.word: n for how in Ended if (n := int((samples.how == how).sum()))},
        statuses={str(status): n for status, n in sorted(meter.seen.statuses.items())},
        words={how.word: says for how, says in meter.seen.words.items() if says},
        moved=[(_seconds(at - meter.began), hosts) for at, hosts in meter.seen.moved],
        sent_again=meter.seen.sent_again,
    )


def _found(outage: Outage, began: int, ended: int) -> FoundOutage:
    lasted = outage.lasted
    open_ = (_seconds(max(0, ended - outage.start.latest)), None)
    return FoundOutage(
        start=_instants(outage.start, began),
        end=None if outage.end is None else _instants(outage.end, began),
        duration=open_ if lasted is None else (_seconds(lasted.earliest), _seconds(lasted.latest)),
        kind=outage.kind,
        partial=outage.partial,
        bad=outage.bad,
        of=outage.of,
        lost_service_s=_seconds(outage.lost),
        from_the_first=outage.at_once,
    )


def _instants(interval: Interval, began: int) -> tuple[float, float]:
    return _seconds(interval.earliest - began), _seconds(interval.latest - began)


def _seconds(ns: int) -> float:
    return round(ns / NS, 6)
