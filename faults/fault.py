"""What a fault is: a frozen record whose fields are its YAML schema, and four verbs.

``inject``, ``verify_effect``, ``rollback`` and ``verify_removed`` each say what was actually done or seen.
``rollback`` is idempotent and needs nothing but the fault's own fields, so the intent to undo can be written down
before injecting and carried out by any later process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, cast

import msgspec
from msgspec.structs import FieldInfo

from faults.load import Steps
from targets.target import Capabilities, ProbeResult, Target


class Fault(Protocol):
    """One way to break a target. Implementations are ``FaultRecord``s in a file of their own."""

    KIND: ClassVar[str]

    def plain(self) -> dict[str, Any]:
        """The fields of its YAML, JSON-able."""

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


class DeclaredFault(Fault, Protocol):
    """A fault as a drill declares it; whoever runs the drill has its load as well."""

    def arrivals(self, usual: Mapping[str, float]) -> Mapping[str, float]:
        """Arrivals a second of each rated service while it lasts, of a load that usually has so many."""

    def driven(self, load: Steps, name: str, lasts_s: float) -> Fault:
        """The same with the run's load: under which name there, and for how many seconds."""


class FaultRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the faults: a frozen record whose fields are its YAML."""

    @classmethod
    def declared(cls) -> tuple[FieldInfo, ...]:
        """The fields of its YAML, but for ``kind``."""
        return msgspec.structs.fields(cls)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From the fields of its YAML; msgspec.ValidationError says what is wrong with them."""
        return msgspec.convert(fields, cls)

    def plain(self) -> dict[str, Any]:
        """The fields of its YAML, JSON-able."""
        return dict(msgspec.to_builtins(self))

    def arrivals(self, usual: Mapping[str, float]) -> Mapping[str, float]:
        """As many as usual: what breaks the target brings nobody."""
        return usual

    def driven(self, load: Steps, name: str, lasts_s: float) -> Fault:
        """Without it: what breaks the target needs no load."""
        return cast(Fault, self)
