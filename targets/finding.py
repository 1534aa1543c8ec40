"""What a machine offers, each point found out by trying the thing itself."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from targets.commands import run


class Finding(msgspec.Struct, frozen=True):
    """One probe: ``needed`` says whether no drill can run without it."""

    what: str
    ok: bool
    says: str
    needed: bool
    fix: str = ""


def writable(what: str, folder: Path, fix: str) -> Finding:
    """Whether the folder, or the nearest one above it that exists, can be written to."""
    there, ok = False, False
    try:
        nearest = folder
        while not nearest.exists() and nearest != nearest.parent:
            nearest = nearest.parent
        there = nearest == folder
        with tempfile.TemporaryDirectory(dir=nearest, prefix=".kunren-"):
            ok = True
    except OSError:  # it cannot be written to, or nobody may even look
        pass
    return Finding(what, ok, f"{folder}{'' if there else ' (not made yet)'}", True, "" if ok else fix)


def complaint(argv: Sequence[str]) -> str | None:
    """Run it: None when it ended well, else the last it said."""
    try:
        done = run(argv, 10)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.code == 0 else (done.err.strip().splitlines() or ["no message"])[-1]
