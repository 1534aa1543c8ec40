"""Keys mixed up at the vendor: what its hotline hands over next is a certificate with the key of another order.

A mistake of the vendor's staff. The certificate is good by itself, and so is the key; they do not belong together.
Nothing of it is felt before somebody has a certificate issued. What the vendor issues otherwise is in order.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from targets.brokerage.condition import asked
from targets.brokerage.config import Config
from targets.brokerage.edge.names import ServerName
from targets.target import ConditionState, ProbeResult

WITHIN_S = 3.0


class KeysMixedUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next ``deliveries`` of the hotline for ``name`` come with the key of another order."""

    NAME: ClassVar[str] = "keys-mixed-up"

    name: ServerName
    deliveries: Annotated[int, Meta(ge=1, le=10)] = 1

    def plant(self, config: Config) -> ProbeResult:
        """The facts say how many deliveries it will concern."""
        _set(config, self.name, self.deliveries)
        says = f"the vendor will hand over the key of another order for {self.name}, {self.deliveries} time(s)"
        return ProbeResult(True, says, {"name": self.name, "deliveries": self.deliveries})

    def look(self, config: Config, *, wait: bool) -> ConditionState:
        """There while such a delivery is still to come, and that is all that is to be seen of it at the vendor."""
        left = self._left(config)
        says = f"{left} deliveries for {self.name} are to come with the key of another order"
        return ConditionState(left > 0, left > 0, says, {"deliveries": left})

    def unplant(self, config: Config) -> ProbeResult:
        """The vendor's keys are in order again; what has been delivered since is the operators' to look at."""
        left = self._left(config)
        _set(config, self.name, 0)
        return ProbeResult(True, f"the keys for {self.name} are in order", {"changed": left > 0})

    def _left(self, config: Config) -> int:
        status, said = asked(config, "vendor", f"/mixed-up/{self.name}", {}, WITHIN_S, "GET")
        if status != 200:
            raise ValueError(f"the vendor answered {status}: {said.get('says')}")
        return int(said["deliveries"])


def _set(config: Config, name: str, deliveries: int) -> None:
    """ValueError where the vendor refuses."""
    status, said = asked(config, "vendor", f"/mixed-up/{name}", {"deliveries": deliveries}, WITHIN_S)
    if status != 200:
        raise ValueError(f"the vendor answered {status}: {said.get('says')}")
