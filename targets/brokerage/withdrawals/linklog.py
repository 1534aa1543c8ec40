"""The log of the link to the bank: what was sent under which reference, and what was answered.

A line is on disk before its request leaves. References are given by the link, session by session, and until the bank
has answered they stand in this log alone. Each session begins the log anew: what is still needed of the last one is put
aside before (``keep``).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from targets.brokerage.bookfile import Row, read_lines


def log_file(stack: Path) -> Path:
    """Where the log of the session lies in a stack's folder."""
    return stack / "withdrawals" / "link.jsonl"


def kept_folder(stack: Path) -> Path:
    """Where logs lie that were put aside."""
    return stack / "withdrawals" / "kept"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as the log knows it: under which reference it was sent, and when (ns)."""

    reference: str
    t_ns: int


class LinkLog:
    """The log of one session."""

    def __init__(self, stack: Path) -> None:
        self._stack = stack
        log_file(stack).parent.mkdir(parents=True, exist_ok=True)
        self._begin()

    def sent(self, withdrawal: str, account: str, yen: int) -> str:
        """Note a request that is about to be sent; the reference under which. OSError: it must not be sent."""
        self._count += 1
        reference = f"{self.session}-{self._count:06d}"
        self._write(kind="link-sent", id=reference, account=account, withdrawal=withdrawal, yen=yen)
        return reference

    def again(self, reference: str, withdrawal: str, account: str, yen: int) -> None:
        """Note a request that is about to be sent once more under its own reference. OSError."""
        self._write(kind="link-sent", id=reference, account=account, withdrawal=withdrawal, yen=yen)

    def answered(self, reference: str, account: str, state: str) -> None:
        """Note what the bank has said. OSError."""
        self._write(kind="link-answered", id=reference, account=account, state=state)

    def keep(self) -> tuple[Path, str]:
        """Put a copy of the log aside: where, and its SHA-256. OSError."""
        folder = kept_folder(self._stack)
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / f"link-{self.session}.jsonl"
        shutil.copyfile(log_file(self._stack), place)
        return place, hashlib.sha256(place.read_bytes()).hexdigest()

    def renew(self) -> None:
        """Begin the log of a new session in its place. OSError."""
        self.close()
        self._begin()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _begin(self) -> None:
        self.session = f"L{time.monotonic_ns() // 1_000_000:x}"
        self._count = 0
        self._file = os.open(log_file(self._stack), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)

    def _write(self, **row: Any) -> None:
        line = msgspec.json.encode({"t_ns": time.monotonic_ns(), "session": self.session, **row}) + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError("short write: the volume of the link's log is full")


def lines(stack: Path) -> list[Row]:
    """All lines there are: those put aside, and those of the session; each once, in the order of time."""
    files = [*sorted(kept_folder(stack).glob("link-*.jsonl")), log_file(stack)]
    rows = {(row["t_ns"], row["kind"], row["id"]): row for file in files for row in read_lines(file)}
    return sorted(rows.values(), key=lambda row: int(row["t_ns"]))


def requests(stack: Path) -> dict[str, list[Sent]]:
    """Withdrawal -> what was sent for it, in the order of time."""
    found: dict[str, list[Sent]] = {}
    for row in lines(stack):
        if row["kind"] == "link-sent":
            found.setdefault(row["withdrawal"], []).append(Sent(row["id"], row["t_ns"]))
    return found
