"""Which processes are of a described system, whatever they did to their environment, title, session or parent.

Three ways, since each can be lost: descendants of its keepers (``targets.keeper``); carriers of the label that its
hooks get in their environment; what a keeper had written down before it was killed. Descendants of any of these belong
to it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator, Mapping
from pathlib import Path

from targets.keeper import OF_SERVICE, OF_TARGET, SEEN, Process, below, boot, stat, table

KEEPER = Path(__file__).with_name("keeper.py")
LONGEST = 100
"""Letters of a command in a message."""


def belonging(folder: Path, service: str | None = None) -> list[int]:
    """Process ids of the system, oldest first; of one service alone if it is named. Its keepers are none of them."""
    processes = table()
    keepers = _keepers(folder)
    kept = {pid for pid, keeps in keepers.items() if service in (None, keeps)}
    roots = kept | _labelled(folder, service) | _noted(folder, service, processes)
    found = (roots | below(roots, processes)) - {*keepers, os.getpid()}
    return sorted(found & processes.keys(), key=lambda pid: (processes[pid].start, pid))


def keepers(folder: Path, service: str | None = None) -> list[int]:
    """Process ids of its keepers."""
    found = _keepers(folder)
    return sorted(pid for pid, keeps in found.items() if service in (None, keeps) and stat(pid) is not None)


def folders(root: Path) -> set[Path]:
    """The folders right below ``root`` of all systems that have a process, be the folder still there or not."""
    kept = (words[at + 1] for _, words in arguments() if (at := _keeper_at(words)) is not None)
    labels = (entry.partition("=")[2] for _, found in _environments() for entry in found if entry.startswith(_LABEL))
    return {Path(each) for each in (*kept, *labels) if Path(each).parent == root}


def words(pid: int) -> str:
    """The process for people: number, command, and whose it is where it is not ours; also of one that has gone."""
    command = " ".join(_split(pid, "cmdline")).strip()
    try:
        owner = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return f"process {pid}"
    whose = "" if owner == os.geteuid() else f" of {_name(owner)}"
    return f"process {pid}{f' ({command[:LONGEST]})' if command else ''}{whose}"


_LABEL = f"{OF_TARGET}="


def _keepers(folder: Path) -> dict[int, str]:
    """Process id -> service of each keeper of the system."""
    found = {}
    for pid, words in arguments():
        at = _keeper_at(words)
        if at is not None and words[at + 1] == str(folder):
            found[pid] = words[at + 2]
    return found


def _keeper_at(words: list[str]) -> int | None:
    """Where among a process's arguments the keeper's program stands, with a folder and a service after it."""
    at = next((at for at, word in enumerate(words[:8]) if os.path.basename(word) == KEEPER.name), None)
    return at if at is not None and at + 2 < len(words) else None


def _labelled(folder: Path, service: str | None) -> set[int]:
    wanted = {f"{OF_TARGET}={folder}"}
    if service is not None:
        wanted.add(f"{OF_SERVICE}={service}")
    return {pid for pid, environment in _environments() if wanted <= environment and pid != os.getpid()}


def _noted(folder: Path, service: str | None, processes: Mapping[int, Process]) -> set[int]:
    """What keepers have seen and is still there, with all that shares a session with it: the hook began that."""
    seen = set(_seen(folder, service))
    there = [each for each in processes.values() if (each.pid, each.start) in seen]
    sessions = {each.session for each in there}
    return {each.pid for each in processes.values() if each.session in sessions}


def _seen(folder: Path, service: str | None) -> Iterator[tuple[int, int]]:
    """Number and start of each, as written in this boot of the machine; it may have begun a session since."""
    for path in folder.glob(f"*{SEEN}"):
        if service is not None and path.name.rsplit(".", 2)[0] != service:
            continue
        with contextlib.suppress(OSError, ValueError):  # its keeper has just left, or it is damaged
            first, *lines = path.read_text().splitlines() or [""]
            if first == boot():
                for line in lines:
                    pid, start = map(int, line.split())
                    yield pid, start


def _environments() -> Iterator[tuple[int, frozenset[str]]]:
    """Of every process whose environment we may read."""
    for pid in _numbers():
        if found := _split(pid, "environ"):
            yield pid, frozenset(found)


def arguments() -> Iterator[tuple[int, list[str]]]:
    """Of every process that shows any."""
    for pid in _numbers():
        if found := _split(pid, "cmdline"):
            yield pid, found


def _numbers() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _split(pid: int, what: str) -> list[str]:
    """A list in the process's folder; empty where it may not be read, has ended, or has none."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{what}", "rb") as file:
        content = file.read().rstrip(b"\0")  # a title that was written over them may not end with one
        return [os.fsdecode(each) for each in content.split(b"\0")] if content else []
    return []


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
