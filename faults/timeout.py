"""A link goes silent: connections stay, data vanishes."""

from __future__ import annotations

from typing import ClassVar

from faults.probe import Reaction
from faults.toxic import Ms, ToxicFault, silenced


class Timeout(ToxicFault, frozen=True):
    """Data is dropped; connections are closed after ``timeout`` ms without data, never when 0, and on undo."""

    KIND: ClassVar[str] = "timeout"
    TYPE: ClassVar[str] = "timeout"

    timeout: Ms = 0

    def patience_ms(self) -> float:
        """Until it closes."""
        return float(self.timeout)

    def seen(self, direct: Reaction, through: Reaction) -> bool | None:
        """Silence, or no byte and the close that belongs to the time-out."""
        closed_by_it = not through.bytes and self.timeout > 0 and (through.end_ms or 0.0) >= 0.8 * self.timeout
        quiet = silenced(self.stream, direct, through)
        return quiet if quiet is None else quiet or closed_by_it
