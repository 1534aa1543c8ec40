"""The run's load as a fault sees it that changes it."""

from __future__ import annotations

from typing import Protocol


class Seen(Protocol):
    """How far a step has come (``loadprofiles.commands.Stepped``)."""

    @property
    def due(self) -> int:
        """Additional arrivals that were to have come by now."""

    @property
    def came(self) -> int:
        """Those that did."""

    @property
    def began(self) -> int:
        """When it began, ns."""

    @property
    def first(self) -> int:
        """When the first one came, ns; 0: not yet."""

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""


class Steps(Protocol):
    """A load that runs and may be stepped up. Each call may raise a TargetError."""

    def rate(self, service: str) -> float | None:
        """Arrivals a second without a step; None where there is no such service."""

    def step(self, name: str, service: str, per_s: float, lasts_s: float) -> None:
        """So many more a second, from now on and for so long."""

    def look(self, name: str) -> Seen | None:
        """How far it has come; None once the load has ended."""

    def end(self, name: str) -> Seen | None:
        """It goes no further."""
