"""A condition in the target's own data, as the world outside brings it about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec
from msgspec.structs import FieldInfo

from faults.fault import FaultRecord
from targets.references import ConditionName
from targets.target import Capabilities, Conditions, ProbeResult, Target, offered


class Planted(FaultRecord, frozen=True):
    """``what`` is one of the conditions that the target can plant; ``wanted`` are the parameters of that one.

    In a drill file they stand beside ``what``. How the condition shows, how long that may take and what has to be
    undone is known to the target alone.
    """

    KIND: ClassVar[str] = "planted"

    what: ConditionName
    wanted: dict[str, Any]

    @classmethod
    def declared(cls) -> tuple[FieldInfo, ...]:
        """``what``; all others are the condition's."""
        return tuple(field for field in super().declared() if field.name == "what")

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From ``what`` and the condition's parameters; msgspec.ValidationError."""
        own = {field.name for field in cls.declared()}
        named = {name: value for name, value in fields.items() if name in own}
        wanted = {name: value for name, value in fields.items() if name not in own}
        return msgspec.convert({**named, "wanted": wanted}, cls)

    def plain(self) -> dict[str, Any]:
        """``what`` and the condition's parameters, side by side."""
        return {"what": self.what, **self.wanted}

    def missing(self, capabilities: Capabilities) -> str | None:
        """The condition, if the target cannot plant it."""
        known = ", ".join(sorted(capabilities.plantable)) or "nothing"
        return None if self.what in capabilities.plantable else f"{self.what} to plant (it can plant: {known})"

    def inject(self, target: Target) -> ProbeResult:
        """Plant it."""
        return _of(target).plant(self.what, self.wanted)

    def verify_effect(self, target: Target) -> ProbeResult:
        """It is felt, for which the target waits as long as that may take."""
        seen = _of(target).look(self.what, self.wanted, wait=True)
        return ProbeResult(seen.felt, seen.says, {**seen.data, "effect_seen": seen.felt})

    def rollback(self, target: Target) -> ProbeResult:
        """Take it out again, with all it has led to that can be taken back."""
        return _of(target).unplant(self.what, self.wanted)

    def verify_removed(self, target: Target) -> ProbeResult:
        """It is neither there nor felt."""
        seen = _of(target).look(self.what, self.wanted, wait=False)
        return ProbeResult(not (seen.there or seen.felt), seen.says, seen.data)


def _of(target: Target) -> Conditions:
    return offered(target.conditions, "conditions to plant")
