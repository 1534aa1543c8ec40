"""Connections through a link are torn down by a TCP reset."""

from __future__ import annotations

from typing import ClassVar

from faults.probe import Reaction
from faults.toxic import LONGEST_LOOK_S, Ms, ToxicFault


class ResetPeer(ToxicFault, frozen=True):
    """RST ``timeout`` ms after data arrives on a connection."""

    KIND: ClassVar[str] = "reset-peer"
    TYPE: ClassVar[str] = "reset_peer"

    timeout: Ms = 0

    def patience_ms(self) -> float:
        """Until the reset."""
        return float(self.timeout)

    def seen(self, direct: Reaction, through: Reaction) -> bool | None:
        """The probe is reset where it is not directly."""
        unreachable = self.stream == "downstream" and not direct.reacted
        if direct.end == "reset" or unreachable or self.timeout > LONGEST_LOOK_S * 1000:
            return None
        return through.end == "reset"
