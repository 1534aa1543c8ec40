"""Service levels from raw samples: what was good, which bad requests are an outage, and how much service was lost.

A lone slow request is not an outage, and a partial outage is not noise. A bad request *degrades* its service when some
window of one second (or of twenty expected requests, where arrivals are sparser) that contains it holds at least two
bad requests and more than one in twenty are bad. On a shared machine one reply in some thousands comes late by itself;
two of twenty-five within a second do not. A steady partial outage below 5 % still trips the window now and then, so it
never holds good for long; and every single bad request, lone or not, is counted in the lost-service seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drills.history import NS, OUTCOMES, History, Outcome
from drills.judging.interval import Interval
from drills.judging.timeline import observed_until

WINDOW = NS
"""Shortest window in which degradation is judged, ns."""
WINDOW_REQUESTS = 20
"""The window is widened until it is expected to hold this many requests."""
LEAST_BAD = 2
"""Bad requests in a window that make a degradation, if they are more than one in ``LEAST_SHARE``."""
LEAST_SHARE = 20

Bools = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Service:
    """One rated service's judged samples: equal-length columns sorted by intended, without those never sent."""

    name: str
    rate: float
    intended: Longs
    sent: Longs
    done: Longs
    bad: Bools
    closed: Bools
    degraded: Bools

    def lost(self, mask: Bools) -> int:
        """Lost-service nanoseconds of the masked requests: N/rate, the discrete integral of the missing share."""
        return round(int(np.count_nonzero(mask)) * NS / self.rate) if self.rate > 0 else 0


def services(history: History) -> list[Service]:
    """The planned services with the samples intended before the end of the observation, in the plan's order."""
    return [_service(history, name, rate) for name, rate in history.plan.services.items()]


def _service(history: History, name: str, rate: float) -> Service:
    samples = history.samples
    code = samples.names.index(name) if name in samples.names else 255
    sent = samples.outcome != OUTCOMES.index(Outcome.DROPPED)
    mine = (samples.name == code) & sent & (samples.intended < observed_until(history))
    bad = ~good(history)[mine]
    intended = samples.intended[mine]
    return Service(
        name=name,
        rate=rate,
        intended=intended,
        sent=samples.sent[mine],
        done=samples.done[mine],
        bad=bad,
        closed=samples.outcome[mine] == OUTCOMES.index(Outcome.CLOSED),
        degraded=degraded(intended, bad, window(rate)),
    )


def window(rate: float) -> int:
    """In which degradation is judged at this rate, ns."""
    return max(WINDOW, round(WINDOW_REQUESTS * NS / rate)) if rate > 0 else WINDOW


def good(history: History) -> Bools:
    """Per sample: a reply, business rejects included, within the latency limit of its *intended* instant."""
    samples = history.samples
    answered = np.isin(samples.outcome, [OUTCOMES.index(Outcome.OK), OUTCOMES.index(Outcome.REJECT)])
    in_time = (samples.done - samples.intended) <= history.plan.slo.latency
    return np.asarray(answered & (samples.done > 0) & in_time, dtype=np.bool_)


def degraded(intended: Longs, bad: Bools, window: int) -> Bools:
    """Which bad samples belong to a degradation (see above); ``intended`` sorted, ``window`` in ns."""
    starts = np.flatnonzero(bad)
    ends = np.searchsorted(intended, intended[starts] + window, side="left")
    upto = np.concatenate([[0], np.cumsum(bad)])
    count = upto[ends] - upto[starts]
    trips = (count >= LEAST_BAD) & (count * LEAST_SHARE > ends - starts)
    cover = np.zeros(len(intended) + 1, np.int64)
    np.add.at(cover, starts[trips], 1)
    np.add.at(cover, ends[trips], -1)
    return np.asarray(bad & (np.cumsum(cover)[:-1] > 0), dtype=np.bool_)


def impact(found: list[Service], after: int) -> Interval | None:
    """First degraded request intended at or after ``after``: [the request before it in its service, itself]."""
    firsts = [first for first in (_impact(service, after) for service in found) if first is not None]
    return min(firsts, key=lambda interval: (interval.latest, interval.earliest), default=None)


def _impact(service: Service, after: int) -> Interval | None:
    hits = np.flatnonzero(service.degraded & (service.intended >= after))
    if len(hits) == 0:
        return None
    at = int(hits[0])
    before = int(service.intended[at - 1]) if at else after
    return Interval(max(before, after), int(service.intended[at]))


@dataclass(frozen=True, slots=True)
class Return:
    """How something that had been bad ended: ``disturbed`` whether it ever was; ``at`` when it was good for good."""

    disturbed: bool
    at: Interval | None


def return_of(found: list[Service], after: int) -> Return:
    """When every service was good for good: [last degraded request sent, first good reply after it].

    The *last* end of an outage counts. A service that came back, held and broke again before the observation ended
    was not restored when it first came back. ``at`` is None where some service had no good reply after its last bad.
    """
    ends = [end for end in (_return(service, after) for service in found) if end.disturbed]
    known = [end.at for end in ends if end.at is not None]
    if not ends or len(known) < len(ends):
        return Return(bool(ends), None)
    return Return(True, Interval(max(i.earliest for i in known), max(i.latest for i in known)))


def _return(service: Service, after: int) -> Return:
    hits = np.flatnonzero(service.degraded & (service.intended >= after))
    if len(hits) == 0:
        return Return(False, None)
    last = int(hits[-1])
    goods = np.flatnonzero(~service.bad[last + 1 :])
    if len(goods) == 0:
        return Return(True, None)
    sent = max(int(service.sent[last]), int(service.intended[last]))
    done = int(service.done[last + 1 + int(goods[0])])
    return Return(True, Interval(min(sent, done), done))


def lateness_p99(history: History) -> int:
    """99th percentile (nearest rank) of how late requests were sent, ns; 0 where none was."""
    samples = history.samples
    was_sent = (samples.sent > 0) & (samples.intended < observed_until(history))
    late = np.sort(np.maximum(samples.sent[was_sent] - samples.intended[was_sent], 0))
    return int(late[-(-99 * len(late) // 100) - 1]) if len(late) else 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests of the observation: ``sent`` = ``good`` + ``bad`` + ``indeterminate``; ``dropped`` were never sent."""

    intended: int
    sent: int
    good: int
    bad: int
    indeterminate: int
    dropped: int


def counts(history: History) -> Counts:
    """All rated services together."""
    samples = history.samples
    judged = samples.intended < observed_until(history)
    outcome = samples.outcome[judged]
    ok = good(history)[judged]
    dropped = outcome == OUTCOMES.index(Outcome.DROPPED)
    unsure = np.isin(outcome, [OUTCOMES.index(Outcome.TIMEOUT), OUTCOMES.index(Outcome.UNKNOWN)])
    total, fell, fine, open_ = (int(np.count_nonzero(mask)) for mask in (judged, dropped, ok, unsure))
    return Counts(total, total - fell, fine, total - fell - fine - open_, open_, fell)


def lost_by_service(found: list[Service], since: int | None = None, closed_only: bool = False) -> dict[str, int]:
    """Lost-service ns by service, of requests intended at or after ``since``; or of those closed by the operator."""
    lost: dict[str, int] = {}
    for service in found:
        mask = service.closed if closed_only else service.bad
        lost[service.name] = service.lost(mask if since is None else mask & (service.intended >= since))
    return lost
