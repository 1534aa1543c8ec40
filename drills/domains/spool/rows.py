"""Rows about the spool of notices, as the brokerage saw it."""

from __future__ import annotations

from collections.abc import Mapping

from drills.record.books import Row


class SpoolSeen(Row, frozen=True, kw_only=True, tag="spool"):
    """One look at the volume ``id`` on which notices are written.

    ``waiting`` notices lie in the spool, on whichever volume, and ``pending`` ones before it. ``left_ms``: when no
    inode would be left, by the brokerage's own forecast; -1 without one. ``refusing``: the last notice did not fit.
    """

    inodes: int
    inodes_free: int
    waiting: int
    pending: int
    left_ms: int
    refusing: bool


ROWS: Mapping[str, tuple[type[Row], ...]] = {"spool": (SpoolSeen,)}
"""Book -> its rows of this kind."""
