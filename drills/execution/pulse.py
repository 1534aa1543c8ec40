"""How late the harness itself was: a clock's tick of its own event loop, which stands still whenever the harness does.

While the process is stopped or gets no CPU, no alert is taken, no undo comes and no step is begun, whatever the plan
says. Who judges must know of that time. (A suspended machine stops this clock as well: the wall clock gives it away,
see ``one-clock``.)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from drills.record.history import NS, Kind

TICK = NS // 10
NOTED = NS // 10
"""Lateness of one tick that is put on record at once, ns."""

Note = Callable[[str, Kind, str, Mapping[str, Any] | None], None]


class Pulse:
    """Ticks from its making on. Each lateness above ``NOTED`` becomes an event ``late``, the figures one at the end.

    They are the number of ticks, the worst lateness, and the sum of those noted. ``now`` is CLOCK_MONOTONIC in ns.
    """

    def __init__(self, note: Note, now: Callable[[], int] = time.monotonic_ns) -> None:
        self._note, self._now = note, now
        self._due = now() + TICK
        self._ticks = self._worst = self._total = 0

    async def beat(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(max(0, self._due - self._now()) / NS)
            self.tick()

    def tick(self) -> None:
        """One tick, now; the next one is due a tick later."""
        now = self._now()
        self._ticks += 1
        self._feel(now)
        self._due = now + TICK

    def end(self) -> None:
        """Put the figures on record, the tick that is due by now counted in."""
        self._feel(self._now())
        figures = {"ticks": self._ticks, "worst_ns": self._worst, "total_ns": self._total}
        self._note("runner", Kind.INFO, "lateness", figures)

    def _feel(self, now: int) -> None:
        late = now - self._due
        self._worst = max(self._worst, late)
        if late > NOTED:
            self._total += late
            self._note("runner", Kind.INFO, "late", {"ns": late})
