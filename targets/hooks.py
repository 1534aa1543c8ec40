"""The hooks of a described system: each started under a keeper, so that whatever it leaves is found and ended.

What a hook hands to somebody else's hands (a container engine, an init system) is no descendant of its keeper and
carries no label: it can be started and stopped by hooks, and neither killed nor paused.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from targets import children
from targets.commands import content, spool
from targets.keeper import NO_SERVICE, below, table
from targets.processes import KEEPER, belonging, keepers, words
from targets.target import StartFailed, TargetError

TERM_WITHIN_S, KILL_WITHIN_S = 5.0, 3.0
LOOK_S = 0.05
KEEPER_WITHIN_S = 15.0
"""For a keeper to begin, on a machine short of everything."""

ROUNDS = 20
"""Of looking for processes that a service made while it was being sent a signal."""


class NotStarted(StartFailed):
    """A hook that failed to start something and left no process: what is there has another owner."""


class Kept:
    """A hook that runs or has run under its keeper; ``pid`` is the hook's own."""

    def __init__(self, keeper: subprocess.Popen[bytes], what: str) -> None:
        """Waits until the hook runs: NotStarted when it cannot be run, TargetError when its keeper does not begin."""
        self._keeper = keeper
        self._unread = b""
        self._exit: int | None = None
        said = self._next(KEEPER_WITHIN_S)
        if said is None:
            keeper.kill()
            self.close()
            raise TargetError(f"the keeper of {what} did not begin within {KEEPER_WITHIN_S:g} s, or has died")
        if said[0] == "failed":
            self.close()
            raise NotStarted(f"cannot run {what}: {os.strerror(said[1])}")
        self.pid = said[1]

    def poll(self) -> int | None:
        """The hook's exit status (negative: the signal that ended it); None while it runs."""
        self._keeper.poll()  # a dead child of ours must not stay a zombie
        if self._exit is None and (said := self._next(0)) is not None:
            self._exit = said[1]
        return self._exit

    def wait(self, within_s: float) -> int:
        """Its exit status, as soon as it has ended; TimeoutError."""
        if self._exit is None:
            said = self._next(within_s)
            if said is None:
                raise TimeoutError
            self._exit = said[1]
        return self._exit

    @property
    def lost(self) -> bool:
        """Whether its keeper was killed: a keeper leaves by itself, when nothing is left of what it keeps."""
        return bool(self._keeper.poll())

    def kill(self) -> None:
        """End all that the hook has started."""
        for _ in range(ROUNDS):
            if not (left := below([self._keeper.pid], table())):
                break
            send(sorted(left), signal.SIGKILL)
            time.sleep(LOOK_S)

    def close(self) -> None:
        """Collect the keeper, which leaves once nothing is left."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # it has not: something could not be ended
            self._keeper.wait(2.0)
        assert self._keeper.stdout is not None
        self._keeper.stdout.close()

    def _next(self, within_s: float) -> tuple[str, int] | None:
        """The keeper's next word and its number; None when none has come, or none will come any more."""
        pipe = self._keeper.stdout
        assert pipe is not None
        until = time.monotonic() + within_s
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, until - time.monotonic())):
                    return None
                piece = os.read(pipe.fileno(), 4096)
                if not piece:
                    return None
                self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        what, number = line.decode().split()
        return what, int(number)


def launch(
    argv: Sequence[str],
    folder: Path,
    service: str | None,
    environment: Mapping[str, str],
    out: IO[bytes],
    err: IO[bytes],
) -> Kept:
    """Start a hook under a keeper of its own, with this environment; NotStarted when there is no such program."""
    try:
        keeper = subprocess.Popen(
            keeper_command(folder, service, out.fileno(), argv), cwd=folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, pass_fds=(out.fileno(),),
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise TargetError(f"the keeper of {argv[0]} cannot be run: {os.strerror(error.errno or 0)}") from error
    return Kept(keeper, argv[0])


def keeper_command(folder: Path, service: str | None, output: int, argv: Sequence[str]) -> list[str]:
    """How a keeper is started: isolated, for it begins in a folder that is the user's."""
    return children.script(KEEPER, str(folder), service or NO_SERVICE, str(output), *argv)


def carry_out(
    argv: Sequence[str],
    folder: Path,
    service: str | None,
    environment: Mapping[str, str],
    within_s: float,
    kept: list[Kept],
) -> str:
    """Run a hook to its own end; what it printed. TargetError when it fails or is not done in time.

    A child that it leaves, be it one that holds its output, is not waited for: it belongs to the system, as what a
    start hook leaves does, and is ended with it. The hook is added to ``kept``, for its keeper to be collected.
    """
    with spool("stdout") as out, spool("stderr") as err:
        hook = launch(argv, folder, service, environment, out, err)
        kept.append(hook)
        try:
            code = hook.wait(within_s)
        except TimeoutError:
            hook.kill()
            raise TargetError(f"{' '.join(argv)}: not done within {within_s:g} s") from None
        except BaseException:
            hook.kill()
            raise
        if code != 0:
            said = content(err).strip().splitlines() or ["it said nothing"]
            raise TargetError(f"{' '.join(argv)}: exit {code}: {said[-1]}")
        return content(out)


def send(pids: Sequence[int], number: int) -> list[int]:
    """A signal to each that is still there; those that may not be sent one: they are another user's."""
    refused = []
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
        except PermissionError:
            refused.append(pid)
    return refused


def send_all(folder: Path, service: str, number: int) -> tuple[list[int], list[int]]:
    """A signal to every process of the service, also to those that it makes meanwhile; to whom, and who refused it."""
    told: list[int] = []
    refused: list[int] = []
    for _ in range(ROUNDS):
        new = [pid for pid in belonging(folder, service) if pid not in told]
        if not new:
            break
        refused += send(new, number)
        told += new
    return told, refused


def end(folder: Path, service: str | None = None, within_s: float = TERM_WITHIN_S) -> list[int]:
    """SIGTERM to all that belongs to it, SIGKILL to what is left after a while; who would not even leave then."""
    for number, patience in ((signal.SIGTERM, within_s), (signal.SIGKILL, KILL_WITHIN_S)):
        until = time.monotonic() + patience
        told: set[int] = set()
        refused: set[int] = set()
        while left := belonging(folder, service):
            new = [pid for pid in left if pid not in told]
            refused.update(send(new, number))
            if number == signal.SIGTERM:
                send(new, signal.SIGCONT)  # who is paused cannot hear
            told.update(new)
            if time.monotonic() > until or refused.issuperset(left):
                break
            time.sleep(LOOK_S)
        if not left:
            _end_keepers(folder, service)
            return []
    return left


def left_over(pids: Sequence[int]) -> tuple[str, ...]:
    """That these could not be ended, for people."""
    return tuple(f"{words(pid)} could not be ended" for pid in pids)


def _end_keepers(folder: Path, service: str | None) -> None:
    """They leave by themselves now; one that somebody stopped cannot."""
    until = time.monotonic() + KILL_WITHIN_S
    while left := keepers(folder, service):
        if time.monotonic() > until:
            send(left, signal.SIGKILL)
            break
        send(left, signal.SIGCONT)
        time.sleep(LOOK_S)
