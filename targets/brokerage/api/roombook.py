"""What happened in the waiting room, a line each: tickets given, who was let in, whose place was lost."""

from __future__ import annotations

from pathlib import Path

from targets.brokerage.bookfile import Row, read_lines
from targets.brokerage.config import Config


def book_file(folder: Path) -> Path:
    """Where it lies in a stack's folder."""
    return folder / "api" / "waiting-room.jsonl"


def read_book(config: Config) -> list[Row]:
    """Its rows as of now; OSError when it cannot be read."""
    return read_lines(book_file(Path(config.folder)))
