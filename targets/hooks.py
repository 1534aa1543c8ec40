"""The processes of a described system: started by argv hooks, known by a label in their environment, ended by it.

Every process that a hook starts inherits the label, so whatever it leaves behind is found again, by any process and
without a list that could be out of date. What a hook hands to somebody else's hands (a container engine, an init
system) carries no label: it can be started and stopped by hooks, and neither killed nor paused.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from targets.target import StartFailed, TargetError

OF_TARGET, OF_SERVICE = "KUNREN_DRILL_TARGET", "KUNREN_SERVICE"
"""Environment variables: the folder of the system, and which of its services a process belongs to."""

TERM_WITHIN_S, KILL_WITHIN_S = 5.0, 3.0
LOOK_S = 0.05


class NotStarted(StartFailed):
    """A hook that failed to start something and left no process: what is there has another owner."""


def labelled(folder: Path, service: str | None = None) -> list[int]:
    """Process ids of the system, oldest first; of one service alone if it is named. Zombies have no label left."""
    wanted = {f"{OF_TARGET}={folder}".encode()}
    if service is not None:
        wanted.add(f"{OF_SERVICE}={service}".encode())
    return sorted(pid for pid, environment in _environments() if wanted <= environment and pid != os.getpid())


def send(pids: Sequence[int], number: int) -> None:
    """A signal to each that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def launch(argv: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, with this environment, its output to the log; NotStarted when there is no such
    program."""
    with log.open("ab") as output:
        try:
            return subprocess.Popen(
                argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise NotStarted(f"cannot run {argv[0]}: {os.strerror(error.errno or 0)}") from error


def carry_out(argv: Sequence[str], folder: Path, environment: Mapping[str, str], within_s: float) -> str:
    """Run a hook to its end; what it printed. TargetError when it fails or is not done in time."""
    try:
        done = subprocess.run(
            argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=within_s,
            check=False,
        )  # fmt: skip
    except OSError as error:
        raise TargetError(f"cannot run {argv[0]}: {os.strerror(error.errno or 0)}") from error
    except subprocess.TimeoutExpired:
        raise TargetError(f"{' '.join(argv)}: not done within {within_s:g} s") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise TargetError(f"{' '.join(argv)}: exit {done.returncode}: {said[-1]}")
    return done.stdout.decode(errors="replace")


def end(folder: Path, service: str | None = None, within_s: float = TERM_WITHIN_S) -> list[int]:
    """SIGTERM to all that is labelled so, SIGKILL to what is left after a while; who would not even leave then."""
    for number, patience in ((signal.SIGTERM, within_s), (signal.SIGKILL, KILL_WITHIN_S)):
        until = time.monotonic() + patience
        told: set[int] = set()
        while left := labelled(folder, service):
            new = [pid for pid in left if pid not in told]
            send(new, number)
            if number == signal.SIGTERM:
                send(new, signal.SIGCONT)  # who is paused cannot hear
            told.update(new)
            if time.monotonic() > until:
                break
            time.sleep(LOOK_S)
        if not left:
            return []
    return left


def _environments() -> Iterator[tuple[int, frozenset[bytes]]]:
    """Of every process whose environment we may read."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry.name}/environ", "rb") as file:
                yield int(entry.name), frozenset(file.read().split(b"\0"))
