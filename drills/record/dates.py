"""``schedule.jsonl`` among the runs: what a calendar of drills planned, began, ended and missed. It only grows.

A line is an ``Entry`` of what happened to one date, which is known by the schedule's name, the entry's name and the day
by its rule. What has become of each date is the last that is said of it (``fates``): so a history knows what was not
run although it was due.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path

import msgspec

from drills.record.appending import append_whole, is_torn, lock, opened
from drills.record.encoding import encode
from drills.record.names import StoreError, Unusable, mend_of, os_words
from drills.record.reading import content_of

FILE = "schedule.jsonl"

PLANNED, BEGAN, ENDED, MISSED, SKIPPED, WITHDRAWN = "planned", "began", "ended", "missed", "skipped", "withdrawn"
POSTPONED = "postponed"
"""Due, and another run held the machine; the next look tries again."""
WATCHED = "watched"
"""A schedule was seen for the first time, or after a change; what it has before that was never due."""
NOT_TOLD = "not-told"
"""A receiver could not be reached."""
OVER = (ENDED, MISSED, SKIPPED, WITHDRAWN)
"""Nothing follows for the date."""


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something is as it is: an id with its values; ``words`` of the file's author; ``why``: what is behind it."""

    id: str
    values: dict[str, str | int] = {}
    words: dict[str, str] | None = None
    why: Reason | None = None


def because(
    id_: str, *, words: msgspec.Struct | None = None, why: Reason | None = None, **values: str | int | date
) -> Reason:
    """A reason; dates among its values are kept as ISO has them."""
    plain = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    return Reason(id_, plain, None if words is None else msgspec.to_builtins(words), why)


class Ran(msgspec.Struct, frozen=True):
    """One run of a date: its arm did as the drill declares, or not; ``red`` checks and objectives failed.

    ``declared``: the verdict that the drill declares, empty where it says nothing of the arm.
    """

    drill: str
    arm: str
    verdict: str
    as_declared: bool
    run: str
    red: list[str] = []
    declared: str = ""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What happened to one date; instants in UTC. ``at``: when it was written; ``sha256`` of a schedule's file."""

    at: datetime
    what: str
    schedule: str
    entry: str = ""
    of: date | None = None
    sha256: str | None = None
    start: datetime | None = None
    latest: datetime | None = None
    takes_s: int | None = None
    drills: list[str] = []
    reason: Reason | None = None
    runs: list[Ran] = []
    receiver: str | None = None


Key = tuple[str, str, date]
"""Of a date: schedule, entry, day by the rule."""


class Fate(msgspec.Struct, frozen=True):
    """What has become of a date, from all that is said of it: ``state`` is the last ``what``."""

    schedule: str
    entry: str
    of: date
    state: str
    start: datetime | None
    drills: list[str]
    reason: Reason | None
    runs: list[Ran]
    at: datetime

    @property
    def due(self) -> bool:
        """Whether it was due and is over: done, or missed."""
        return self.state in (ENDED, MISSED)

    @property
    def missed(self) -> bool:
        """Whether it was due and did not take place, or not all of its runs did."""
        return self.state == MISSED or (self.state == ENDED and self.reason is not None)


class Journal:
    """The journal of a folder of runs. One process writes at a time (``alone``)."""

    def __init__(self, runs: Path) -> None:
        self.file = runs / FILE

    def entries(self) -> list[Entry]:
        """All that can be read; a line that was torn by the writer's death says nothing."""
        try:
            content = content_of(self.file)
        except OSError:
            return []
        return list(_decoded(content.splitlines()))

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Inside, this process alone writes; False where another one does."""
        with self._open() as file:
            yield lock(file, 0)

    def append(self, entry: Entry) -> None:
        """One line, on disk when this returns; StoreError where it cannot be written."""
        with self._open() as file:
            try:
                size = os.fstat(file).st_size
                torn = is_torn(file, size)
                append_whole(file, self.file, size, (b"\n" if torn else b"") + encode(entry) + b"\n")
                os.fsync(file)
            except OSError as error:
                raise StoreError(f"cannot write {self.file}: {os_words(error)}", mend_of(error)) from error

    @contextlib.contextmanager
    def _open(self) -> Iterator[int]:
        with contextlib.ExitStack() as stack:
            try:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context(opened(self.file))
            except OSError as error:
                raise Unusable(f"cannot write {self.file}: {os_words(error)}", mend_of(error)) from error
            yield file


def fates(entries: Iterable[Entry]) -> list[Fate]:
    """What has become of each date, in the order in which they were first heard of."""
    found: dict[Key, Fate] = {}
    for each in entries:
        if each.of is None or each.what == NOT_TOLD:
            continue
        key = (each.schedule, each.entry, each.of)
        before = found.get(key)
        found[key] = Fate(
            schedule=each.schedule,
            entry=each.entry,
            of=each.of,
            state=each.what,
            start=each.start or (before.start if before else None),
            drills=each.drills or (before.drills if before else []),
            reason=each.reason,
            runs=each.runs,
            at=each.at,
        )
    return list(found.values())


def done_of_due(found: Iterable[Fate]) -> tuple[int, int]:
    """How many dates were done whole, of those that were due."""
    due = [each for each in found if each.due]
    return sum(not each.missed for each in due), len(due)


def _decoded(lines: Iterable[bytes]) -> Iterator[Entry]:
    for line in lines:
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            yield msgspec.json.decode(line, type=Entry)
