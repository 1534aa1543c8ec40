"""Where the recoveries of runs that can be compared changed their level, though nothing that is recorded has changed.

Found by ruptures: the segmentation with the least squared error, a penalty for each further part. An annotation for
whoever reads the history: no verdict and no exit code hangs on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median as middle

import msgspec
import numpy as np

Values = np.ndarray[tuple[int], np.dtype[np.float64]]

LEAST = 12
"""Runs below which nobody could tell a change from chance."""
STRETCH = 5
"""Runs that a level lasts at least."""
MOST = 400
"""Of a long history the last ones: the time that the search takes grows with their square."""
PENALTY = 3.0
"""Times the logarithm of the number of runs, in units of their variance."""
APART = 2.0
"""Standard deviations of single runs that two levels are apart at least."""
TO_SIGMA = 1.4826
"""From the median of deviations to a standard deviation, of normal values."""


class LevelChange(msgspec.Struct, frozen=True):
    """The first run at another level, and the medians of the runs before and from it on, seconds."""

    at: str
    before: float
    after: float


def level_changes(runs: Sequence[tuple[str, float]]) -> list[LevelChange]:
    """``runs``: stamp and seconds, oldest first."""
    known = runs[-MOST:]
    if len(known) < LEAST:
        return []
    values = np.array([value for _, value in known])
    spread = _spread(values)
    if spread == 0:
        return []
    import ruptures  # here: it takes half a second, and most histories are short

    search = ruptures.KernelCPD(kernel="linear", min_size=STRETCH).fit(values / spread)
    ends: list[int] = [0, *search.predict(pen=PENALTY * math.log(len(known)))]
    while (alike := _alike(values, ends, spread)) is not None:
        del ends[alike]
    levels = _levels(values, ends)
    return [
        LevelChange(known[end][0], round(before, 3), round(after, 3))
        for end, (before, after) in zip(ends[1:-1], pairwise(levels), strict=True)
    ]


def _levels(values: Values, ends: Sequence[int]) -> list[float]:
    """The median of each part."""
    return [middle(values[since:until].tolist()) for since, until in pairwise(ends)]


def _alike(values: Values, ends: Sequence[int], spread: float) -> int | None:
    """The place of the end between the two parts that are most alike, where their medians differ by little: what
    parts them is a run far off, and no level.
    """
    apart = {place: abs(after - before) for place, (before, after) in enumerate(pairwise(_levels(values, ends)), 1)}
    place = min(apart, key=lambda each: apart[each], default=None)
    return place if place is not None and apart[place] < APART * spread else None


def _spread(values: Values) -> float:
    """The standard deviation of neighbours, which a change of the level hardly touches."""
    steps = np.diff(values)
    return float(TO_SIGMA * np.median(np.abs(steps - np.median(steps))) / math.sqrt(2)) or float(np.std(steps))
