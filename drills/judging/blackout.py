"""Total outages: how long nobody was served at all, from the last good answer before to the first good one after.

A blackout is a time between two good answers in which at least ``LEAST`` requests were sent and all of them were bad.
Its length is taken from the answers, not from the bad requests: a service that stalls answers late but in time what
came in the last ``tau`` of the stall, and counted from bad requests alone every stall would be short by ``tau``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drills.history import NS
from drills.judging.interval import Interval
from drills.judging.outage import Longs, Service

LEAST = 10
"""Bad requests without a good answer among them that make a blackout; fewer are a slow moment."""


@dataclass(frozen=True, slots=True)
class Blackout:
    """One total outage. ``start`` and ``end`` bracket its two instants, ``length`` is the best word on its duration.

    All in ns. ``end`` and ``length`` are None while it lasts; ``requests`` were sent into it and lost.
    """

    start: Interval
    end: Interval | None
    length: int | None
    requests: int


def blackouts(service: Service, least: int = LEAST) -> list[Blackout]:
    """Every total outage of a service, in order. What was bad from the first request on has no start, and is none."""
    good = ~service.bad & (service.done > 0)
    answers = np.sort(service.done[good])
    lost = np.flatnonzero(service.bad)
    gaps = np.searchsorted(answers, service.intended[lost], side="right")
    found = []
    for gap in np.unique(gaps):
        mine = lost[gaps == gap]
        if gap > 0 and len(mine) >= least:
            found.append(_blackout(service, answers, int(gap), mine))
    return found


def _blackout(service: Service, answers: Longs, gap: int, mine: Longs) -> Blackout:
    before = int(answers[gap - 1])
    start = _start(service, before, mine)
    last = int(np.maximum(service.sent[mine], service.intended[mine]).max())
    if gap == len(answers):
        return Blackout(start, None, None, len(mine))
    after = int(answers[gap])
    spacing = round(NS / service.rate) if service.rate > 0 else 0
    return Blackout(start, Interval(min(last, after), after), max(after - before - spacing, 0), len(mine))


def _start(service: Service, before: int, mine: Longs) -> Interval:
    """From the sending of the last request answered well to that of the first that was not, and an answer's time more.

    A request that was on its way when a stall began was sent before it: hence the time that an answer takes.
    """
    fine = ~service.bad & (service.done > 0) & (service.done <= before)
    sent = np.maximum(service.sent, service.intended)
    took = np.sort(service.done[fine] - service.intended[fine])
    ordinary = int(took[-(-99 * len(took) // 100) - 1])
    first = int(np.minimum(service.intended[mine], sent[mine]).min())
    return Interval(min(int(sent[fine].max()), first), max(before, first) + ordinary)
