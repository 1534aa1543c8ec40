"""Whose turn it is on this machine: the calendar drills alone; runs by hand and by pipelines go on side by side.

Who drills binds a socket in the kernel's abstract namespace, whose name says what it is and its process id. So nothing
is written, users need no common folder, and a turn ends with its process, however that ends. Each announces itself
first and looks for the others then, so that of two that come at once at least one sees the other. A run takes its
announcement back and waits; the calendar keeps its own, so that no further run begins, and waits for those that go on.

One machine is one network namespace: a container of its own counts as another machine.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

NAME = "kunren-turn"
CALENDAR, RUN = "calendar", "run"
SOCKETS = Path("/proc/net/unix")
LOOK_S = 0.2

Announce = Callable[[str], None]
"""Is told once whom one waits for."""


class NotOurTurn(Exception):
    """Others still drill when the time to wait is over; ``holders`` says who."""

    def __init__(self, holders: str) -> None:
        super().__init__(holders)
        self.holders = holders


@dataclass(slots=True, eq=False)
class Machine:
    """``name`` is the machine's, another one in tests. ``alone``: whether this process has the machine for itself."""

    name: str = NAME
    alone: bool = field(default=False)

    @contextlib.contextmanager
    def among_others(self, waits: Announce, given_up: Callable[[], bool]) -> Iterator[bool]:
        """Inside, no calendar drills but our own; False where it was ``given_up`` before. Others may go on as well."""
        if self.alone:
            yield True
            return
        told = False
        while True:
            with contextlib.closing(self._bound(f"{RUN}/{secrets.token_hex(4)}/{os.getpid()}")):
                calendar = self._names(CALENDAR)
                if not calendar:
                    yield True
                    return
            if given_up():
                yield False
                return
            if not told:
                waits(_words(calendar))
                told = True
            time.sleep(LOOK_S)

    @contextlib.contextmanager
    def for_itself(self, within_s: float) -> Iterator[None]:
        """Inside, nobody else drills; NotOurTurn where others still do after ``within_s``."""
        deadline = time.monotonic() + within_s
        with contextlib.ExitStack() as turn:
            while (only := self._the_only_calendar()) is None:
                _wait(deadline, self._names(CALENDAR))
            turn.enter_context(contextlib.closing(only))
            turn.enter_context(contextlib.closing(self._bound(f"{CALENDAR}/{os.getpid()}")))
            while runs := self._names(RUN):
                _wait(deadline, runs)
            self.alone = True
            turn.callback(self._among_others_again)
            yield

    def _the_only_calendar(self) -> socket.socket | None:
        """None where there is another: a name is bound once."""
        try:
            return self._bound(CALENDAR)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return None

    def _among_others_again(self) -> None:
        self.alone = False

    def _bound(self, what: str) -> socket.socket:
        announced = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            announced.bind(f"\0{self.name}/{what}")
        except BaseException:  # also Ctrl-C: a socket that stays open keeps the turn
            announced.close()
            raise
        return announced

    def _names(self, what: str) -> list[str]:
        """Who is announced as that; nobody where the kernel does not say."""
        try:
            lines = SOCKETS.read_text(errors="replace").splitlines()
        except OSError:
            return []
        named = [line.split()[-1] for line in lines]
        whole = f"@{self.name}/{what}"
        return [each for each in named if each == whole or each.startswith(f"{whole}/")]


MACHINE = Machine()
"""This one."""
WAITS = "this waits until the drills of the calendar have ended: {holders}; Ctrl-C leaves"
"""What who drills by hand or in a pipeline is told."""


def _wait(deadline: float, holders: list[str]) -> None:
    if time.monotonic() >= deadline:
        raise NotOurTurn(_words(holders))
    time.sleep(LOOK_S)


def _words(names: list[str]) -> str:
    """Who they are, as ``ps`` would say it."""
    pids = sorted({int(last) for each in names if (last := each.rpartition("/")[2]).isdigit()})
    return ", ".join(f"process {pid}{_command(pid)}" for pid in pids) or "another process"


def _command(pid: int) -> str:
    try:
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return ""
    words = [Path(os.fsdecode(each)).name if n < 2 else os.fsdecode(each) for n, each in enumerate(argv)]
    return f" ({' '.join(words[:8])})"
