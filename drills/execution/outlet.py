"""The end of the pipe through which a run tells what happens: whoever reads it, and however slowly, holds up nothing.

Events wait in memory for a thread that writes them. While more than a few wait, no ``Sampled`` is taken: the next one
says the same, and newer. Where nobody is at the other end any more, nothing is told.
"""

from __future__ import annotations

import contextlib
import threading
from queue import SimpleQueue

from drills.execution.events import RunEvent, Sampled
from drills.record.encoding import encode

FEW = 8
"""That may wait because the writer has just not had its turn."""


class Outlet:
    """Writes events to ``pipe``, which becomes its own, one JSON document a line."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._waiting: SimpleQueue[RunEvent | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="what is told of the run", daemon=True)
        self._thread.start()

    def emit(self, event: RunEvent) -> None:
        """Tell it. From any thread and wherever a signal interrupts; never waits, never raises."""
        if not (isinstance(event, Sampled) and self._waiting.qsize() > FEW):
            self._waiting.put(event)

    def close(self) -> None:
        """Wait until all is told, or nobody listens any more."""
        self._waiting.put(None)
        self._thread.join()

    def _write(self) -> None:
        with (
            contextlib.suppress(OSError),
            open(self._pipe, "wb", buffering=0) as pipe,
        ):  # who asked for the run has died
            while (event := self._waiting.get()) is not None:
                line = memoryview(encode(event) + b"\n")
                while line:
                    line = line[pipe.write(line) :]
