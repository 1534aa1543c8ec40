"""A service hangs: it is there, its ports accept, it does nothing."""

from __future__ import annotations

import signal
from typing import ClassVar

import psutil

from faults.service import ServiceFault, eventually, process_state, runs, state
from targets.target import ProbeResult, Target


class Pause(ServiceFault, frozen=True):
    """SIGSTOP, or the engine's own pause of a container; the undo is SIGCONT."""

    KIND: ClassVar[str] = "pause"

    def inject(self, target: Target) -> ProbeResult:
        """Stop it; not done when it does not run."""
        pid = state(target, self.service).pid
        if pid is None:
            return ProbeResult(False, f"{self.service} does not run: nothing to pause", {"pid": None})
        target.signal(self.service, signal.SIGSTOP)
        return ProbeResult(True, f"SIGSTOP to {self.service}, pid {pid}", {"service": self.service, "pid": pid})

    def verify_effect(self, target: Target) -> ProbeResult:
        """The kernel shows the process stopped, or the engine its container, and the service does not answer."""
        return eventually(lambda: self._hangs(target))

    def rollback(self, target: Target) -> ProbeResult:
        """Let it go on, if it is there."""
        pid = state(target, self.service).pid
        if pid is None:
            return ProbeResult(True, f"{self.service} does not run: nothing to let go on", {"changed": False})
        target.signal(self.service, signal.SIGCONT)
        return ProbeResult(True, f"SIGCONT to {self.service}, pid {pid}", {"changed": True, "pid": pid})

    def verify_removed(self, target: Target) -> ProbeResult:
        """It runs, is not stopped, and is healthy."""
        return eventually(lambda: runs(target, self.service))

    def _hangs(self, target: Target) -> ProbeResult:
        service = state(target, self.service)
        process = "paused by its engine" if service.frozen else process_state(service.pid)
        # Processes of others cannot always be seen from here; then the health alone has to do.
        stopped = service.frozen or process in (psutil.STATUS_STOPPED, "unseen")
        hangs = stopped and not service.healthy
        data = {"effect_seen": hangs, "pid": service.pid, "process": process, "healthy": service.healthy}
        return ProbeResult(hangs, f"{self.service} is {process}, {'' if service.healthy else 'not '}healthy", data)
