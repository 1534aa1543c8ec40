"""Data arrives in small pieces."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from faults.toxic import ToxicFault

Bytes = Annotated[int, Meta(ge=1, le=1_000_000)]


class Slicer(ToxicFault, frozen=True):
    """Pieces of ``average_size`` ± ``size_variation`` bytes, ``delay`` microseconds apart."""

    KIND: ClassVar[str] = "slicer"
    TYPE: ClassVar[str] = "slicer"

    average_size: Bytes
    size_variation: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    delay: Annotated[int, Meta(ge=0, le=10_000_000)] = 0

    def __post_init__(self) -> None:
        if self.size_variation >= self.average_size:
            raise ValueError(f"size_variation {self.size_variation} must be less than average_size {self.average_size}")
