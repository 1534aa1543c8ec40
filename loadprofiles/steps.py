"""Additional arrivals for a while: one step of the load, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loadprofiles.arrivals import Arrivals
from loadprofiles.commands import Stepped


@dataclass(slots=True)
class Surge:
    """A step that began at ``began`` (ns), and what has come of its arrivals."""

    arrivals: Arrivals
    began: int
    came: int = 0
    dropped: int = 0
    first: int = 0
    over: bool = False

    def count(self, admitted: bool, now: int) -> None:
        """One of its arrivals has had its turn; the first that somebody came for is when it struck."""
        if not admitted:
            self.dropped += 1
            return
        self.came += 1
        self.first = self.first or now

    def seen(self, now: int) -> Stepped:
        """How far it has come by ``now`` (ns)."""
        due = int(np.searchsorted(self.arrivals.offset, now - self.began, side="right"))
        return Stepped(due, self.came, self.dropped, self.began, self.first, self.over)
