"""``runs/register.jsonl``: every attempt, entered before anything was injected and once more at its end.

Each line names the SHA-256 of the line before it, so none can be edited, moved or taken out without the chain
breaking; a run that was thrown away stays as one that was begun and has no card. Who rewrites all lines that follow, or
cuts off the last ones, is found by whoever kept a head (``kunren runs verify --head``), and by the runs themselves:
``run.json``, which the evidence number covers, holds the number and the hash of the run's own entry.

Lines are appended under a lock, so several runs may write at once, and forced to disk. A line that was cut off when the
machine stopped stays as it is; the chain goes on over it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from drills.record.appending import append_whole, is_torn, lock, opened
from drills.record.encoding import encode
from drills.record.entries import Begun, Ended, Entry, Pruned, Rejudged
from drills.record.history import Plan, Registered
from drills.record.names import StoreError, mend_of, os_words
from drills.record.reading import content_of

REGISTER = "register.jsonl"
LOCK_WITHIN_S = 10.0
"""Others hold the lock for some milliseconds each."""
TAIL = 1 << 16
"""Bytes from the end in which the last line lies."""


DECODER: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


@dataclass(frozen=True, slots=True)
class Register:
    """All entries that can be read. ``problems``: how the chain is broken; ``notes``: lines cut off by a crash."""

    entries: tuple[Entry, ...]
    heads: tuple[str, ...]
    """The hash of each line, in order; the last one is what to keep elsewhere."""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def head(self) -> str | None:
        """Of the last line; None where there is none."""
        return self.heads[-1] if self.heads else None

    def begun(self) -> dict[str, Begun]:
        """Run -> its first entry, in order."""
        found: dict[str, Begun] = {}
        for entry in self.entries:
            if isinstance(entry, Begun):
                found.setdefault(entry.run, entry)
        return found

    def ended(self) -> dict[str, Ended]:
        """Run -> its last entry, where it came to one."""
        return {entry.run: entry for entry in self.entries if isinstance(entry, Ended)}

    def cards(self) -> dict[str, str]:
        """Run -> the hash that its card must have, as entered last."""
        kept = [entry for entry in self.entries if isinstance(entry, Ended | Rejudged | Pruned)]
        return {entry.run: entry.card for entry in kept if entry.card is not None}

    def verdicts(self) -> dict[str, str]:
        """Run -> what its card must say, as entered last."""
        return {entry.run: entry.verdict for entry in self.entries if isinstance(entry, Ended | Rejudged)}

    def pruned(self) -> set[str]:
        """Runs whose evidence was removed on purpose."""
        return {entry.run for entry in self.entries if isinstance(entry, Pruned)}


def limits_hash(plan: Plan) -> str:
    """Of what a run was held against: objectives, what is accepted, checks. Reasons in words do not count."""
    limits = [(one.id, one.limit, one.unit, one.at_least) for one in plan.objectives]
    return hashlib.sha256(encode([sorted(limits), sorted(plan.accepts), sorted(plan.checks)])).hexdigest()


def enter(runs: Path, entry: Entry) -> Registered:
    """Append an entry to the register in ``runs`` and force it to disk; number, link and time are filled in.

    StoreError when it cannot be written; then nothing of it stays.
    """
    path = runs / REGISTER
    try:
        with opened(path) as file:
            if not lock(file, LOCK_WITHIN_S):
                raise StoreError(f"cannot write {path}: another process has held its lock for {LOCK_WITHIN_S:g} s")
            size = os.fstat(file).st_size
            n, previous, torn = _end(file, size)
            stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line = encode(msgspec.structs.replace(entry, n=n, previous=previous, at=stamp))
            append_whole(file, path, size, (b"\n" if torn else b"") + line + b"\n")
            os.fsync(file)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {os_words(error)}", mend_of(error)) from error
    return Registered(n, _hash(line))


def read_register(runs: Path) -> Register:
    """All of it, and whether its chain holds; empty where there is none. Unusable where it cannot be read now."""
    try:
        content = content_of(runs / REGISTER)
    except FileNotFoundError:
        return Register((), ())
    except OSError as error:
        return Register((), (), (f"{REGISTER} cannot be read: {os_words(error)}",))
    return _parsed(content)


def _parsed(content: bytes) -> Register:
    lines = content.split(b"\n")
    if whole := lines[-1] == b"":
        lines.pop()
    heads = tuple(map(_hash, lines))
    entries: list[Entry] = []
    problems: list[str] = []
    notes: list[str] = []
    for place, line in enumerate(lines):
        entry, previous = _entry(line), heads[place - 1] if place else ""
        if entry is not None:
            problems += _misplaced(entry, place, previous)
            entries.append(entry)
        elif _goes_on(lines, place, heads) if place + 1 < len(lines) else not whole:
            notes.append(f"line {place + 1} was cut off: the machine stopped while it was written")
        else:
            problems.append(f"line {place + 1} is no entry: it was edited")
    return Register(tuple(entries), heads, tuple(problems), tuple(notes))


def _entry(line: bytes) -> Entry | None:
    try:
        return DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _misplaced(entry: Entry, place: int, previous: str) -> Iterator[str]:
    if entry.previous != previous:
        yield f"line {place + 1} does not follow the line before it: one was edited, moved or removed"
    elif entry.n != place:
        yield f"line {place + 1} has the number {entry.n}, not {place}"


def _goes_on(lines: list[bytes], place: int, heads: tuple[str, ...]) -> bool:
    """Whether the next line was chained to this one as it is now."""
    following = _entry(lines[place + 1])
    return following is not None and following.previous == heads[place]


def _end(file: int, size: int) -> tuple[int, str, bool]:
    """Number and link of the next line, and whether the last one was cut off."""
    if size == 0:
        return 0, "", False
    torn = is_torn(file, size)
    tail = os.pread(file, min(size, TAIL), max(0, size - TAIL))
    last = (tail if torn else tail[:-1]).split(b"\n")[-1]
    return _count(file, size) + torn, _hash(last), torn


def _count(file: int, size: int) -> int:
    """Lines that end."""
    return sum(os.pread(file, 1 << 20, at).count(b"\n") for at in range(0, size, 1 << 20))


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
