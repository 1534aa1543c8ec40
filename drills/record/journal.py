"""The two files of the run folder that grow while the run goes on: events and the undo journal.

Both are opened for appending and get one whole line a write, so whatever kills the harness costs the line being
written at most. The undo journal is also forced to disk line by line: what it says must outlive a power cut.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from drills.record.appending import append_whole, sync_folder
from drills.record.encoding import encode
from drills.record.history import Event, Kind
from drills.record.names import StoreError, mend_of, os_words


class Lines:
    """Appends lines to one file. Not thread-safe: there is one writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            self._file: int | None = os.open(path, flags, 0o644)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {os_words(error)}", mend_of(error)) from error
        self._size = 0

    def append(self, line: bytes) -> None:
        """One line in one write; StoreError when the disk does not take it, and then nothing of it stays."""
        if self._file is None:
            raise StoreError(f"{self.path} is closed: the run is over")
        whole = line + b"\n"
        append_whole(self._file, self.path, self._size, whole)
        self._size += len(whole)

    def sync(self) -> None:
        """Force to disk what was appended."""
        if self._file is not None:
            os.fsync(self._file)

    def close(self) -> None:
        """No more lines; closing twice is no error."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class EventLog:
    """``events.jsonl``. Threads may append; the order in the file is the order of the indexes."""

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path)
        self._next = 0
        self._lock = threading.Lock()

    def append(
        self, actor: str, kind: Kind, what: str, data: Mapping[str, Any] | None = None, t: int | None = None
    ) -> Event:
        """Record one event, stamped now unless ``t`` (CLOCK_MONOTONIC, ns) says when it was; the event as stored."""
        with self._lock:
            stamp = time.monotonic_ns() if t is None else t
            event = Event(self._next, stamp, actor, kind, what, dict(data or {}))
            self._lines.append(encode(event))
            self._next += 1
            return event

    def close(self) -> None:
        """No more events."""
        with self._lock:
            self._lines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Journal:
    """``rollback.jsonl``: when ``append`` returns, the line is on disk, and only then may the fault be injected.

    Once a line could not be forced to disk none is taken any more: the system reports such a loss only once, and the
    next call may succeed although the line is lost.
    """

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path)
        self._lock = threading.Lock()
        self._broken = ""
        sync_folder(path.parent)

    def append(self, line: Mapping[str, Any]) -> None:
        """Write one line and force it to disk; StoreError when that failed."""
        with self._lock:
            if self._broken:
                raise StoreError(self._broken)
            self._lines.append(encode(line))
            try:
                self._lines.sync()
            except OSError as error:
                self._broken = f"cannot force {self._lines.path} to disk: {os_words(error)}"
                raise StoreError(self._broken) from error

    def close(self) -> None:
        """No more lines."""
        with self._lock:
            self._lines.close()
