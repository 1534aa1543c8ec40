"""One rated service's part of the samples: as columns of its own, or looked at among all samples of a long run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drills.judge.survey import BAD, CLOSED, DEGRADED, SENT, Longs, Marks
from drills.record.columns import pieces
from drills.record.history import NS, Samples

Bools = npt.NDArray[np.bool_]

NOBODY = 255
"""The code of a service that has no samples."""


@dataclass(frozen=True, slots=True)
class ServiceSamples:
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
        return self.loss(int(np.count_nonzero(mask)))

    def loss(self, requests: int) -> int:
        """Lost-service nanoseconds of so many requests."""
        return round(requests * NS / self.rate) if self.rate > 0 else 0


class Surveyed(ServiceSamples):
    """A service among the samples of several, with the survey's marks on them.

    A run may be longer than memory, so its columns of instants are picked from the samples each time they are asked
    for, and not kept; what the judge itself asks, by row of the samples, goes through the marks piece by piece.
    """

    __slots__ = ("_code", "_marks", "_masks", "_samples")
    _code: int
    _masks: dict[int, Bools]
    _marks: Marks
    _samples: Samples

    def __init__(self, name: str, rate: float, samples: Samples, marks: Marks) -> None:
        own = {"_samples": samples, "_marks": marks, "_masks": {}, "_code": code_of(samples, name)}
        for field, value in {"name": name, "rate": rate, **own}.items():
            object.__setattr__(self, field, value)  # it is as frozen as what it stands for

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
        return self._mask(BAD)

    @property
    def closed(self) -> Bools:
        """Which found the service closed by the operator."""
        return self._mask(CLOSED)

    @property
    def degraded(self) -> Bools:
        """Which belong to a degradation."""
        return self._mask(DEGRADED)

    def due(self, row: int) -> int:
        """When the sample was due to be sent, ns."""
        return int(self._samples.intended[row])

    def left(self, row: int) -> int:
        """When it was sent, ns; where it was not, when it was due."""
        return max(int(self._samples.sent[row]), self.due(row))

    def answered(self, row: int) -> int:
        """When it was answered or given up, ns."""
        return int(self._samples.done[row])

    def row(self, since: int | None) -> int:
        """The first row of the samples, of whichever service, intended at or after ``since``."""
        return 0 if since is None else int(np.searchsorted(self._samples.intended[: len(self._marks)], since))

    def count(self, mark: int, since: int | None, until: int | None = None) -> int:
        """How many carry the mark (0: all that were sent) and were intended in [``since``, ``until``)."""
        end = None if until is None else self.row(until)
        return sum(len(rows) for rows in self._rows(mark, mark, self.row(since), end))

    def arrivals(self, start: int, end: int) -> tuple[int, int]:
        """How many requests were due in [``start``, ``end``), and the longest time in it without any, ns."""
        came, longest, last = 0, 0, start
        for rows in self._rows(0, 0, self.row(start), self.row(end)):
            if len(rows):
                due = self._samples.intended.take(rows)
                longest = max(longest, int(due[0]) - last, int(np.diff(due).max(initial=0)))
                came, last = came + len(due), int(due[-1])
        return came, max(longest, end - last)

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

    def _mask(self, mark: int) -> Bools:
        if mark not in self._masks:
            self._masks[mark] = self._pick(self._marks) & mark > 0
        return self._masks[mark]

    def _pick(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        marks, name = self._marks, self._samples.name
        kept = [
            column[part].take(np.flatnonzero((marks[part] & SENT > 0) & (name[part] == self._code)))
            for part in pieces(len(marks), column, name)  # row numbers: many times faster than a mask
        ]
        return np.concatenate([column[:0], *kept])


def surveyed(service: ServiceSamples) -> Surveyed:
    """The same, to be asked by row; columns of its own get the marks that they say."""
    if isinstance(service, Surveyed):
        return service
    nothing = np.zeros(len(service.intended), np.uint8)
    keys = np.zeros(len(nothing), np.int64)
    samples = Samples(service.intended, service.sent, service.done, nothing, nothing, keys, (service.name,))
    marks = np.full_like(nothing, SENT)
    for mask, mark in ((service.bad, BAD), (service.closed, CLOSED), (service.degraded, DEGRADED)):
        marks[mask] |= mark
    return Surveyed(service.name, service.rate, samples, marks)


def code_of(samples: Samples, name: str) -> int:
    """The code of a service in the samples; NOBODY where it has none."""
    return samples.names.index(name) if name in samples.names else NOBODY
