"""A service dies without a chance to tidy up."""

from __future__ import annotations

import signal
from typing import ClassVar

from faults.service import ServiceFault, eventually, runs, state
from targets.target import Evidence, Target


class Kill(ServiceFault, frozen=True):
    """SIGKILL; the undo starts it again unless somebody already has."""

    KIND: ClassVar[str] = "kill"

    def inject(self, target: Target) -> Evidence:
        """Kill it; not done when it does not run."""
        pid = state(target, self.service).pid
        if pid is None:
            return Evidence(False, f"{self.service} does not run: nothing to kill", {"pid": None})
        target.signal(self.service, signal.SIGKILL)
        return Evidence(True, f"SIGKILL to {self.service}, pid {pid}", {"service": self.service, "pid": pid})

    def witness(self, target: Target) -> Evidence:
        """It has no process and is not healthy."""
        return eventually(lambda: self._dead(target))

    def undo(self, target: Target) -> Evidence:
        """Start it if it does not run."""
        pid = state(target, self.service).pid
        if pid is not None:
            return Evidence(True, f"{self.service} runs already, pid {pid}", {"changed": False, "pid": pid})
        target.start(self.service)
        return Evidence(True, f"{self.service} started", {"changed": True, "pid": state(target, self.service).pid})

    def gone(self, target: Target) -> Evidence:
        """It runs and is healthy."""
        return eventually(lambda: runs(target, self.service))

    def _dead(self, target: Target) -> Evidence:
        service = state(target, self.service)
        dead = service.pid is None and not service.healthy
        says = f"{self.service} {'has no process' if service.pid is None else f'runs as pid {service.pid}'}"
        return Evidence(dead, says, {"effect_seen": dead, "pid": service.pid, "healthy": service.healthy})
