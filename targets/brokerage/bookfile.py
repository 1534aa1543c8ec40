"""Books that are files of JSON lines; rows are plain dicts in the form of the books."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def read_lines(path: Path) -> list[Row]:
    """The rows of a JSON-lines file that may be written to right now: a torn last line is not yet a row."""
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines()]
