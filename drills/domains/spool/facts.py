"""What was seen of the spool: facts of a history."""

from __future__ import annotations

from drills.domains.spool.rows import SpoolSeen
from drills.judge.timeline import observed_until
from drills.record.history import History

BOOK = "spool"


def looks(history: History) -> list[tuple[int, SpoolSeen]]:
    """The brokerage's looks at it up to the end of the observation, with their places."""
    end, rows = observed_until(history), enumerate(history.books[BOOK])
    return [(index, row) for index, row in rows if isinstance(row, SpoolSeen) and row.t_ns <= end]


def full(history: History) -> tuple[int, SpoolSeen] | None:
    """The first look at which a notice had not fitted; None: there was none."""
    return next(((index, row) for index, row in looks(history) if row.refusing), None)
