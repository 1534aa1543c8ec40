"""A link is cut: its port refuses, its connections are dropped."""

from __future__ import annotations

from typing import ClassVar

from faults.fault import FaultRecord
from faults.probe import accepts, connects
from targets.references import LinkName
from targets.target import Capabilities, ProbeResult, Target

LOOK_S = 1.0


class Down(FaultRecord, frozen=True):
    """The link's proxy is disabled."""

    KIND: ClassVar[str] = "down"

    link: LinkName

    def missing(self, capabilities: Capabilities) -> str | None:
        """The link, if the target has none of that name."""
        return (
            None
            if self.link in capabilities.links
            else f"link {self.link} (it has: {', '.join(sorted(capabilities.links))})"
        )

    def inject(self, target: Target) -> ProbeResult:
        """Disable the proxy."""
        proxies = target.proxies()
        proxies.set_enabled(self.link, False)
        return ProbeResult(True, f"{self.link} disabled", {"link": self.link, "engine": proxies.engine()})

    def verify_effect(self, target: Target) -> ProbeResult:
        """A connection through the link is refused."""
        enabled = target.proxies().enabled(self.link)
        seen = connects(target.links()[self.link].listen, LOOK_S)
        ok = not enabled and seen.end == "refused"
        data = {"enabled": enabled, "effect_seen": seen.end == "refused", "through": seen.plain()}
        return ProbeResult(ok, f"{self.link}: a connection is {'refused' if seen.end == 'refused' else seen.end}", data)

    def rollback(self, target: Target) -> ProbeResult:
        """Enable the proxy unless it is."""
        proxies = target.proxies()
        was = proxies.enabled(self.link)
        if not was:
            proxies.set_enabled(self.link, True)
        return ProbeResult(True, f"{self.link} {'was enabled' if was else 'enabled again'}", {"changed": not was})

    def verify_removed(self, target: Target) -> ProbeResult:
        """The link accepts connections."""
        return accepts(target.links()[self.link].listen, target.proxies().enabled(self.link))
