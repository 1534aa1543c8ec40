"""A service is cut off from the network: it runs, but what is sent to it and by it does not arrive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from faults.probe import Reaction, accepts, probe
from faults.service import ServiceFault, eventually, state
from faults.toxic import EFFECT, LOOK_S, SILENCE_S, silenced
from targets.target import Capabilities, Cut, Link, Partitioning, ProbeResult, Target, offered

BACK_S = 15.0
"""For a service to answer again: it opens new connections first."""


class Partition(ServiceFault, frozen=True):
    """The target cuts it off as well as it can and says what of it is not cut; the undo connects it again."""

    KIND: ClassVar[str] = "partition"

    def missing(self, capabilities: Capabilities) -> str | None:
        """The service, or a way to cut that one off."""
        if self.service not in capabilities.services:
            return ServiceFault.missing(self, capabilities)
        able = ", ".join(sorted(capabilities.partitionable)) or "none"
        return (
            None if self.service in capabilities.partitionable else f"a way to cut {self.service} off (it can: {able})"
        )

    def inject(self, target: Target) -> ProbeResult:
        """Cut it off; not done when it does not run."""
        if state(target, self.service).pid is None:
            return ProbeResult(False, f"{self.service} does not run: nothing to cut off", {"pid": None})
        partitioning = _of(target)
        partitioning.disconnect(self.service)
        cut = partitioning.cut(self.service)
        return ProbeResult(cut.there, f"{self.service} cut off: {cut.how}", _plain(cut))

    def verify_effect(self, target: Target) -> ProbeResult:
        """Wholly cut off it does not answer its health port; else nothing comes back through its links."""
        return eventually(lambda: self._silent(target))

    def rollback(self, target: Target) -> ProbeResult:
        """Connect it; what it does where nothing is to be undone is nothing."""
        _of(target).connect(self.service)
        return ProbeResult(True, f"{self.service} connected", {"service": self.service})

    def verify_removed(self, target: Target) -> ProbeResult:
        """Nothing of it in place, its links accept connections, and it is healthy, unless it does not run."""
        left = sorted(_of(target).cut(self.service).in_place)
        if left:  # no waiting will change that
            return ProbeResult(False, f"still in place: {', '.join(left)}", {"left": left})
        return eventually(lambda: self._back(target), BACK_S)

    def _silent(self, target: Target) -> ProbeResult:
        cut = _of(target).cut(self.service)
        healthy = state(target, self.service).healthy
        data = {**_plain(cut), "healthy": healthy}
        if not cut.there:
            return ProbeResult(False, f"{self.service} is not cut off", data)
        if cut.whole:
            seen = not healthy
            says = f"{self.service} {'does not answer' if seen else 'still answers'} on its own port"
            return ProbeResult(seen, says, {**data, "effect_seen": seen})
        looks = {name: _look(target.links()[name]) for name in cut.links}
        felt = _felt(silenced("both", *pair) for pair in looks.values())
        data["probes"] = {name: {"direct": a.plain(), "through": b.plain()} for name, (a, b) in looks.items()}
        says = f"{', '.join(cut.links)}: {EFFECT[felt]}; not cut: {', '.join(cut.passing)}"
        return ProbeResult(felt is not False, says, {**data, "effect_seen": felt})

    def _back(self, target: Target) -> ProbeResult:
        cut = _of(target).cut(self.service)
        service = state(target, self.service)
        closed = [name for name in cut.links if not _open(target, name)]
        ok = not closed and (service.pid is None or service.healthy)
        says = f"{self.service} connected, {'healthy' if service.healthy else 'not healthy'}, pid {service.pid}"
        return ProbeResult(ok, says, {"left": [], "closed": closed, "healthy": service.healthy})


def _of(target: Target) -> Partitioning:
    return offered(target.partitioning, "way to cut a service off")


def _plain(cut: Cut) -> dict[str, Any]:
    return {"links": list(cut.links), "not_cut": list(cut.passing), "in_place": sorted(cut.in_place), "how": cut.how}


def _look(link: Link) -> tuple[Reaction, Reaction]:
    direct = probe(link.upstream, LOOK_S, link.greeting)
    within_s = max(SILENCE_S, (direct.first_ms or 0.0) * 10 / 1000)
    return direct, probe(link.listen, within_s, link.greeting)


def _felt(each: Iterable[bool | None]) -> bool | None:
    """Of all that can tell, whether all are silent; None when none can."""
    found = [seen for seen in each if seen is not None]
    return all(found) if found else None


def _open(target: Target, link: str) -> bool:
    return accepts(target.links()[link].listen, target.proxies().enabled(link)).ok
