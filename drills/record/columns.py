"""Going through long columns piece by piece, so that memory is bounded by a piece and not by the run.

Columns of a run folder are mapped files. A mapped page that was read counts as memory of the process until somebody
gives it back, which happens here every few pieces; the system keeps it cached as long as it likes.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

PIECE = 1 << 18
"""Rows in a piece: two megabytes of a column of int64, small enough for a processor's cache."""


HELD = 8
"""Pieces after which pages are given back: a short run is mapped once and stays so."""


def pieces(rows: int, *columns: npt.NDArray[Any]) -> Iterator[slice]:
    """Slices of at most PIECE rows that cover ``rows``; mapped pages of ``columns`` are given back on the way."""
    for number, start in enumerate(range(0, rows, PIECE), 1):
        yield slice(start, min(start + PIECE, rows))
        if number % HELD == 0:
            for column in columns:
                _give_back(column)


def _give_back(column: npt.NDArray[Any]) -> None:
    base: object = column
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)  # read-only and backed by its file: nothing is lost
