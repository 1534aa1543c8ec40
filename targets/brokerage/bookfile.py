"""Books that are files of JSON lines; rows are plain dicts in the form of the books."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec

Row = dict[str, Any]


class BookWriter:
    """Appends rows to a book's file and numbers them; each is one write, so that a killed process tears none.

    ``rows`` are those that the file has; whoever goes on with it numbers from there.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.rows = len(read_lines(path))
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, row: Row) -> Row:
        """The row as it was written, with its number ``n``. OSError where the volume is full."""
        numbered = {**row, "n": self.rows}
        line = msgspec.json.encode(numbered) + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError("short write: the volume of the book is full")
        self.rows += 1
        return numbered

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_lines(path: Path) -> list[Row]:
    """The rows of a JSON-lines file that may be written to right now: a torn last line is not yet a row."""
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines()]
