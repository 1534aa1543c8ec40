"""What a fault is: a frozen record whose fields are its YAML schema, and four verbs.

``inject``, ``verify_effect``, ``rollback`` and ``verify_removed`` each say what was actually done or seen.
``rollback`` is idempotent and needs nothing but the fault's own fields, so the intent to undo can be written down
before injecting and carried out by any later process.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from targets.target import Capabilities, ProbeResult, Target


class Fault(Protocol):
    """One way to break a target. Implementations are frozen msgspec Structs in a file of their own."""

    KIND: ClassVar[str]

    def missing(self, capabilities: Capabilities) -> str | None:
        """What the target lacks for this fault, in words; None when nothing."""

    def inject(self, target: Target) -> ProbeResult:
        """Break it."""

    def verify_effect(self, target: Target) -> ProbeResult:
        """Look whether the effect is really there."""

    def rollback(self, target: Target) -> ProbeResult:
        """Undo it; idempotent."""

    def verify_removed(self, target: Target) -> ProbeResult:
        """Look whether nothing of it is left."""
