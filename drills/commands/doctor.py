"""``kunren doctor``: what this machine offers for drills, what is missing, and the fix.

Each probe tries the thing itself (starts the binary, makes the namespace, binds the ports) instead of guessing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from drills.execution import openfiles
from targets.finding import Finding, writable
from targets.registry import RUNTIMES, runtime


def examine(runs: Path) -> list[Finding]:
    """All probes, in order; none of them leaves anything behind."""
    means = [finding for name in RUNTIMES for finding in runtime(name).examine()]
    mine = writable("runs folder", runs, "give --runs a folder you may write to")
    probes = (_files, _cores)
    return [_platform(), *means, mine, *(probe() for probe in probes)]


def _platform() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.platform == "linux"
    return Finding("platform", ok, f"{sys.platform}, Python {version}", True, "" if ok else "drills run on Linux")


def _files() -> Finding:
    """What a run of our own drills would be refused for; a run raises the soft limit itself."""
    profile, files = openfiles.largest(runtime("local").files_per_customer)
    lacks = openfiles.lack(profile, files)
    if lacks is not None:
        return Finding("open files", False, lacks, True, openfiles.FIX.format(files=files))
    return Finding("open files", True, f"{openfiles.limits()}; a run takes {files} at most in one process", True)


def _cores() -> Finding:
    cores, memory = psutil.cpu_count() or 1, psutil.virtual_memory().available // 2**20
    ok = cores >= 2 and memory >= 1024
    return Finding(
        "cores, memory",
        ok,
        f"{cores} cores, {memory} MiB free",
        False,
        "" if ok else "runs may judge themselves invalid",
    )
