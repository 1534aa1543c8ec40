"""From a probe's samples to outages: when each began and ended, within which bounds, and what was lost. Pure.

A request is *bad* when it was not answered well, or later than the limit counted from when it was due. Bad requests
belong to one outage unless so many good ones lie between them as the share of bad ones there does not explain.

Where an outage begins and ends is told by *prompt* requests: good ones, answered as quickly as usual. A request that a
stall held up for less than the limit is good, and yet shows that the service did not work. So the outage began after
the last prompt request before it was sent, and had begun when the first that was not prompt should have been answered;
it had not ended when the last that was not prompt was sent, and had when the first prompt one after it was answered. A
stall lets all that waited go at once, so the first answer to what was sent during it bounds its end as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drills.judge.interval import Interval
from drills.probing.samples import Ended, Longs, Samples

LEAST_PROMPT_NS = 1_000_000
"""No answer within a millisecond is ever taken for slow."""
PROMPT, USUAL = 3, 75
"""Times what so many per cent of good answers take: later is not prompt. Good answers that a stall held up are among
them, so what the slowest take says nothing."""
UNLIKELY = 1e-5
"""How improbable a run of good requests must be within one outage to part two."""
NEIGHBOURS = ((5, 3.0), (10, 2.0))
"""So many bad requests on either side of a gap say how large the share of bad ones is there, and so many standard
deviations it may be less than it seems: a few where an outage was short, more where it is a partial one."""
WHOLE = 0.95
"""A share of bad requests from which on an outage is no partial one."""
MISSED = 0.005
"""How probable it may be that an end of a partial outage lies further out than we say."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Limits:
    """``slow``: an answer later than that after it was due is bad (ns). ``step``: between two requests (ns)."""

    slow: int
    step: int


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage. Instants in ns; ``end`` is None where it had not ended with the measurement.

    ``kind`` is what most of its bad requests ended in (``slow``: answered too late while others were answered,
    ``stall``: nothing was answered); ``bad`` of ``of`` requests due during it were bad, which comes to ``lost`` ns of
    service. ``at_once``: nothing good was before it.
    """

    start: Interval
    end: Interval | None
    kind: str
    bad: int
    of: int
    lost: int
    at_once: bool

    @property
    def partial(self) -> bool:
        """Whether a good part of the requests was served all the same."""
        return self.bad < WHOLE * self.of

    @property
    def lasted(self) -> Interval | None:
        """How long, at least and at most (ns); None where it has not ended."""
        if self.end is None:
            return None
        return Interval(max(0, self.end.earliest - self.start.latest), self.end.latest - self.start.earliest)


def bad(samples: Samples, limits: Limits) -> Bools:
    """Which requests were not answered well in time."""
    return np.asarray((samples.how != Ended.ANSWERED) | (samples.done - samples.due > limits.slow), np.bool_)


def prompt_within(samples: Samples, wrong: Bools) -> int:
    """Within how long after it was sent an answer is a prompt one, ns."""
    took = (samples.done - samples.sent)[~wrong]
    return LEAST_PROMPT_NS if not len(took) else max(LEAST_PROMPT_NS, int(PROMPT * np.percentile(took, USUAL)))


def outages(samples: Samples, limits: Limits) -> list[Outage]:
    """All of them, in order."""
    wrong = bad(samples, limits)
    within = prompt_within(samples, wrong)
    slow = wrong | (samples.done - samples.sent > within)
    return [_outage(samples, limits, wrong, slow, within, group) for group in _groups(np.flatnonzero(wrong), wrong)]


def _groups(rows: Longs, wrong: Bools) -> Iterator[tuple[int, int]]:
    """First and last bad request of each outage."""
    if not len(rows):
        return
    gaps = np.diff(rows) - 1
    first = 0
    for n, gap in enumerate(gaps):
        if gap and _parts(int(gap), max(_share_around(rows, n, first, *each) for each in NEIGHBOURS)):
            yield int(rows[first]), int(rows[n])
            first = n + 1
    yield int(rows[first]), int(rows[-1])


def _share_around(rows: Longs, n: int, first: int, near: int, sure: float) -> float:
    """The share of bad requests near the gap after the ``n``-th bad one, the gap itself left out: at least that."""
    bads = goods = 0
    for low, high in ((max(first, n - near + 1), n), (n + 1, min(len(rows) - 1, n + near))):
        span = int(rows[high] - rows[low]) + 1
        bads += high - low + 1
        goods += span - (high - low + 1)
    of = bads + goods + 2
    share = (bads + 1) / of
    return max(0.0, share - sure * math.sqrt(share * (1 - share) / of))


def _parts(gap: int, share: float) -> bool:
    """Whether so many good requests in a row are too many for one outage with that share of bad ones."""
    return gap * math.log1p(-share) < math.log(UNLIKELY)


def _outage(samples: Samples, limits: Limits, wrong: Bools, slow: Bools, within: int, group: tuple[int, int]) -> Outage:
    low, high = group
    while low > 0 and slow[low - 1]:
        low -= 1
    while high + 1 < len(samples) and slow[high + 1]:
        high += 1
    count, of = int(wrong[group[0] : group[1] + 1].sum()), group[1] - group[0] + 1
    reach = _reach(count / of)
    before = _nth_prompt(slow[:low][::-1], reach)
    after = _nth_prompt(slow[high + 1 :], reach)
    end = None if after is None else _end(samples, slow, (low, group[1], high), high + 1 + after, within)
    start = Interval(
        int(samples.due[0]) if before is None else int(samples.sent[low - 1 - before]), _had_begun(samples, low, within)
    )
    kind = _kind(samples, wrong, group)
    return Outage(start, end, kind, count, of, count * limits.step, before is None)


def _reach(share: float) -> int:
    """How many prompt requests there are to be beyond a bad one so that the outage does not reach further."""
    return 1 if share >= WHOLE else max(1, math.ceil(math.log(MISSED) / math.log1p(-share)))


def _nth_prompt(slow: Bools, wanted: int) -> int | None:
    """Where the wanted-th prompt request is; the last there is, where there are fewer; None without any."""
    found = np.flatnonzero(~slow[: 50 * wanted + 50])
    if not len(found):
        found = np.flatnonzero(~slow)
    return int(found[min(wanted, len(found)) - 1]) if len(found) else None


def _had_begun(samples: Samples, row: int, within: int) -> int:
    """By when it had: the first that was not prompt should have been answered, or was turned away before."""
    due = int(samples.sent[row]) + within
    return due if samples.how[row] == Ended.ANSWERED else min(due, int(samples.done[row]))


def _end(samples: Samples, slow: Bools, rows: tuple[int, int, int], after: int, within: int) -> Interval:
    """``rows``: the first that was not prompt, the last bad one, the last that was not prompt. ``after``: a prompt one.

    Where nothing that was sent before the last bad one was answered before it was sent, the first answer to any of
    them says that the service answers again, however long it takes to answer all that waited.
    """
    low, last, high = rows
    earliest, latest = int(samples.sent[high]), int(samples.done[after])
    answered = np.flatnonzero(samples.how[low : high + 1] == Ended.ANSWERED) + low
    if len(answered):
        freed = int(samples.done[answered].min())
        if samples.sent[last] <= freed < latest:
            waited = np.flatnonzero(samples.sent[last : high + 1] <= freed - within) + last
            earliest, latest = int(samples.sent[waited[-1] if len(waited) else last]), freed
    return Interval(min(earliest, latest), latest)


def _kind(samples: Samples, wrong: Bools, group: tuple[int, int]) -> str:
    rows = slice(group[0], group[1] + 1)
    hows = samples.how[rows][wrong[rows]]
    sent_at_all = hows[hows != Ended.HELD]
    most = Ended(int(np.bincount(sent_at_all if len(sent_at_all) else hows).argmax()))
    if most not in (Ended.ANSWERED, Ended.TIMEOUT, Ended.HELD):
        return most.word
    return "stall" if _silent(samples, rows) else "slow" if most == Ended.ANSWERED else most.word


def _silent(samples: Samples, rows: slice) -> bool:
    """Whether next to nothing was answered in the middle of it."""
    low, high = int(samples.sent[rows.start]), int(samples.sent[rows.stop - 1])
    quarter = (high - low) // 4
    done = samples.done[rows][samples.how[rows] == Ended.ANSWERED]
    inside = ((done > low + quarter) & (done < high - quarter)).sum()
    return bool(inside * 20 <= rows.stop - rows.start)


def lateness_p99(samples: Samples) -> int:
    """How late requests left, 99th percentile, ns; of those that were sent."""
    sent = samples.how != Ended.HELD
    return int(np.percentile((samples.sent - samples.due)[sent], 99)) if sent.any() else 0


def latencies(samples: Samples) -> Sequence[int] | None:
    """p50, p99 and the longest, counted from when each was due, of what was answered, ns; None where nothing was."""
    answered = samples.how == Ended.ANSWERED
    if not answered.any():
        return None
    took = (samples.done - samples.due)[answered]
    p50, p99 = np.percentile(took, [50, 99])
    return int(p50), int(p99), int(took.max())
