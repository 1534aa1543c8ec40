"""Rows of the customers' journal: what was asked and what was answered. The load writes them, whatever it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from drills.record.books import Row

Side = Literal["buy", "sell"]


class Request(Row, frozen=True, kw_only=True, tag="request"):
    """A request left a customer. ``t_ns`` is when it was sent; ``root`` links what is asked again to the first intent.

    ``action`` is what was asked for, as the load calls it (``loadprofiles.actions``).
    """

    action: str
    intended_ns: int
    root: str = ""
    code: str = ""
    side: Side | None = None
    quantity: int = 0
    price: int = 0
    yen: int = 0  # of a repayment or a withdrawal
    final: bool = False  # asked after the load had ended, to learn what became of an unknown order


class Reply(Row, frozen=True, kw_only=True, tag="reply"):
    """What came back for the request of the same ``id``; status 0 when nothing came back."""

    action: str
    status: int
    outcome: str
    order: str = ""
    state: str = ""
    error: str = ""


ROWS: Mapping[str, tuple[type[Row], ...]] = {
    "customers": (Request, Reply),
}
"""Book -> its rows of this kind."""
