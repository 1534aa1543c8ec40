"""What the run record says of the machine it ran on."""

from __future__ import annotations

import platform
import time
from typing import Any

import psutil


def machine() -> dict[str, Any]:
    """System, architecture, Python, cores, memory."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cores": psutil.cpu_count(),
        "memory_mib": psutil.virtual_memory().total // 2**20,
    }


def wall_offset() -> int:
    """Wall clock minus CLOCK_MONOTONIC, ns: the same at start and end unless a clock was set meanwhile."""
    return time.time_ns() - time.monotonic_ns()
