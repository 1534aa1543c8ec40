"""More customers than usual, for a while: nothing is broken, and more comes than the target was made for.

Whoever drives the load lets it take a step; the target is not touched. A load lives no longer than its run, so nothing
of a step is left for any later process to undo.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from faults.fault import Fault, FaultRecord
from faults.load import Seen, Steps
from targets.references import RatedService
from targets.target import Capabilities, ProbeResult, Target

FIRST_WITHIN_S = 5.0
"""For the first additional arrival; at one a second it is late by chance in seven of a thousand runs."""
LOOK_S, SHARE = 2.0, 0.5
"""A witness counts arrivals for so long, and for no more than this share of the step."""
POLL_S = 0.005
CHANCE = 3
"""Standard deviations of a Poisson process that the arrivals may be short of their rate."""
NS = 1_000_000_000


class LoadStep(FaultRecord, frozen=True):
    """Arrivals of a rated ``service`` are ``times`` as many as usual, or go up ``to`` so many a second."""

    KIND: ClassVar[str] = "load-step"

    service: RatedService
    times: Annotated[float, Meta(gt=1, le=100)] | None = None
    to: Annotated[float, Meta(gt=0, le=2000)] | None = None

    def __post_init__(self) -> None:
        if (self.times is None) == (self.to is None):
            raise ValueError("either times or to says how many come")

    def rate(self, usual: float) -> float:
        """Arrivals a second during the step, of a service that usually has so many."""
        return usual * self.times if self.times is not None else self.to or 0.0

    def arrivals(self, usual: Mapping[str, float]) -> Mapping[str, float]:
        """Of its service more than usual, where the load has that at all."""
        if self.service not in usual:
            return usual
        return {**usual, self.service: self.rate(usual[self.service])}

    def driven(self, load: Steps, name: str, lasts_s: float) -> Fault:
        """By the load."""
        return Driven(self, load, name, lasts_s)

    def missing(self, capabilities: Capabilities) -> str | None:
        """Nothing: the load is ours."""
        return None

    def inject(self, target: Target) -> ProbeResult:
        """Not without the load that is to take the step (``Driven``)."""
        return ProbeResult(False, "no load runs that could be stepped up")

    def verify_effect(self, target: Target) -> ProbeResult:
        """Nothing can be seen of it without the load."""
        return ProbeResult(False, "no load runs", {"effect_seen": None})

    def rollback(self, target: Target) -> ProbeResult:
        """It has ended with its load."""
        return ProbeResult(True, "no load runs: the step has ended with it")

    def verify_removed(self, target: Target) -> ProbeResult:
        """It has ended with its load."""
        return self.rollback(target)


@dataclass(frozen=True, slots=True)
class Driven:
    """A load-step with the load that takes it, its name there, and how long it lasts."""

    KIND: ClassVar[str] = LoadStep.KIND

    fault: LoadStep
    load: Steps
    name: str
    lasts_s: float

    def plain(self) -> dict[str, Any]:
        """The fields of its YAML, JSON-able."""
        return self.fault.plain()

    def missing(self, capabilities: Capabilities) -> str | None:
        """What the target lacks for it."""
        return self.fault.missing(capabilities)

    def inject(self, target: Target) -> ProbeResult:
        """Step the load up; it has struck when the first additional customer has come."""
        usual = self.load.rate(self.fault.service)
        if usual is None:
            return ProbeResult(False, f"the load has no service {self.fault.service}")
        more = self.fault.rate(usual) - usual
        if more <= 0:
            return ProbeResult(False, f"{self.fault.service} has {usual:g}/s already")
        self.load.step(self.name, self.fault.service, more, self.lasts_s)
        seen = self._wait_for(lambda seen: bool(seen.first) or seen.over, FIRST_WITHIN_S)
        if seen is None or not seen.first:
            return ProbeResult(False, "no additional customer has come")
        says = f"{self.fault.service} goes from {usual:g}/s to {usual + more:g}/s for {self.lasts_s:g} s"
        return ProbeResult(True, says, {"usual_per_s": usual, "per_s": usual + more, "first_ns": seen.first})

    def verify_effect(self, target: Target) -> ProbeResult:
        """The additional customers have really come at their rate, chance allowed for."""
        usual = self.load.rate(self.fault.service) or 0.0
        wanted, span = self.fault.rate(usual) - usual, min(LOOK_S, SHARE * self.lasts_s)
        seen = self._wait_for(lambda seen: seen.over or _age(seen) >= span, span + 1)
        if seen is None:
            return ProbeResult(False, "the load has ended", {"effect_seen": None})
        reached = min(_age(seen), self.lasts_s)  # whoever looks late sees nobody come after the end
        expected = wanted * reached
        enough = seen.came >= expected - CHANCE * expected**0.5 and seen.came > 0
        data = {"came": seen.came, "due": seen.due, "seconds": round(reached, 3), "wanted_per_s": wanted}
        says = f"{seen.came} additional customers in {reached:.1f} s, {wanted * reached:.0f} expected"
        return ProbeResult(enough, says, {**data, "effect_seen": enough})

    def rollback(self, target: Target) -> ProbeResult:
        """Nobody more comes for it."""
        seen = self.load.end(self.name)
        return (
            self.fault.rollback(target)
            if seen is None
            else ProbeResult(True, f"{seen.came} came in all", _in_all(seen))
        )

    def verify_removed(self, target: Target) -> ProbeResult:
        """Whether nobody more comes."""
        seen = self.load.look(self.name)
        if seen is None:
            return self.fault.verify_removed(target)
        return ProbeResult(seen.over, "it is over" if seen.over else "customers still come for it", _in_all(seen))

    def _wait_for(self, holds: Callable[[Seen], bool], within_s: float) -> Seen | None:
        """How far it has come when it holds, or when the time is up; None where the load has ended."""
        until = time.monotonic() + within_s
        while (seen := self.load.look(self.name)) is not None and not holds(seen) and time.monotonic() < until:
            time.sleep(POLL_S)
        return seen


def _age(seen: Seen) -> float:
    """How long it has lasted by now, s."""
    return (time.monotonic_ns() - seen.began) / NS


def _in_all(seen: Seen) -> dict[str, Any]:
    return {"came": seen.came, "due": seen.due}
