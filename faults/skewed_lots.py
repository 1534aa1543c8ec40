"""An account with very many lots: whoever works through them one by one under its lock holds it for long."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from targets.target import Capabilities, Conditions, ProbeResult, Target, offered

WHAT = "skewed-lots"


class SkewedLots(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``account`` gets so many lots that a lock held over them outlasts ``outlasts`` seconds, if nobody acts."""

    KIND: ClassVar[str] = "skewed-lots"

    account: str
    outlasts: Annotated[float, Meta(gt=0, le=600)]

    def missing(self, capabilities: Capabilities) -> str | None:
        """Lots, if the target cannot plant them."""
        known = ", ".join(sorted(capabilities.plantable)) or "nothing"
        return None if WHAT in capabilities.plantable else f"{WHAT} to plant (it can plant: {known})"

    def inject(self, target: Target) -> ProbeResult:
        """Plant the lots; the evidence holds how many shares of what, and how long the lock should last."""
        return _of(target).plant(WHAT, self._wanted())

    def verify_effect(self, target: Target) -> ProbeResult:
        """Others wait for the session that works through them."""
        seen = _of(target).look(WHAT, self._wanted(), wait=True)
        return ProbeResult(seen.felt, seen.says, {**seen.data, "effect_seen": seen.felt})

    def rollback(self, target: Target) -> ProbeResult:
        """Take the lots out again; the evidence holds how long the account was really held."""
        return _of(target).unplant(WHAT, self._wanted())

    def verify_removed(self, target: Target) -> ProbeResult:
        """No planted lots, and nobody waits over them."""
        seen = _of(target).look(WHAT, self._wanted(), wait=False)
        return ProbeResult(not (seen.there or seen.felt), seen.says, seen.data)

    def _wanted(self) -> dict[str, Any]:
        return {"account": self.account, "outlasts": self.outlasts}


def _of(target: Target) -> Conditions:
    return offered(target.conditions, "conditions to plant")
