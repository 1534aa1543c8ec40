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

LEAST = 12
"""Runs below which nobody could tell a change from chance."""
STRETCH = 5
"""Runs that a level lasts at least."""
MOST = 400
"""Of a long history the last ones: the time that the search takes grows with their square."""
PENALTY = 3.0
"""Times the logarithm of the number of runs, in units of their variance."""
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
    levels = [middle(values[since:until].tolist()) for since, until in pairwise(ends)]
    return [
        LevelChange(known[end][0], round(before, 3), round(after, 3))
        for end, (before, after) in zip(ends[1:-1], pairwise(levels), strict=True)
    ]


def _spread(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """The standard deviation of neighbours, which a change of the level hardly touches."""
    steps = np.diff(values)
    return float(TO_SIGMA * np.median(np.abs(steps - np.median(steps))) / math.sqrt(2)) or float(np.std(steps))
