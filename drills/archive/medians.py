"""The median of few runs with an interval that assumes nothing of how they are distributed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import msgspec

COVERAGE = 0.95
"""At least so often the interval of order statistics covers the median of all runs that could have been made."""


class Median(msgspec.Struct, frozen=True):
    """Of ``n`` values. ``value`` is None where there is none, or where most of them are ``never``: it did not happen.

    ``low`` and ``high`` are None where the runs are too few for an interval; ``high`` also where it reaches those in
    which it did not happen.
    """

    n: int
    value: float | None
    low: float | None = None
    high: float | None = None
    never: int = 0


def median(values: Sequence[float | None]) -> Median:
    """``None`` among the values: it did not happen, which is worse than any number."""
    ordered = sorted(math.inf if value is None else value for value in values)
    n, never = len(ordered), sum(math.isinf(value) for value in ordered)
    if not n:
        return Median(0, None)
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    rank = _rank(n)
    low, high = (ordered[rank - 1], ordered[n - rank]) if rank else (math.inf, math.inf)
    return Median(n, _finite(middle), _finite(low), _finite(high), never)


@cache
def _rank(n: int) -> int:
    """The largest k for which [x_k, x_(n+1-k)] covers the median often enough; 0 where none does (n < 6)."""
    tail, rank = 0.0, 0
    for k in range(n // 2):
        tail += math.comb(n, k) / 2**n
        if 1 - 2 * tail < COVERAGE:
            break
        rank = k + 1
    return rank


def _finite(value: float) -> float | None:
    return None if math.isinf(value) else round(value, 3)
