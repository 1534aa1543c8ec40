"""A link gets narrow."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from faults.probe import Reaction
from faults.toxic import ToxicFault, silenced


class Bandwidth(ToxicFault, frozen=True):
    """``rate`` kilobytes a second in each direction it acts on; 0 holds everything back."""

    KIND: ClassVar[str] = "bandwidth"
    TYPE: ClassVar[str] = "bandwidth"

    rate: Annotated[int, Meta(ge=0, le=10_000_000)]

    def seen(self, direct: Reaction, through: Reaction) -> bool | None:
        """A few bytes show a rate of 0 only."""
        return silenced(self.stream, direct, through) if self.rate == 0 else None
