"""Connections through a link stay open after one side has closed them."""

from __future__ import annotations

from typing import ClassVar

from faults.probe import Reaction
from faults.toxic import Ms, ToxicFault


class SlowClose(ToxicFault, frozen=True):
    """The end of a connection passes ``delay`` ms later."""

    KIND: ClassVar[str] = "slow-close"
    TYPE: ClassVar[str] = "slow_close"

    delay: Ms

    def patience_ms(self) -> float:
        """The delay."""
        return float(self.delay)

    def seen(self, direct: Reaction, through: Reaction) -> bool | None:
        """The server hangs up on the probe, and that arrives late; says nothing of what clients close."""
        if self.stream == "upstream" or direct.end_ms is None:
            return None
        return through.end_ms is None or through.end_ms - direct.end_ms >= 0.8 * self.delay
