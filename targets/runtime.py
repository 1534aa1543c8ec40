"""What makes targets: a ``Runtime`` is one way to have a system under drill (``targets.registry``).

A runtime starts nothing by itself. It says what its targets offer and what this machine lacks for them, and makes one
for a ``Request``. A ``Cleanup`` finds and ends those that a dead owner left behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from targets.finding import Finding
from targets.target import Capabilities, Intent, Startable, Target


@dataclass(frozen=True, slots=True)
class Request:
    """The system that one run needs. ``start`` is a business time of day (``HH:MM[:SS]``), None: as the phase begins.

    ``run`` is what the run is called, for labels; ``compression`` is in business seconds a second. ``settings`` are
    those of ``Capabilities.adjustable`` that differ from what is usual.
    """

    run: str
    seed: int
    phase: str
    start: str | None
    compression: int
    logs: Path
    proxy: str = "auto"
    settings: Mapping[str, float] = field(default_factory=dict)


class Cleanup(Protocol):
    """Who finds a sort of targets again, without knowing what was asked for when they were made."""

    name: str
    """As in ``Intent.target``."""

    def abandoned(self) -> Sequence[Intent]:
        """Those that are still there although no owner lives."""

    def owned(self, intent: Intent) -> bool:
        """Whether the process that made it still lives."""

    def attach(self, intent: Intent) -> Target:
        """A handle on one that some other process started; TargetError when it is not there."""

    def end(self, intent: Intent) -> Iterable[str]:
        """Stop all that runs of it and remove all that it left; what was done, a sentence each. Idempotent."""


class Runtime(Protocol):
    """One way to have a system under drill."""

    name: str
    source: bytes | None
    """The file that describes it; None for one that comes with this package."""
    compression: int
    """Business seconds a second that its targets are meant for."""
    start_stop_s: float
    """What starting and stopping takes at most, in all, on an ordinary machine: for the forecast."""

    files_per_customer: int
    """Descriptors on this machine that a customer takes in the process that has most of them: 2 in a proxy, which
    connects on, 1 where the load generator alone is here."""

    def capabilities(self) -> Capabilities:
        """What each of its targets can do."""

    def examine(self) -> Iterable[Finding]:
        """What this machine has for it, found out by trying; leaves nothing behind."""

    def lacking(self, proxy: str) -> tuple[str, ...]:
        """What this machine lacks for a target with that proxy engine, each with its fix; quick."""

    def make(self, request: Request) -> Startable:
        """A target that is not started yet; TargetError when there can be none, and then nothing of it is there."""
