"""A service dies without a chance to tidy up."""

from __future__ import annotations

import signal
from typing import ClassVar

from faults.service import ServiceFault, eventually, runs, state
from targets.target import ProbeResult, Target


class Kill(ServiceFault, frozen=True):
    """SIGKILL; the undo starts it again unless somebody already has."""

    KIND: ClassVar[str] = "kill"

    def inject(self, target: Target) -> ProbeResult:
        """Kill it; not done when it does not run."""
        pid = state(target, self.service).pid
        if pid is None:
            return ProbeResult(False, f"{self.service} does not run: nothing to kill", {"pid": None})
        target.signal(self.service, signal.SIGKILL)
        return ProbeResult(True, f"SIGKILL to {self.service}, pid {pid}", {"service": self.service, "pid": pid})

    def verify_effect(self, target: Target) -> ProbeResult:
        """It has no process and is not healthy."""
        return eventually(lambda: self._dead(target))

    def rollback(self, target: Target) -> ProbeResult:
        """Start it if it does not run."""
        pid = state(target, self.service).pid
        if pid is not None:
            return ProbeResult(True, f"{self.service} runs already, pid {pid}", {"changed": False, "pid": pid})
        target.start(self.service)
        return ProbeResult(True, f"{self.service} started", {"changed": True, "pid": state(target, self.service).pid})

    def verify_removed(self, target: Target) -> ProbeResult:
        """It runs and is healthy."""
        return eventually(lambda: runs(target, self.service))

    def _dead(self, target: Target) -> ProbeResult:
        service = state(target, self.service)
        dead = service.pid is None and not service.healthy
        says = f"{self.service} {'has no process' if service.pid is None else f'runs as pid {service.pid}'}"
        return ProbeResult(dead, says, {"effect_seen": dead, "pid": service.pid, "healthy": service.healthy})
