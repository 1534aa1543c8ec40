"""What the rows of all books have in common, and how a book is known to be whole.

A book is a JSON-lines file, one row a line, each tagged with ``kind`` and stamped with ``t_ns`` (CLOCK_MONOTONIC). Who
keeps a book numbers its rows as they are written, and the last line says how many there are: a row that was lost
shows. Which rows there are is said by the domains (``drills.judge.domain``): ``world`` is made from the seed before the
target starts, ``customers`` is the load's journal, and the others come from the target.
Money is integer yen; quantities are shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

ALWAYS = ("world", "customers")
"""Books that every run has, whatever its target offers."""

UNNUMBERED = -1


class Row(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """What every row of every book carries; ``n`` is its number in the book, from 0 without gaps."""

    t_ns: int
    id: str
    account: str = ""
    key: str = ""
    n: int = UNNUMBERED


class End(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="end", forbid_unknown_fields=True):
    """The last line of a book: how many ``rows`` its keeper had written."""

    rows: int


def missing_and_repeated(numbers: Iterable[int], rows: int) -> tuple[list[int], list[int]]:
    """Of a book of so many ``rows``: the numbers that it lacks, and those that it has twice or should not have."""
    found = Counter(numbers)
    missing = [n for n in range(rows) if n not in found]
    return missing, sorted(n for n, times in found.items() if times > 1 or not 0 <= n < rows)
