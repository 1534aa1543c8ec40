"""Service levels from raw samples: what was good, which bad requests are an outage, and how much service was lost.

A lone slow request is not an outage, and a partial outage is not noise. A bad request *degrades* its service when some
window of one second (or of twenty expected requests, where arrivals are sparser) that contains it holds at least two
bad requests and more than one in twenty are bad. On a shared machine one reply in some thousands comes late by itself;
two of twenty-five within a second do not. A steady partial outage below 5 % still trips the window now and then, so it
never holds good for long; and every single bad request, lone or not, is counted in the lost-service seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from drills.columns import pieces
from drills.history import NS, History, Samples
from drills.judging import survey
from drills.judging.interval import Interval
from drills.judging.survey import BAD, CLOSED, DEGRADED, SENT, Counts, Marks, Survey
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


class Service:
    """One rated service's judged samples: equal-length columns sorted by intended, without those never sent.

    The columns are picked from the run's samples each time they are asked for, and not kept: a run may be longer than
    memory. What the judge itself asks goes through the marks piece by piece.
    """

    def __init__(
        self, name: str, rate: float, intended: Longs, sent: Longs, done: Longs, bad: Bools, closed: Bools,
        degraded: Bools,
    ) -> None:  # fmt: skip
        nothing = np.zeros(len(intended), np.uint8)
        marks = SENT * np.ones_like(nothing)
        for mask, bit in ((bad, BAD), (closed, CLOSED), (degraded, DEGRADED)):
            marks |= np.uint8(bit) * mask
        keys = np.zeros(len(intended), np.int64)
        self._look(name, rate, Samples(intended, sent, done, nothing, nothing, keys, (name,)), marks)

    @classmethod
    def of(cls, name: str, rate: float, samples: Samples, marks: Marks) -> Service:
        """The service ``name`` among samples of several, with their marks."""
        one = cls.__new__(cls)
        one._look(name, rate, samples, marks)
        return one

    def _look(self, name: str, rate: float, samples: Samples, marks: Marks) -> None:
        self.name, self.rate = name, rate
        self._samples, self._marks = samples, marks
        self._code = samples.names.index(name) if name in samples.names else NOBODY

    @property
    def intended(self) -> Longs:
        """When each was due to be sent, ns."""
        return self._pick(self._samples.intended)

    @property
    def sent(self) -> Longs:
        """When each was sent, ns; 0 where it was not."""
        return self._pick(self._samples.sent)

    @property
    def done(self) -> Longs:
        """When each was answered or given up, ns."""
        return self._pick(self._samples.done)

    @property
    def bad(self) -> Bools:
        """Which were no good."""
        return self._pick(self._marks) & BAD > 0

    @property
    def closed(self) -> Bools:
        """Which found the service closed by the operator."""
        return self._pick(self._marks) & CLOSED > 0

    @property
    def degraded(self) -> Bools:
        """Which belong to a degradation."""
        return self._pick(self._marks) & DEGRADED > 0

    def lost(self, mask: Bools) -> int:
        """Lost-service nanoseconds of the masked requests: N/rate, the discrete integral of the missing share."""
        return self.loss(int(np.count_nonzero(mask)))

    def loss(self, requests: int) -> int:
        """Lost-service nanoseconds of so many requests."""
        return round(requests * NS / self.rate) if self.rate > 0 else 0

    def at(self, row: int) -> int:
        """When the sample was due to be sent, ns."""
        return int(self._samples.intended[row])

    def left(self, row: int) -> int:
        """When it was sent, ns; where it was not, when it was due."""
        return max(int(self._samples.sent[row]), self.at(row))

    def answered(self, row: int) -> int:
        """When it was answered or given up, ns."""
        return int(self._samples.done[row])

    def count(self, mark: int, since: int | None) -> int:
        """How many carry the mark and were intended at or after ``since``."""
        return sum(len(rows) for rows in self._rows(mark, mark, self.row(since)))

    def row(self, since: int | None) -> int:
        """The first row of the samples, of whichever service, intended at or after ``since``."""
        return 0 if since is None else int(np.searchsorted(self._samples.intended[: len(self._marks)], since))

    def first(self, mark: int, value: int, start: int) -> int | None:
        """The first row from ``start`` on whose mark is ``value``."""
        return next((int(rows[0]) for rows in self._rows(mark, value, start) if len(rows)), None)

    def last(self, mark: int, value: int, start: int, end: int | None = None) -> int | None:
        """The last row from ``start`` on, before ``end``, whose mark is ``value``."""
        found = None
        for rows in self._rows(mark, value, start, end):
            found = int(rows[-1]) if len(rows) else found
        return found

    def _rows(self, mark: int, value: int, start: int, end: int | None = None) -> Iterator[npt.NDArray[np.intp]]:
        """Rows of this service's sent requests, piece by piece, in order."""
        end = len(self._marks) if end is None else end
        for part in pieces(end - start, self._samples.name):
            here = slice(start + part.start, start + part.stop)
            hit = self._marks[here] & (SENT | mark) == SENT | value
            yield start + part.start + np.flatnonzero(hit & (self._samples.name[here] == self._code))

    def _pick(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        marks, name = self._marks, self._samples.name
        kept = [
            column[part].take(np.flatnonzero((marks[part] & SENT > 0) & (name[part] == self._code)))
            for part in pieces(len(marks), column, name)  # row numbers: many times faster than a mask
        ]
        return np.concatenate([column[:0], *kept])


NOBODY = 255
"""The code of a service that has no samples."""


def services(history: History) -> list[Service]:
    """The planned services with the samples intended before the end of the observation, in the plan's order."""
    samples, marks = history.samples, _surveyed(history).marks
    return [Service.of(name, rate, samples, marks) for name, rate in history.plan.services.items()]


def _surveyed(history: History) -> Survey:
    plan = history.plan
    return _survey(history.samples, observed_until(history), plan.slo.latency, tuple(plan.services.items()))


@lru_cache(maxsize=1)
def _survey(samples: Samples, until: int, latency: int, rated: tuple[tuple[str, float], ...]) -> Survey:
    """Everybody who judges asks this of the same samples; the one run that is being judged is remembered."""
    found = survey.survey(samples, until, latency)
    for name, rate in rated:
        _mark_degraded(samples, found.marks, name, window(rate))
    return found


def _mark_degraded(samples: Samples, marks: Marks, name: str, width: int) -> None:
    """Each piece is judged with the neighbours that share a window with it, so that no window is cut in two."""
    code = samples.names.index(name) if name in samples.names else NOBODY
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


def impact(found: list[Service], after: int) -> Interval | None:
    """First degraded request intended at or after ``after``: [the request before it in its service, itself]."""
    firsts = [first for first in (_impact(service, after) for service in found) if first is not None]
    return min(firsts, key=lambda interval: (interval.latest, interval.earliest), default=None)


def _impact(service: Service, after: int) -> Interval | None:
    hit = service.first(DEGRADED, DEGRADED, service.row(after))
    if hit is None:
        return None
    before = service.last(0, 0, service.row(after), hit)
    return Interval(after if before is None else service.at(before), service.at(hit))


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
    return _surveyed(history).lateness_p99


def counts(history: History) -> Counts:
    """All rated services together."""
    return _surveyed(history).counts


def lost_by_service(found: list[Service], since: int | None = None, closed_only: bool = False) -> dict[str, int]:
    """Lost-service ns by service, of requests intended at or after ``since``; or of those closed by the operator."""
    mark = CLOSED if closed_only else BAD
    return {service.name: service.loss(service.count(mark, since)) for service in found}
