"""The keeper of one hook: a small process that stays as long as anything of what it started lives.

``keeper.py FOLDER SERVICE FD COMMAND…`` (SERVICE is ``-`` where there is none) starts the command in a session of its
own, its output to FD, its errors to ours. Whatever comes of the command, forks twice, begins a session, cleans its
environment or writes over its title, stays below this process: an orphan's parent is the nearest subreaper above it.
So a service is found by the arguments of its keeper, which nothing rewrites (``targets.processes``).

Stdout is a pipe to who waits for the hook: ``started PID`` or ``failed ERRNO``, then ``ended STATUS``. What lives is
also written to ``FOLDER/SERVICE.PID.seen``, for when the keeper itself is killed: the boot, then pid and start of each.

It is run by its path, isolated, and imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

PR_SET_CHILD_SUBREAPER = 36
USUAL = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
"""Signals whose handling a process may change; the command gets the usual one for each."""
NO_SERVICE = "-"
OF_TARGET, OF_SERVICE = "KUNREN_DRILL_TARGET", "KUNREN_SERVICE"
"""The label: environment variables with the folder of the system, and which of its services a process belongs to."""
SEEN = ".seen"
GONE = b"ZXx"
"""States of a process that has ended, in ``/proc/PID/stat``."""

FIRST_LOOK_S, LAST_LOOK_S = 0.05, 1.0
"""Between two looks at what lives: often at first, then less and less, until a child ends."""


class Process(NamedTuple):
    """One row of the process table; ``start`` in clock ticks since boot tells it from another with the same number."""

    pid: int
    parent: int
    session: int
    start: int


def boot() -> str:
    """Which boot of the machine this is: another one counts processes anew."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def table() -> dict[int, Process]:
    """Every process of the machine that has not ended, by its number."""
    found = (stat(name) for name in os.listdir("/proc") if name.isdigit())
    return {each.pid: each for each in found if each is not None}


def stat(pid: int | str) -> Process | None:
    """One process; None when there is none of that number, or it has ended and only waits to be collected."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            rest = file.read().rpartition(b")")[2].split()  # its name may hold blanks and parentheses
    except OSError:
        return None
    if not rest or rest[0] in GONE:
        return None
    return Process(int(pid), int(rest[1]), int(rest[3]), int(rest[19]))


def below(roots: Iterable[int], processes: Mapping[int, Process]) -> set[int]:
    """The children of these processes, and theirs; not the roots themselves."""
    children: dict[int, list[int]] = {}
    for each in processes.values():
        children.setdefault(each.parent, []).append(each.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        new = [pid for pid in children.get(waiting.pop(), ()) if pid not in found]
        found.update(new)
        waiting += new
    return found


def main(folder: str, service: str, output: int, command: list[str]) -> None:
    """Start the command and stay until nothing of it is left."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # nobody ends a keeper politely: it ends by itself
    os.set_inheritable(output, False)
    try:
        _adopt_orphans()
        first = os.posix_spawnp(
            command[0], command, _labelled(folder, service), setsid=True, setsigmask=(), setsigdef=USUAL,
            file_actions=[(os.POSIX_SPAWN_DUP2, output, 1)],
        )  # fmt: skip
    except OSError as error:
        _report("failed", error.errno or 0)
        return
    _report("started", first)
    _stay(first, f"{folder}/{service}.{os.getpid()}{SEEN}")


def _labelled(folder: str, service: str) -> dict[str, str]:
    """The command's environment; ours has no label, for a keeper is no part of the system."""
    own = {} if service == NO_SERVICE else {OF_SERVICE: service}
    return {**os.environ, OF_TARGET: folder, **own}


def _adopt_orphans() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def _stay(first: int, seen: str) -> None:
    """Collect what ends, note what lives."""
    noted: list[str] = []
    pause = FIRST_LOOK_S
    while _collect(first):
        noted = _note(seen, noted)
        ended = signal.sigtimedwait({signal.SIGCHLD}, pause)
        pause = FIRST_LOOK_S if ended else min(2 * pause, LAST_LOOK_S)
    with contextlib.suppress(OSError):
        os.unlink(seen)


def _collect(first: int) -> bool:
    """Take every child that has ended out of the table; whether any is left."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True
        if pid == first:
            _report("ended", os.waitstatus_to_exitcode(status))


def _note(seen: str, noted: list[str]) -> list[str]:
    """Write down what lives, where that has changed; without a folder to write to the arguments have to do."""
    processes = table()
    lines = [
        f"{each.pid} {each.start}\n" for each in (processes[pid] for pid in sorted(below([os.getpid()], processes)))
    ]
    if lines != noted:
        with contextlib.suppress(OSError):
            with open(f"{seen}.new", "w") as file:
                file.writelines([f"{boot()}\n", *lines])
            os.rename(f"{seen}.new", seen)
    return lines


def _report(what: str, number: int) -> None:
    with contextlib.suppress(OSError):  # who started us has died; what was started lives on until it is ended
        os.write(1, f"{what} {number}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
