"""What the exchange writes down before it says it: its book, and the session's outgoing messages.

Lines are written with one ``write`` to an O_APPEND descriptor, so a killed process loses nothing and tears nothing.
``book.jsonl`` holds the book's rows and nothing else. ``session.jsonl`` holds the messages kept for retransmission
and the sequence numbers; a row whose message had not been written when the process died gets one at the next start.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from targets.brokerage.bookfile import read_lines
from targets.brokerage.exchange.book import Row
from targets.brokerage.wire import Message


@dataclass(slots=True)
class Kept:
    """What ``session.jsonl`` says: messages by number, how many rows had theirs, and the numbers to go on with."""

    store: dict[int, Message] = field(default_factory=dict)
    rows: int = 0
    next_in: int = 1
    next_out: int = 1


class Journal:
    """The exchange's two files, open for appending."""

    def __init__(self, book: Path) -> None:
        book.parent.mkdir(parents=True, exist_ok=True)
        self._session_path = book.with_name("session.jsonl")
        self.rows: Sequence[Row] = read_lines(book)
        self._written = len(self.rows)
        self.kept = read_session(self._session_path)
        self._book = _open(book)
        self._session = _open(self._session_path)

    def happened(self, row: Row) -> None:
        """Something came about at the exchange; its row is numbered."""
        _append(self._book, {**row, "n": self._written})
        self._written += 1

    def keeps(self, message: Message, of_row: bool) -> None:
        """A message was numbered and may have to be sent again."""
        _append(self._session, {"message": message, "of_row": of_row})

    def numbers(self, next_in: int, next_out: int) -> None:
        """Where the numbers stand; ``next_out`` is reserved ahead."""
        _append(self._session, {"next_in": next_in, "next_out": next_out})

    def reset(self, rows: int) -> None:
        """The member had the numbers reset: messages of the ``rows`` so far are forgotten for good."""
        _append(self._session, {"reset": rows})

    def close(self) -> None:
        """Close both files."""
        os.close(self._book)
        os.close(self._session)


def read_session(path: Path) -> Kept:
    """Replay ``session.jsonl``."""
    kept = Kept()
    for line in read_lines(path):
        if "message" in line:
            kept.store[line["message"]["MsgSeqNum"]] = line["message"]
            kept.rows += line["of_row"]
        elif "reset" in line:
            kept = Kept(rows=line["reset"])
        else:
            kept.next_in, kept.next_out = line["next_in"], line["next_out"]
    return kept


def _open(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    size = os.fstat(file).st_size
    tail = os.pread(file, min(size, 1 << 20), max(0, size - (1 << 20)))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(file, size - len(tail) + tail.rfind(b"\n") + 1)  # a torn last line was never said
    return file


def _append(file: int, line: dict[str, Any]) -> None:
    data = msgspec.json.encode(line) + b"\n"
    if os.write(file, data) != len(data):
        raise OSError("short write: the exchange's volume is full")
