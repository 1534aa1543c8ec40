"""Total outages: how long nobody was served at all, from the last good answer before to the first good one after.

A blackout is a time between two successive good answers in which at least ``LEAST`` requests were sent, and some were
bad. Its length is taken from the answers and not from the bad requests: what came in the last ``tau`` of a stall is
answered late but in time, and counted from bad requests alone every stall would be short by ``tau``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drills.judge.interval import Interval
from drills.judge.outage import LEAST_BAD, Bools, Longs, ServiceSamples
from drills.record.history import NS

LEAST = 10
"""Requests without a good answer among them that make a blackout; fewer are a slow moment."""


@dataclass(frozen=True, slots=True)
class Blackout:
    """One total outage, in ns: brackets of its two instants, and the best word on its length.

    ``end`` and ``length`` are None where it lasted to the last request. ``requests`` were sent into it, ``lost`` of
    them were bad.
    """

    start: Interval
    end: Interval | None
    length: int | None
    requests: int
    lost: int


def blackouts(service: ServiceSamples, least: int = LEAST) -> list[Blackout]:
    """Every total outage of a service, in order. What was bad from the first request on has no start, and is none."""
    answers = np.sort(service.done[_good(service)])
    gaps, lost = np.unique(np.searchsorted(answers, service.intended[service.bad], side="right"), return_counts=True)
    found = [_blackout(service, answers, int(gap)) for gap in gaps[(gaps > 0) & (lost >= LEAST_BAD)]]
    return [one for one in found if one.requests >= least]


def _good(service: ServiceSamples) -> Longs:
    return np.flatnonzero(~service.bad & (service.done > 0))


def _blackout(service: ServiceSamples, answers: Longs, gap: int) -> Blackout:
    before = int(answers[gap - 1])
    after = int(answers[gap]) if gap < len(answers) else None
    into = service.intended >= before
    if after is not None:
        into &= service.intended < after
    took = _ordinary(service, before)
    start = _start(service, before, int(service.intended[into & service.bad].min()), took)
    counts = int(np.count_nonzero(into)), int(np.count_nonzero(into & service.bad))
    if after is None:
        return Blackout(start, None, None, *counts)
    spacing = round(NS / service.rate) if service.rate > 0 else 0
    return Blackout(start, _end(service, into, after, took), max(after - before - spacing, 0), *counts)


def _ordinary(service: ServiceSamples, before: int) -> int:
    """How long an answer may take where all is well, ns: twice the 99th percentile (nearest rank) up to ``before``."""
    good = _good(service)
    past = good[service.done[good] <= before]
    took = np.sort(service.done[past] - service.sent[past])
    return 2 * int(took[-(-99 * len(took) // 100) - 1])


def _start(service: ServiceSamples, before: int, first: int, took: int) -> Interval:
    """From the sending of the last request answered well to that of the first that was not, and an answer's time more.

    A request that was on its way when a stall began had been sent before it: hence the time that an answer takes.
    """
    good = _good(service)
    past = good[service.done[good] <= before]
    late = int(service.sent[past].max())
    return Interval(min(late, first), max(before, first) + took)


def _end(service: ServiceSamples, into: Bools, after: int, took: int) -> Interval:
    """From the sending of the last request that was held up or lost to the first good answer.

    One sent within an answer's time before that answer may be held up by the backlog alone, and shows nothing.
    """
    held = into & ~service.bad & (service.done - service.sent > took) & (service.sent <= after - took)
    shown = service.sent[held | (into & service.bad)]
    return Interval(min(int(shown.max()), after), after)
