"""Rows about correcting entries."""

from __future__ import annotations

from collections.abc import Mapping

from drills.record.books import Row


class Adjustment(Row, frozen=True, kw_only=True, tag="adjustment"):
    """A correcting entry on an account with who asked for it and who approved it; ``reference`` is its postings'."""

    reference: str
    reason: str
    request: str
    approver: str
    yen: int


ROWS: Mapping[str, tuple[type[Row], ...]] = {
    "oms": (Adjustment,),
}
"""Book -> its rows of this kind."""
