"""Everything on a link arrives later."""

from __future__ import annotations

from typing import ClassVar

from faults.probe import Reaction
from faults.toxic import Ms, ToxicFault


class Latency(ToxicFault, frozen=True):
    """``latency`` ± ``jitter`` ms in each direction it acts on."""

    KIND: ClassVar[str] = "latency"
    TYPE: ClassVar[str] = "latency"

    latency: Ms
    jitter: Ms = 0

    def patience_ms(self) -> float:
        """The longest delay there and back."""
        return 2.0 * (self.latency + self.jitter)

    def seen(self, direct: Reaction, through: Reaction) -> bool | None:
        """The first reaction comes later than directly, by the least delay of one direction."""
        least = self.latency - self.jitter
        if direct.first_ms is None or least <= 0:
            return None
        if through.first_ms is None:
            return True
        if self.stream == "downstream" and not through.bytes:
            return None  # only data is delayed, not the end
        return through.first_ms - direct.first_ms >= 0.8 * least
