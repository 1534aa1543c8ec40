"""Rows of the waiting room: who was given a ticket, who was let in, whose place was lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from drills.record.books import Row


class RoomEvent(Row, frozen=True, kw_only=True, tag="room"):
    """One thing that happened in the waiting room.

    ``ticket`` is empty for what concerns nobody's place: the room itself, or an order let in without waiting.
    ``since_ns``: when the ticket was given.
    """

    what: Literal["ticket", "admitted", "expired", "opened", "closed"]
    id: str = ""
    ticket: str = ""
    since_ns: int = 0


ROWS: Mapping[str, tuple[type[Row], ...]] = {"waiting-room": (RoomEvent,)}
"""Book -> its rows of this kind."""
