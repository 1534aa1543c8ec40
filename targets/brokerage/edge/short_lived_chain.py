"""A name whose chain ends soon: the vendor has issued it so, and nobody has looked.

Nothing breaks when it comes. Once it has ended customers do not accept it: those who come anew at once, the others when
their connection has reached its age. Planted is what the edge serves; what has been renewed since is left as it is.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from targets.brokerage.certification import put
from targets.brokerage.condition import asked
from targets.brokerage.config import Config
from targets.brokerage.edge import certificates
from targets.brokerage.edge.certificates import Shown
from targets.brokerage.edge.delivered import is_pair
from targets.brokerage.edge.names import ServerName
from targets.brokerage.edge.probe import chain_served
from targets.brokerage.vendor.authority import Part
from targets.brokerage.vendor.service import from_text
from targets.target import ConditionState, ProbeResult

WITHIN_S = 3.0
LOOK_FOR_S = 3.0
PAUSE_S = 0.1
SHORT_S = 3600.0
"""What ends sooner was not issued in the ordinary way."""


class ShortLivedChain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under ``name`` a chain is served of which ``part`` ends ``seconds`` from now."""

    NAME: ClassVar[str] = "short-lived-chain"

    name: ServerName
    seconds: Annotated[float, Meta(gt=0, le=600)]
    part: Part = "leaf"

    def plant(self, config: Config) -> ProbeResult:
        """Have it issued and served; the facts say which it is."""
        wanted = {"name": self.name, "seconds": self.seconds, "part": self.part}
        put(Path(config.folder), self.name, from_text(_asked(config, "vendor", "/issue", wanted)))
        _asked(config, "edge_http", "/ops/reload", {})
        shown = _served(config, self.name)
        if shown is None:
            return ProbeResult(False, f"no handshake as {self.name}")
        left = round(shown.seconds_left(certificates.now()), 1)
        facts = {"name": self.name, "fingerprint": shown.fingerprint, "seconds_left": left}
        return ProbeResult(True, f"{self.name} is served a chain whose {self.part} ends in {left:g} s", facts)

    def look(self, config: Config, *, wait: bool) -> ConditionState:
        """There while it lies in the edge's files; felt while a new handshake is shown it."""
        until = time.monotonic() + LOOK_FOR_S
        while not (seen := self._state(config)).felt and wait and time.monotonic() < until:
            time.sleep(PAUSE_S)
        return seen

    def unplant(self, config: Config) -> ProbeResult:
        """Another one in its place, as it is usually issued; nothing where somebody has renewed it.

        What was installed and cannot be loaded is replaced as well, or the short one would be served on.
        """
        before = self._state(config)
        if before.there or (before.felt and not is_pair(Path(config.folder), self.name)):
            put(Path(config.folder), self.name, from_text(_asked(config, "vendor", "/issue", {"name": self.name})))
        if before.felt:
            _asked(config, "edge_http", "/ops/reload", {})
        changed = before.there or before.felt
        says = "served an ordinary chain again" if changed else "renewed already"
        return ProbeResult(True, f"{self.name}: {says}", {"changed": changed})

    def _state(self, config: Config) -> ConditionState:
        file = certificates.in_file(certificates.place(Path(config.folder), self.name) / certificates.CHAIN)
        shown = _served(config, self.name)
        there, felt = _is_short(file), shown is not None and _is_short(shown)
        left = None if shown is None else round(shown.seconds_left(certificates.now()), 1)
        says = f"{self.name}: no handshake" if left is None else f"{self.name} is served a chain with {left:g} s left"
        return ConditionState(there, felt, says, {"seconds_left": left})


def _is_short(shown: Shown) -> bool:
    return shown.seconds_left(certificates.now()) < SHORT_S


def _served(config: Config, name: str) -> Shown | None:
    """None where there is no handshake."""
    try:
        return certificates.in_handshake(chain_served(config.at("edge"), WITHIN_S, name))
    except OSError:
        return None


def _asked(config: Config, port: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What is answered; ValueError where it is refused."""
    status, said = asked(config, port, path, body, WITHIN_S)
    if status != 200:
        raise ValueError(f"{path}: answered {status}: {said.get('says')}")
    return said
