"""Service levels from raw samples: what was good, which bad requests are an outage, and how much service was lost.

A lone slow request is not an outage, and a partial outage is not noise. A bad request *degrades* its service when some
window of one second (or of twenty expected requests, where arrivals are sparser) that contains it holds at least two
bad requests and more than one in twenty are bad. On a shared machine one reply in some thousands comes late by itself;
two of twenty-five within a second do not. A steady partial outage below 5 % still trips the window now and then, so it
never holds good for long; and every single bad request, lone or not, is counted in the lost-service seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from drills.judge import survey
from drills.judge.interval import Interval
from drills.judge.service_level import Bools, ServiceSamples, Surveyed, code_of, surveyed
from drills.judge.survey import BAD, CLOSED, DEGRADED, SENT, Counts, Longs, Marks, Survey
from drills.judge.timeline import observed_until
from drills.record.columns import pieces
from drills.record.history import NS, History, Samples

__all__ = ["Bools", "Counts", "Longs", "ServiceSamples", "Surveyed"]

WINDOW = NS
"""Shortest window in which degradation is judged, ns."""
WINDOW_REQUESTS = 20
"""The window is widened until it is expected to hold this many requests."""
LEAST_BAD = 2
"""Bad requests in a window that make a degradation, if they are more than one in ``LEAST_SHARE``."""
LEAST_SHARE = 20


def services(history: History) -> Sequence[Surveyed]:
    """The planned services with the samples intended before the end of the observation, in the plan's order."""
    return _surveyed(history)[1]


def _surveyed(history: History) -> tuple[Survey, tuple[Surveyed, ...]]:
    plan = history.plan
    return _survey(history.samples, observed_until(history), plan.slo.latency, tuple(plan.services.items()))


@lru_cache(maxsize=1)
def _survey(
    samples: Samples, until: int, latency: int, rated: tuple[tuple[str, float], ...]
) -> tuple[Survey, tuple[Surveyed, ...]]:
    """Everybody who judges asks this of the same samples; the one run that is being judged is remembered."""
    found = survey.survey(samples, until, latency)
    for name, rate in rated:
        _mark_degraded(samples, found.marks, name, window(rate))
    return found, tuple(Surveyed(name, rate, samples, found.marks) for name, rate in rated)


def _mark_degraded(samples: Samples, marks: Marks, name: str, width: int) -> None:
    """Each piece is judged with the neighbours that share a window with it, so that no window is cut in two."""
    code = code_of(samples, name)
    for part in pieces(len(marks), samples.intended, samples.name):
        if not (marks[part] & BAD).any():
            continue
        ends = (samples.intended[part.start] - width, samples.intended[part.stop - 1] + width)
        low, high = (int(end) for end in np.searchsorted(samples.intended[: len(marks)], ends))
        near = slice(low, max(high, part.stop))
        mine = low + np.flatnonzero((marks[near] & SENT > 0) & (samples.name[near] == code))
        hit = mine[degraded(samples.intended[mine], marks[mine] & BAD > 0, width)]
        marks[hit[(hit >= part.start) & (hit < part.stop)]] |= DEGRADED


def window(rate: float) -> int:
    """In which degradation is judged at this rate, ns."""
    return max(WINDOW, round(WINDOW_REQUESTS * NS / rate)) if rate > 0 else WINDOW


def good(history: History) -> Bools:
    """Per sample: a reply, business rejects included, within the latency limit of its *intended* instant."""
    return survey.good(history.samples, slice(None), history.plan.slo.latency)


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


def impact(found: Sequence[ServiceSamples], after: int) -> Interval | None:
    """First degraded request intended at or after ``after``: [the request before it in its service, itself]."""
    firsts = [first for first in (_impact(surveyed(service), after) for service in found) if first is not None]
    return min(firsts, key=lambda interval: (interval.latest, interval.earliest), default=None)


def _impact(service: Surveyed, after: int) -> Interval | None:
    hit = service.first(DEGRADED, DEGRADED, service.row(after))
    if hit is None:
        return None
    before = service.last(0, 0, service.row(after), hit)
    return Interval(after if before is None else service.due(before), service.due(hit))


@dataclass(frozen=True, slots=True)
class Return:
    """How something that had been bad ended: ``disturbed`` whether it ever was; ``at`` when it was good for good."""

    disturbed: bool
    at: Interval | None


def return_of(found: Sequence[ServiceSamples], after: int) -> Return:
    """When every service was good for good: [last degraded request sent, first good reply after it].

    The *last* end of an outage counts. A service that came back, held and broke again before the observation ended
    was not restored when it first came back. ``at`` is None where some service had no good reply after its last bad.
    """
    ends = [end for end in (_return(surveyed(service), after) for service in found) if end.disturbed]
    known = [end.at for end in ends if end.at is not None]
    if not ends or len(known) < len(ends):
        return Return(bool(ends), None)
    return Return(True, Interval(max(i.earliest for i in known), max(i.latest for i in known)))


def _return(service: Surveyed, after: int) -> Return:
    last = service.last(DEGRADED, DEGRADED, service.row(after))
    if last is None:
        return Return(False, None)
    well = service.first(BAD, 0, last + 1)
    if well is None:
        return Return(True, None)
    done = service.answered(well)
    return Return(True, Interval(min(service.left(last), done), done))


def lateness_p99(history: History) -> int:
    """99th percentile (nearest rank) of how late requests were sent, ns; 0 where none was."""
    return _surveyed(history)[0].lateness_p99


def impossible(history: History) -> int:
    """Requests that were answered before they were sent."""
    return _surveyed(history)[0].impossible


def spoilt(history: History) -> int:
    """Requests that were answered too late only because the load had sent them so late."""
    return _surveyed(history)[0].spoilt


def were_asked(found: Sequence[ServiceSamples]) -> bool:
    """Whether each service was sent a request; of one that nobody asked nobody knows whether it was there."""
    return bool(found) and all(surveyed(service).count(0, None) for service in found)


def counts(history: History) -> Counts:
    """All rated services together."""
    return _surveyed(history)[0].counts


def lost_by_service(
    found: Sequence[ServiceSamples], since: int | None = None, closed_only: bool = False
) -> dict[str, int]:
    """Lost-service ns by service, of requests intended at or after ``since``; or of those closed by the operator."""
    mark = CLOSED if closed_only else BAD
    return {service.name: service.loss(surveyed(service).count(mark, since)) for service in found}
