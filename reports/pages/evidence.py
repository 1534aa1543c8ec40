"""The rows behind a check: from a reference such as ``customers:412`` to what the book says there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from drills.record.history import NS, History
from targets.visible import visible_line

EVENTS = "events"
LONGEST = 400
"""Characters of a row that are shown; a log line can be of any length."""


@dataclass(frozen=True, slots=True)
class Row:
    """``reference`` as a card has it, ``at`` in seconds since the run's start, ``content`` in one line.

    Both are None where there is no such row.
    """

    reference: str
    at: float | None
    content: str | None


def row(history: History, reference: str) -> Row:
    """The row that a reference names."""
    found = _find(history, reference)
    if found is None:
        return Row(visible_line(reference), None, None)
    fields = msgspec.to_builtins(found)
    t = fields.pop("t_ns", fields.pop("t", None))
    at = round((t - history.run.t0) / NS, 3) if isinstance(t, int) else None
    return Row(visible_line(reference), at, _line(fields))


def _find(history: History, reference: str) -> Any | None:
    book, _, index = reference.rpartition(":")
    rows = history.events if book == EVENTS else history.books.get(book, ())
    return rows[int(index)] if index.isdecimal() and int(index) < len(rows) else None


def _line(fields: dict[str, Any]) -> str:
    """As it stands in the book, without what is empty there, its number, and its time, which stands beside it."""
    told = {
        name: value for name, value in fields.items() if value not in ("", None, {}, []) and name not in ("n", "index")
    }
    text = ", ".join(f"{name} {_value(value)}" for name, value in told.items())
    return visible_line(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
