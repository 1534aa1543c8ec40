"""Which chains were served when, and which of them ended too soon: facts of a history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from drills.domains.certificates.rows import ChainSeen, NameServed
from drills.judge.facts import fact
from drills.judge.timeline import observed_until
from drills.record.history import NS, History

BOOK = "certificates"
MS = NS // 1000
SOON_MS = 24 * 3600 * 1000
"""A chain that ends within a day has to be renewed."""


@dataclass(frozen=True, slots=True)
class Served:
    """A chain that was shown under a name from ``since`` to ``until`` (ns), and when it ended or will."""

    row: ChainSeen
    since: int
    until: int

    @property
    def ends(self) -> int:
        """Instant (ns) at which the first of it ends."""
        return self.row.t_ns + self.row.left_ms * MS

    @property
    def is_short(self) -> bool:
        """Whether it ended within a day of being seen."""
        return bool(self.row.fingerprint) and self.row.left_ms < SOON_MS


@fact
def served(history: History) -> list[Served]:
    """By name, in order of time, up to the end of the observation."""
    end, seen = observed_until(history), dict[str, list[ChainSeen]]()
    for row in history.books[BOOK]:
        if isinstance(row, ChainSeen) and row.t_ns <= end:
            seen.setdefault(row.name, []).append(row)
    return [
        Served(row, row.t_ns, end if after is None else after.t_ns)
        for rows in seen.values()
        for row, after in pairwise((*rows, None))
        if row is not None
    ]


def at_the_end(history: History) -> Iterator[tuple[str, NameServed]]:
    """The last look, each with its place."""
    for index, row in enumerate(history.books[BOOK]):
        if isinstance(row, NameServed):
            yield f"{BOOK}:{index}", row


def changed(history: History) -> frozenset[str]:
    """Names under which more than one chain was shown while it was observed."""
    shown: dict[str, set[str]] = {}
    for each in served(history):
        if each.row.fingerprint:
            shown.setdefault(each.row.name, set()).add(each.row.fingerprint)
    return frozenset(name for name, chains in shown.items() if len(chains) > 1)
