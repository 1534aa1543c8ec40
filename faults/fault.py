"""What a fault is: a frozen record whose fields are its YAML schema, and four verbs.

``inject``, ``witness``, ``undo`` and ``gone`` each return Evidence of what was actually done or seen. ``undo`` is
idempotent and needs nothing but the fault's own fields, so the intent to undo can be written down before injecting
and carried out by any later process.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from targets.target import Evidence, Offer, Target


class Fault(Protocol):
    """One way to break a target. Implementations are frozen msgspec Structs in a file of their own."""

    KIND: ClassVar[str]

    def missing(self, offer: Offer) -> str | None:
        """What the target lacks for this fault, in words; None when nothing."""

    def inject(self, target: Target) -> Evidence:
        """Break it."""

    def witness(self, target: Target) -> Evidence:
        """Look whether the effect is really there."""

    def undo(self, target: Target) -> Evidence:
        """Mend it; idempotent."""

    def gone(self, target: Target) -> Evidence:
        """Look whether nothing of it is left."""
