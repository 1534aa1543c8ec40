"""What the run record says of the machine it ran on."""

from __future__ import annotations

import platform
import re
import time
from importlib.metadata import PackageNotFoundError, requires, version
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


UNDERNEATH = ("psycopg-binary", "gevent", "geventhttpclient", "msgpack", "requests")
"""Not asked for by us, but what the driver and the load stand on."""


def libraries() -> dict[str, str]:
    """Name -> version of Python and of every library that a run uses, by name; one that is not there is left out."""
    asked = [re.split(r"[^\w.-]", line)[0] for line in requires("kunren") or () if "extra ==" not in line]
    found = {"python": platform.python_version()}
    for name in (*asked, *UNDERNEATH):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return dict(sorted(found.items()))


def wall_offset() -> int:
    """Wall clock minus CLOCK_MONOTONIC, ns: the same at start and end unless a clock was set meanwhile."""
    return time.time_ns() - time.monotonic_ns()
