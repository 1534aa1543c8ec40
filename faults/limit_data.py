"""Connections through a link are closed after so many bytes."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from faults.probe import Reaction
from faults.toxic import ToxicFault


class LimitData(ToxicFault, frozen=True):
    """``bytes`` bytes pass in each direction it acts on, then the connection is closed."""

    KIND: ClassVar[str] = "limit-data"
    TYPE: ClassVar[str] = "limit_data"

    bytes: Annotated[int, Meta(ge=0, le=10_000_000_000)]

    def seen(self, direct: Reaction, through: Reaction) -> bool | None:
        """The probe gets a part of what it gets directly; a short reply shows nothing."""
        if self.stream == "upstream" or direct.bytes <= self.bytes:
            return None
        return through.bytes <= self.bytes
