"""What became of the instrument itself: the errors of our own parts, as events of the run.

Harness, load generator, and whatever of ours runs beside the target (proxy, launcher) each give one account, the event
``own-errors``. The accounts of the others are taken once the load has stopped and before the target is ended; the
harness's own is the last.
"""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drills.errors import KunrenError
from drills.record.history import Kind
from loadprofiles.process import GeneratorDied, LoadError
from targets.accounts import ENDED, Account, account, accounts
from targets.own_errors import UNHANDLED, kind_of
from targets.target import OwnPart, Startable, TargetError

HARNESS, LOAD = "harness", "load"
RESERVE = 24
"""Descriptors kept back, so that a harness that runs out of them can still undo, stop and seal."""

Note = Callable[[str, Kind, str, Mapping[str, Any] | None], None]


class Instrument:
    """The accounts of one run. ``load_log`` is where the generator tells its errors; ``note`` appends an event."""

    def __init__(self, note: Note, load_log: Path) -> None:
        self._note = note
        self._load_log = load_log
        self._harness = Account()
        self._load_died: str | None = None
        self._beside: tuple[OwnPart, ...] = ()
        self._given: set[str] = set()

    def begin(self, target: Startable) -> list[str]:
        """The target is ready: what of ours runs beside it; all that will have to give an account."""
        self._beside = tuple(target.own_parts())
        return [HARNESS, LOAD, *(part.name for part in self._beside)]

    def failed(self, error: BaseException) -> None:
        """Something ended the run, or cost it an observation: whose it was, and if ours, what."""
        kind = kind_of(error)
        if isinstance(error, GeneratorDied):
            self._load_died = str(error)
        elif kind is not None or not isinstance(error, TargetError | LoadError | KunrenError):
            self.own(kind or UNHANDLED, f"{type(error).__name__}: {error}")

    def own(self, kind: str, says: str) -> None:
        """An error of the harness's own."""
        self._harness.add(kind, says)

    def take(self, target: Startable) -> None:
        """The accounts of all but the harness; once, later calls do nothing."""
        self._take_load()
        if self._given >= {part.name for part in self._beside}:
            return
        try:
            found = dict(accounts(self._beside, target.own_parts()))
        except (TargetError, OSError) as error:  # no account then, and the judge will miss it
            self.failed(error)
            return
        for part, its in found.items():
            self._give(part, its)

    def close(self) -> None:
        """The harness's own account, and the load's where it has not been taken."""
        self._take_load()
        self._give(HARNESS, self._harness)

    def _take_load(self) -> None:
        try:
            found = account(self._load_log)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self.failed(error)
            return
        if self._load_died is not None:
            found.add(ENDED, self._load_died)
        self._give(LOAD, found)

    def _give(self, part: str, its: Account) -> None:
        if part not in self._given:
            self._given.add(part)
            self._note(part, Kind.FAIL if its.counts else Kind.OK, "own-errors", its.plain())


class Reserve:
    """Descriptors that nobody else can have until they are released."""

    def __init__(self) -> None:
        self._held = [os.open(os.devnull, os.O_RDONLY) for _ in range(RESERVE)]

    def release(self) -> None:
        """Let them be used; a second time does nothing."""
        while self._held:
            os.close(self._held.pop())


def keep_trace(error: BaseException, log: Path) -> None:
    """Where a bug of ours came from; who cannot even write that has said what it was."""
    with contextlib.suppress(OSError), log.open("a") as file:
        traceback.print_exception(error, file=file)
