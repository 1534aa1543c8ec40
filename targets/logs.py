"""The end of what a process has printed, for messages."""

from __future__ import annotations

import os
from pathlib import Path

LINES = 10
LONGEST_LINE = 300
LOOKED_AT = 64 * 1024
"""Bytes from the end: a log may be as long as it likes."""


def tail(path: Path, since: int = 0) -> tuple[str, ...]:
    """At most ``LINES`` last lines that are not blank, of what follows byte ``since``; none where there is no file."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(since, size - LOOKED_AT))
            text = log.read(LOOKED_AT).decode(errors="replace")
    except OSError:
        return ()
    lines = [line.rstrip()[:LONGEST_LINE] for line in text.splitlines() if line.strip()]
    return tuple(lines[-LINES:])


def last_words(path: Path) -> str:
    """Its last line, as the end of a sentence."""
    lines = tail(path)
    return f" its log ends: {lines[-1]}" if lines else " it left no log"
