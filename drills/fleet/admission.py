"""How many runs a machine takes at once without spoiling their timing.

Runs that wait for processors are late, so only ``MOST_BUSY`` of them may be busy. The first run goes alone until its
load has been on for some seconds; what it then keeps busy, together with all else on this machine, is what each further
one is expected to take.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from drills.execution.processors import busy_and_idle

MOST_BUSY = 0.4
"""Share of the processors that may be busy."""
LOOK_S = 5.0
"""How long one look at them takes."""

Use = Callable[[], tuple[int, int] | None]
"""Busy and idle time of all processors since the machine's start, ns; None where nobody can tell."""


@dataclass(slots=True)
class Admission:
    """``most`` runs at once are asked for. It is told when runs come and go, and looked at now and then.

    Where the use cannot be measured it is one run at a time.
    """

    most: int
    use: Use = busy_and_idle
    clock: Callable[[], float] = time.monotonic
    share: float | None = None
    """The largest share of all processors that was measured for one run."""
    _under_load: set[int] = field(default_factory=set)
    _running: int = 0
    _since: tuple[float, tuple[int, int]] | None = None

    def started(self) -> None:
        """One more goes on; what is being measured begins anew."""
        self._running += 1
        self._since = None

    def loaded(self, run: int) -> None:
        """The run is under load from now on."""
        self._under_load.add(run)

    def ended(self, run: int) -> None:
        """It goes on no more."""
        self._running -= 1
        self._under_load.discard(run)
        self._since = None

    def room(self) -> int:
        """How many may go on at once, as far as is known by now."""
        self._look()
        if self._running == 0 or self.most == 1:
            return 1
        return self._running if self.share is None else at_once(self.share, self.most)

    def _look(self) -> None:
        """Only while all that go on are under load."""
        if self._running == 0 or len(self._under_load) < self._running:
            return
        now, use = self.clock(), self.use()
        if use is None:
            return
        if self._since is None:
            self._since = now, use
        elif now - self._since[0] >= LOOK_S:
            busy, idle = use[0] - self._since[1][0], use[1] - self._since[1][1]
            one = busy / max(1, busy + idle) / self._running
            self.share = one if self.share is None else max(self.share, one)
            self._since = now, use


def at_once(share: float, most: int) -> int:
    """How many runs of which each keeps this share of all processors busy; at least one."""
    return max(1, min(most, int(MOST_BUSY / share) if share > 0 else most))


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))
