"""How much processor time containers have used, as the kernel counts it for each control group.

A container has the same group as long as it is there; one that is started anew counts from zero again. Read from this
machine's files, which is a hundred times faster than asking the engine, and works only where the engine is on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def counters(pids: Iterable[int], proc: Path = Path("/proc"), groups: Path = GROUPS) -> Sequence[Path] | None:
    """The file of each process's group that counts; None where one of them has none to be read."""
    found = []
    for pid in pids:
        try:
            lines = (proc / str(pid) / "cgroup").read_text().splitlines()
        except OSError:
            return None
        file = next((file for line in lines if (file := _counter(line, groups)) is not None and file.is_file()), None)
        if file is None:
            return None
        found.append(file)
    return found


def used(files: Sequence[Path]) -> int:
    """In all, ns; a container that does not run counts nothing."""
    return sum(map(_used, files))


def _counter(line: str, groups: Path) -> Path | None:
    """For one line ``NUMBER:CONTROLLERS:PATH``; version 2 names no controller. The root counts for all."""
    _, controllers, path = line.split(":", 2)
    group = path.lstrip("/")
    if group and not controllers:
        return groups / group / "cpu.stat"
    if group and "cpuacct" in controllers.split(","):
        return groups / "cpuacct" / group / "cpuacct.usage"
    return None


def _used(file: Path) -> int:
    try:
        words = file.read_text().split()
    except OSError:
        return 0
    if len(words) == 1:
        return int(words[0])
    return int(dict(zip(words[::2], words[1::2], strict=True))["usage_usec"]) * 1000
