"""What the seven toxics have in common as faults: put on a link, read back, looked at from outside, taken off."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from faults.fault import FaultRecord
from faults.probe import Reaction, accepts, probe
from targets.references import LinkName
from targets.target import Capabilities, ProbeResult, Target, TargetError

PREFIX = "kunren-"
"""Names of toxics that are ours begin with it."""

LOOK_S = 1.0
SILENCE_S = 0.3
LONGEST_LOOK_S = 4.0

Ms = Annotated[int, Meta(ge=0, le=600_000)]
"""Milliseconds, at most ten minutes."""


class ToxicFault(FaultRecord, frozen=True, kw_only=True):
    """A toxic on a link; a subclass adds the toxic's own attributes and says how its effect looks from outside."""

    KIND: ClassVar[str]
    TYPE: ClassVar[str]

    link: LinkName
    stream: Literal["upstream", "downstream", "both"] = "both"
    toxicity: Annotated[float, Meta(gt=0, le=1)] = 1.0

    def seen(self, direct: Reaction, through: Reaction) -> bool | None:
        """Whether the two probes show the effect; None when they cannot tell."""
        return None

    def patience_ms(self) -> float:
        """How long the effect takes to show; decides how long the witness looks."""
        return 0.0

    def streams(self) -> tuple[str, ...]:
        """The directions it acts on."""
        return ("upstream", "downstream") if self.stream == "both" else (self.stream,)

    def toxic_name(self, stream: str) -> str:
        """The toxic's name on the proxy: follows from the fault's own fields, so that any process can undo it."""
        return f"{PREFIX}{self.KIND}-{stream}"

    def attributes(self) -> dict[str, int]:
        """The toxic's own attributes, in Toxiproxy's units."""
        common = {field.name for field in msgspec.structs.fields(ToxicFault)}
        return {name: value for name, value in msgspec.structs.asdict(self).items() if name not in common}

    def missing(self, capabilities: Capabilities) -> str | None:
        """The link, if the target has none of that name."""
        return (
            None
            if self.link in capabilities.links
            else f"link {self.link} (it has: {', '.join(sorted(capabilities.links))})"
        )

    def inject(self, target: Target) -> ProbeResult:
        """Add the toxic to each direction."""
        proxies = target.proxies()
        for stream in self.streams():
            name = self.toxic_name(stream)
            proxies.add_toxic(self.link, name, self.TYPE, stream, self.toxicity, self.attributes())
        says = f"{self.TYPE} {self.attributes()} on {self.link}, {self.stream}"
        return ProbeResult(True, says, {"link": self.link, "engine": proxies.engine(), "toxics": self._ours(target)})

    def verify_effect(self, target: Target) -> ProbeResult:
        """The toxics as the proxy shows them, and what a probe through the link shows compared with one past it."""
        ours = self._ours(target)
        wanted = {self.toxic_name(stream) for stream in self.streams()}
        if set(ours) != wanted:
            says = f"{self.link} has {sorted(ours) or 'no toxic of ours'}, not {sorted(wanted)}"
            return ProbeResult(False, says, {"toxics": ours})
        link = target.links()[self.link]
        direct = probe(link.upstream, LOOK_S, link.greeting)
        through = probe(link.listen, self._look_s(direct), link.greeting)
        seen = self._judge(direct, through)
        data = {"toxics": ours, "effect_seen": seen, "direct": direct.plain(), "through": through.plain()}
        return ProbeResult(seen is not False, f"{self.KIND} on {self.link} read back; {EFFECT[seen]}", data)

    def rollback(self, target: Target) -> ProbeResult:
        """Remove what is there of it."""
        try:
            found = sorted(self._ours(target))
        except TargetError:  # the original's list can hang; its removal knows a way out
            found = [self.toxic_name(stream) for stream in self.streams()]
        for name in found:
            target.proxies().remove_toxic(self.link, name)
        says = f"removed {', '.join(found)} from {self.link}" if found else f"nothing of ours was on {self.link}"
        return ProbeResult(True, says, {"removed": found})

    def verify_removed(self, target: Target) -> ProbeResult:
        """No toxic of ours left, and the link accepts connections."""
        left = sorted(self._ours(target))
        if left:
            return ProbeResult(False, f"still on {self.link}: {', '.join(left)}", {"left": left})
        return accepts(target.links()[self.link].listen, target.proxies().enabled(self.link))

    def _ours(self, target: Target) -> dict[str, Any]:
        names = {self.toxic_name(stream) for stream in self.streams()}
        return {name: dict(toxic) for name, toxic in target.proxies().toxics(self.link).items() if name in names}

    def _look_s(self, direct: Reaction) -> float:
        usual = (direct.first_ms or 0.0) * 10 / 1000
        return min(LONGEST_LOOK_S, max(SILENCE_S, usual) + 2 * self.patience_ms() / 1000)

    def _judge(self, direct: Reaction, through: Reaction) -> bool | None:
        if not direct.accepted or not through.accepted:
            return None
        seen = self.seen(direct, through)
        # Drawn for each connection: the probe may have been spared.
        return None if seen is False and self.toxicity < 1 else seen


EFFECT = {
    True: "effect seen by a probe through the link",
    None: "a probe cannot show the effect, it is to be judged from the samples",
    False: "but a probe through the link shows no effect",
}
"""What a witness says."""


def silenced(stream: str, direct: Reaction, through: Reaction) -> bool | None:
    """Whether nothing comes back where something does directly.

    Acting on replies alone, the end of a connection still passes: only a server that says something can show it.
    """
    if not direct.reacted or (stream == "downstream" and not direct.bytes):
        return None
    return through.bytes == 0 if stream == "downstream" else not through.reacted


def clear(target: Target) -> ProbeResult:
    """Remove every toxic whose name says that it is ours, whoever put it there."""
    removed: list[str] = []
    proxies = target.proxies()
    for link in sorted(target.links()):
        for name in [name for name in proxies.toxics(link) if name.startswith(PREFIX)]:
            proxies.remove_toxic(link, name)
            removed.append(f"{link}/{name}")
    return ProbeResult(True, f"removed {', '.join(removed) or 'nothing'}", {"removed": removed})
