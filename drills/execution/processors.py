"""Who used this machine's processors: the run, others, or nobody.

A target whose processes wait for a processor that other programs keep busy is late, and may be wrong for being late;
that says something of the machine. Who judges must know of it. Counted are the processors that this process may use, of
a virtual machine also the time that its host gave to others. Processes of the run are this one, all below it, and what
the target says of its own elsewhere (containers).
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drills.execution.pulse import Note
from drills.record.history import NS, Kind
from targets.keeper import below, table

WINDOW_S = 1.0
NOTHING_LEFT = 0.05
"""Below this share of idle time nothing was left for who wanted to work."""
TOO_MUCH = 1 / 3
"""Above this share others had so much that what was left is not what the run would have had without them."""

TICK_NS = NS // os.sysconf("SC_CLK_TCK")
IDLE = (3, 4)
GUESTS = slice(8, None)
"""Columns of /proc/stat: idle and waiting for a disk; guests' time, which is counted in the first two already."""


@dataclass(frozen=True, slots=True)
class Use:
    """Processor time, ns: of the run, of all others, and of nobody."""

    ours: int
    others: int
    idle: int

    def since(self, before: Use) -> Use:
        """What came between. A process that ended uncollected takes its time with it, which is never less than none."""
        ours, others = max(0, self.ours - before.ours), max(0, self.others - before.others)
        return Use(ours, others, max(0, self.idle - before.idle))

    def share(self, part: int) -> float:
        """Of all the time there was."""
        return part / max(1, self.ours + self.others + self.idle)

    @property
    def contended(self) -> bool:
        """Others had much, and nothing was left."""
        return self.share(self.idle) < NOTHING_LEFT and self.share(self.others) > TOO_MUCH


class Processors:
    """Looks once a window. Each window in which others kept all busy becomes an event ``contended``; at the end the
    totals become the event ``processors``.

    ``use`` gives the use since the machine's start, None where it cannot be measured: then nothing is put on record.
    """

    def __init__(self, note: Note, use: Callable[[], Use | None]) -> None:
        self._note, self._use = note, use
        self._lock = threading.Lock()  # the last look must not come between the figures and the end
        self._first = self._before = use()
        self._began = time.monotonic_ns()
        self._contended = self._windows = 0

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(WINDOW_S)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """One window, which ends now; after the end none."""
        with self._lock:
            now = time.monotonic_ns()
            use = None if self._before is None else self._use()
            if use is None or self._before is None:
                self._before = None
                return
            between = use.since(self._before)
            self._windows += 1
            if between.contended:
                self._contended += now - self._began
                self._note("runner", Kind.INFO, "contended", {"ns": now - self._began, **_shares(between)})
            self._before, self._began = use, now

    def end(self) -> None:
        """Put the figures on record, the window under way counted in."""
        self.look()
        with self._lock:
            if self._first is not None and self._before is not None:
                figures = {"windows": self._windows, "contended_ns": self._contended}
                self._note("runner", Kind.INFO, "processors", {**figures, **_shares(self._before.since(self._first))})
            self._before = None


def _shares(use: Use) -> Mapping[str, Any]:
    return {name: round(use.share(getattr(use, name)), 3) for name in ("ours", "others", "idle")}


@dataclass(frozen=True, slots=True)
class Meter:
    """Reads the use. ``elsewhere``: time of the target's processes that are not below this one, ns; None: not known."""

    elsewhere: Callable[[], int | None]

    def __call__(self) -> Use | None:
        """As of now; None where this machine or the target cannot tell."""
        elsewhere = self.elsewhere()
        if elsewhere is None:
            return None
        try:
            busy, idle = machine(_stat(), os.sched_getaffinity(0))
            ours = TICK_NS * _of_tree(os.getpid()) + elsewhere
        except (OSError, ValueError, IndexError):
            return None
        return Use(ours, busy - ours, idle)


def busy_and_idle() -> tuple[int, int] | None:
    """Of the processors that this process may use, ns since the machine's start; None where it does not say."""
    try:
        return machine(_stat(), os.sched_getaffinity(0))
    except (OSError, ValueError, IndexError):
        return None


def machine(lines: str, processors: set[int]) -> tuple[int, int]:
    """From the lines of /proc/stat, of these processors: busy and idle, ns. ValueError where one is missing."""
    named = (line.split() for line in lines.splitlines() if line.startswith("cpu"))
    rows = {name: [int(column) for column in columns] for name, *columns in named}
    missing = [number for number in processors if f"cpu{number}" not in rows]
    if missing:
        raise ValueError(f"/proc/stat has no line of processor {missing[0]}")
    busy = idle = 0
    for number in processors:
        row = rows[f"cpu{number}"]
        nothing = sum(row[column] for column in IDLE)
        busy += sum(row[: GUESTS.start]) - nothing
        idle += nothing
    return busy * TICK_NS, idle * TICK_NS


def _stat() -> str:
    with open("/proc/stat", encoding="ascii") as file:
        return file.read()


def _of_tree(root: int) -> int:
    """Clock ticks that this process and all below it have used, those that they have collected counted in."""
    return sum(_ticks(pid) for pid in (root, *below((root,), table())))


def _ticks(pid: int) -> int:
    """Of one process and its collected children; 0 of one that has gone meanwhile."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return sum(map(int, file.read().rpartition(b")")[2].split()[11:15]))
    except OSError:
        return 0
