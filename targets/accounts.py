"""What our own parts beside the target say of themselves: their errors by kind, and whether they still run.

A part's log is its account. The embedded proxy, the load generator and the launcher write lines of their own
(``targets.own_errors``); the real Toxiproxy writes one JSON object a line and, when it crashes, Go's plain words.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from targets.own_errors import KINDS, MARK, UNHANDLED
from targets.target import OwnPart

ENDED = "ended by itself"
RESTARTED = "started anew"
LONGEST = 200
"""Characters of a line that are kept."""

ACCEPTING = "Error while accepting client"
"""Toxiproxy's words after which that proxy accepts nobody any more, whatever the cause."""
NETWORK = (ACCEPTING, "Unable to open connection to upstream", "Source terminated", "Could not write to destination")
"""Its messages whose ``error`` is the system's answer to a call of its own."""
CRASHES = ("panic: ", "fatal error: ", "runtime: ", "http: panic serving")
API_ACCEPTS = "http: Accept error: "


@dataclass
class Account:
    """Errors of one part: how many of each kind, and the first line that told of one."""

    counts: dict[str, int] = field(default_factory=dict)
    first: str = ""

    def add(self, kind: str, line: str) -> None:
        """One more."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.first = self.first or line[:LONGEST]

    def plain(self) -> dict[str, Any]:
        """For an event."""
        return {"counts": self.counts, "first": self.first}


def account(log: Path) -> Account:
    """What a log tells; OSError where there is none to read."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        return counted(lines)


def counted(lines: Iterable[str]) -> Account:
    """What these lines tell."""
    found = Account()
    for line in lines:
        for kind, words in _told(line.strip()):
            found.add(kind, words)
    return found


def accounts(before: Sequence[OwnPart], after: Sequence[OwnPart]) -> Iterator[tuple[str, Account]]:
    """Part -> its account, of those whose log can be read; one that ended or was started anew says so in it."""
    now = {part.name: part for part in after}
    for part in before:
        try:
            found = account(part.log)
        except OSError:
            continue  # it has given no account: the judge will miss it
        runs = now[part.name].pid if part.name in now else None
        if runs is None:
            found.add(ENDED, f"process {part.pid} is gone")
        elif runs != part.pid:
            found.add(RESTARTED, f"process {part.pid} was replaced by {runs}")
        yield part.name, found


def _told(line: str) -> Iterator[tuple[str, str]]:
    """Kind and words of the error of its own that a line tells of, if it does."""
    if line.startswith(MARK):
        kind, _, detail = line.removeprefix(MARK).partition(": ")
        yield kind, detail or kind
    elif line.startswith("{"):
        yield from _toxiproxy(line)
    elif line.startswith(CRASHES):
        yield UNHANDLED, line
    elif (at := line.find(API_ACCEPTS)) >= 0:
        yield _system(line) or UNHANDLED, line[at:]


def _toxiproxy(line: str) -> Iterator[tuple[str, str]]:
    try:
        row = json.loads(line)
    except ValueError:
        return  # cut off while it was being written
    message, error = row.get("message"), str(row.get("error", ""))
    if message not in NETWORK or not error:
        return
    kind = _system(error) or (UNHANDLED if message == ACCEPTING else None)
    if kind is not None:
        yield kind, f"{message}: {error}"


def _system(error: str) -> str | None:
    """Kind of what Go says of a call that failed: the system's own words come last."""
    return next((kind for words, kind in _GO.items() if error.split("; retrying")[0].endswith(f": {words}")), None)


_GO = {
    "too many open files": KINDS[errno.EMFILE],
    "too many open files in system": KINDS[errno.ENFILE],
    "cannot allocate memory": KINDS[errno.ENOMEM],
    "no buffer space available": KINDS[errno.ENOBUFS],
    "cannot assign requested address": KINDS[errno.EADDRNOTAVAIL],
}
"""Go's table of errno for Linux."""
