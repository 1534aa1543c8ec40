"""What the faults on a service have in common: they wait, within limits, until its state is as it should be."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from faults.fault import FaultRecord
from targets.references import ServiceName
from targets.target import Capabilities, ProbeResult, ServiceState, Target, TargetError

LOOK_S = 5.0
PAUSE_S = 0.05


class ServiceFault(FaultRecord, frozen=True):
    """A fault on one service."""

    service: ServiceName

    def missing(self, capabilities: Capabilities) -> str | None:
        """The service, if the target has none of that name."""
        known = ", ".join(sorted(capabilities.services))
        return None if self.service in capabilities.services else f"service {self.service} (it has: {known})"


def state(target: Target, name: str) -> ServiceState:
    """The service as of now; TargetError when the target knows none of that name."""
    services = target.services()
    if name not in services:
        raise TargetError(f"no service {name}; there are: {', '.join(sorted(services))}")
    return services[name]


def eventually(look: Callable[[], ProbeResult], within_s: float = LOOK_S) -> ProbeResult:
    """Look until it is so, or until the time is over; the last look."""
    until = time.monotonic() + within_s
    while not (seen := look()).ok and time.monotonic() < until:
        time.sleep(PAUSE_S)
    return seen


def process_state(pid: int | None) -> str:
    """``stopped``, ``running``, ``sleeping`` …, ``none`` without a pid, ``unseen`` where we cannot look."""
    if pid is None:
        return "none"
    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return "none"
    except psutil.Error:
        return "unseen"


def runs(target: Target, name: str) -> ProbeResult:
    """Whether the service runs, is not stopped, and calls itself healthy."""
    service = state(target, name)
    process = "paused by its engine" if service.frozen else process_state(service.pid)
    ok = service.pid is not None and service.healthy and not service.frozen and process != psutil.STATUS_STOPPED
    data = {"pid": service.pid, "process": process, "healthy": service.healthy}
    return ProbeResult(
        ok, f"{name}: pid {service.pid}, {process}, {'healthy' if service.healthy else 'not healthy'}", data
    )
