"""One pass over all samples: a byte of marks for each, the counts, and how late requests were sent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drills.record.columns import PIECE, pieces
from drills.record.history import OUTCOMES, RequestOutcome, Samples

SENT, BAD, CLOSED, DEGRADED = 1, 2, 4, 8
"""Marks: it was sent at all; it was no good; the operator had closed the service; it belongs to a degradation."""

Longs = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint8]

OK, REJECT, SHUT, DROPPED, TIMEOUT, UNKNOWN = (
    OUTCOMES.index(outcome)
    for outcome in (
        RequestOutcome.OK, RequestOutcome.REJECT, RequestOutcome.CLOSED, RequestOutcome.DROPPED,
        RequestOutcome.TIMEOUT, RequestOutcome.UNKNOWN,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests of the observation: ``sent`` = ``good`` + ``bad`` + ``indeterminate``; ``dropped`` were never sent."""

    intended: int
    sent: int
    good: int
    bad: int
    indeterminate: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Survey:
    """``marks`` of the samples intended before the end, their ``counts``, and the lateness (p99, ns).

    ``impossible`` counts answers that came before their requests were sent; ``spoilt`` those that were too late only
    because half or more of the time that they may take had gone by when the load sent the request.
    """

    marks: Marks
    counts: Counts
    lateness_p99: int
    impossible: int
    spoilt: int


def good(samples: Samples, part: slice, latency: int) -> npt.NDArray[np.bool_]:
    """Per sample of ``part``: a reply, rejects included, within ``latency`` ns of its *intended* instant."""
    outcome, done = samples.outcome[part], samples.done[part]
    answered = (outcome == OK) | (outcome == REJECT)
    return np.asarray(answered & (done > 0) & (done - samples.intended[part] <= latency), dtype=np.bool_)


def survey(samples: Samples, until: int, latency: int) -> Survey:
    """Go once through the samples intended before ``until`` (ns); DEGRADED is left to who knows the services."""
    rows = int(np.searchsorted(samples.intended, until, side="left"))
    marks = np.zeros(rows, np.uint8)
    latest = Latest(rows // 100 + 1)
    fell = fine = unsure = impossible = spoilt = 0
    for part in pieces(rows, samples.intended, samples.sent, samples.done, samples.outcome):
        outcome, well = samples.outcome[part], good(samples, part, latency)
        sent = outcome != DROPPED
        marks[part] = sent * np.uint8(SENT)
        marks[part] |= (sent & ~well) * np.uint8(BAD)
        marks[part] |= (outcome == SHUT) * np.uint8(CLOSED)
        fine += int(np.count_nonzero(well))
        fell += len(sent) - int(np.count_nonzero(sent))
        unsure += int(np.count_nonzero(outcome == TIMEOUT)) + int(np.count_nonzero(outcome == UNKNOWN))
        impossible += _impossible(samples.sent[part], samples.done[part])
        spoilt += _spoilt(samples, part, ~well, latency)
        latest.add(samples.intended[part], samples.sent[part])
    counts = Counts(rows, rows - fell, fine, rows - fell - fine - unsure, unsure, fell)
    return Survey(marks, counts, latest.p99(), impossible, spoilt)


def _spoilt(samples: Samples, part: slice, bad: npt.NDArray[np.bool_], latency: int) -> int:
    """Answers that would have been good, had the load not sent their requests so late."""
    rows = np.flatnonzero(bad)
    if not len(rows):
        return 0  # as nearly always
    intended, sent, done, outcome = (
        column[part][rows] for column in (samples.intended, samples.sent, samples.done, samples.outcome)
    )
    answered = (outcome == OK) | (outcome == REJECT)
    ours = (done - sent <= latency) & (2 * (sent - intended) >= latency)
    return int(np.count_nonzero(answered & ours))


def _impossible(sent: Longs, done: Longs) -> int:
    """Answers before their requests, and answers to what was never sent."""
    if bool((done >= sent).all()) and (not len(sent) or int(sent.min()) > 0):
        return 0  # as nearly always
    return int(np.count_nonzero((done > 0) & ((done < sent) | (sent <= 0))))


class Latest:
    """The latest-sent hundredth of all requests; what was on time need not be remembered for a 99th percentile."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sent = 0
        self._floor = 0
        self._held: list[Longs] = []
        self._size = 0

    def add(self, intended: Longs, sent: Longs) -> None:
        """One piece of requests; ``sent`` is 0 where it did not happen."""
        was_sent = sent > 0
        late = sent - intended
        late = late.take(np.flatnonzero(was_sent & (late > self._floor)))  # many times faster than a mask
        self._sent += int(np.count_nonzero(was_sent))
        self._held.append(late)
        self._size += len(late)
        if self._size > 2 * self._most + PIECE // 8:
            self._trim()

    def p99(self) -> int:
        """Nearest rank; whoever was early was on time; 0 where none was sent."""
        if not self._sent:
            return 0
        from_top = self._sent + (-99 * self._sent // 100) + 1
        self._trim()
        held = self._held[0]
        return int(np.partition(held, len(held) - from_top)[len(held) - from_top]) if from_top <= len(held) else 0

    def _trim(self) -> None:
        held = np.concatenate([*self._held, np.empty(0, np.int64)])
        if len(held) > self._most:
            held = np.partition(held, len(held) - self._most)[len(held) - self._most :]
            self._floor = int(held.min())
        self._held, self._size = [held], len(held)
