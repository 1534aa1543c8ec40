"""What the mail service has seen of its spool, a line a look."""

from __future__ import annotations

from pathlib import Path

from targets.brokerage.bookfile import Row, read_lines
from targets.brokerage.config import Config


def book_file(folder: Path) -> Path:
    """Where it lies in a stack's folder."""
    return folder / "mail" / "spool.jsonl"


def read_book(config: Config) -> list[Row]:
    """Its rows as of now; OSError when it cannot be read."""
    return read_lines(book_file(Path(config.folder)))
