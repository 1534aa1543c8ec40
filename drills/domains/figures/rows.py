"""Rows of the customers' journal about figures: which were shown, and which were relied on."""

from __future__ import annotations

from collections.abc import Mapping

from drills.record.books import Row


class Shown(Row, frozen=True, kw_only=True, tag="shown"):
    """A figure a customer was shown, with the window in which the system may have read it.

    ``figure`` is what was shown (``drills.domains.figures.oracle`` says what can be judged), ``as_of`` the business
    date that it was shown for, such as ``2026-11-02``.
    """

    figure: str
    yen: int
    current: bool
    as_of: str
    sent_ns: int
    received_ns: int


class Acted(Row, frozen=True, kw_only=True, tag="acted"):
    """A customer relied on a figure (``shown`` is that row's id) for an amount of ``yen``; ``what`` is the action."""

    shown: str
    yen: int
    what: str


ROWS: Mapping[str, tuple[type[Row], ...]] = {
    "customers": (Shown, Acted),
}
"""Book -> its rows of this kind."""
