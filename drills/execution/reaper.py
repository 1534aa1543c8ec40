"""The reaper: a process that heals at once when the harness dies.

``drills.execution.reaper RUN_FOLDER TARGET STACK LIFELINE_FD…``: stdin is a pipe whose other end the harness holds. A
line means that all is well and the reaper leaves; end of file without one means that the harness was killed: undo the
faults, end the target, write ``heal-UTC.json``. It also holds the target's lifeline, so that outlives the harness for
as long as the healing takes, and no longer. Stdout is a pipe the other way: a line once it can do all this, and end of
file when it has died. Nothing of the target is started before that line (``guarded``).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drills.errors import Refused
from drills.execution.guard import watched
from drills.execution.heal import heal, residuals
from drills.interrupts import signals_held
from targets import children
from targets.processes import arguments
from targets.registry import cleanup
from targets.target import Intent, Startable

MODULE = "drills.execution.reaper"
DEATH_WITHIN_S = 10.0
"""For a process to die that was killed; one that lives longer than its pipe looks after its target itself."""

HEALED_WITHIN_S = 60.0
STANDS_WITHIN_S = 30.0
"""For it to begin, on a machine short of everything."""

STANDS = b"standing\n"
REAPER = "the reaper, which clears up after a harness that was killed,"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Whoever sends these to all of us means the harness: it ends in order, and the reaper with it."""


@contextlib.contextmanager
def guarded(folder: Path, journal: Callable[[Mapping[str, Any]], object], target: Startable) -> Iterator[None]:
    """Inside, the target may be started and has to be stopped again; whoever dies meanwhile is cleared up after.

    ``folder`` is that of the run, with ``logs/``; ``journal`` appends to its ``rollback.jsonl``. Refused where the
    reaper does not stand; ``guard.Unguarded`` comes up inside when it, or a safety device of the target's own, is lost.
    """
    journal({"what": "target", "intent": asdict(target.intent())})
    reaper = Reaper(folder, target.intent(), target.lifelines())
    try:
        with watched(reaper.alive, f"{REAPER} has died", target.unguarded):
            yield
    except BaseException:  # also Ctrl-C
        # Perhaps it was the stopping that went wrong: the reaper sees for itself, and finds nothing if it was not.
        with signals_held():
            reaper.let_look()
        raise
    with signals_held():
        reaper.dismiss()


class Reaper:
    """The harness's end of one: start it before the target, dismiss it once the target is gone."""

    def __init__(self, run: Path, target: Intent, lifelines: tuple[int, ...]) -> None:
        """Waits until it stands; Refused, with its last words, when it does not."""
        words = [str(run.resolve()), target.target, target.stack, *map(str, lifelines)]
        self._log = run / "logs" / "reaper.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                children.python(MODULE, *words),
                cwd=children.NEUTRAL,
                env=children.keeper_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=lifelines,
                start_new_session=True,
            )
        try:
            self._await_its_word()
        except BaseException:  # also Ctrl-C: nobody would end it
            self._process.kill()
            self._leave(5.0)
            raise

    @property
    def alive(self) -> int:
        """A pipe at whose end it is dead."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def let_look(self) -> None:
        """Let it heal whatever is still there; when that takes long it goes on without us."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._leave(HEALED_WITHIN_S)

    def dismiss(self) -> None:
        """All was undone by the harness itself."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it is gone already; then there is nothing to tell it
            self._process.stdin.write(b"well\n")
            self._process.stdin.close()
        if not self._leave(5.0):  # on a machine short of everything it may not even have begun to listen
            self._process.kill()
            self._process.wait(5.0)

    def _await_its_word(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.alive, selectors.EVENT_READ)
            spoke = selector.select(STANDS_WITHIN_S)
        if spoke and os.read(self.alive, 64) == STANDS:
            return
        if spoke:
            with contextlib.suppress(subprocess.TimeoutExpired):  # what it says last comes after the end of the pipe
                self._process.wait(5.0)
        what = "died at its start" if spoke else f"did not begin within {STANDS_WITHIN_S:g} s"
        words = self._log.read_text(errors="replace").strip().splitlines()
        last = f"; its log ends: {words[-1]}" if words else ""
        raise Refused(f"{REAPER} {what}, so nothing was started{last}", f"see {self._log}")

    def _leave(self, within_s: float) -> bool:
        """Collect it; whether it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):  # what it has not read can be told nobody
                pipe.close()
        return self._process.returncode is not None


def stands(run: Path) -> bool:
    """Whether the reaper of this run lives."""
    return any(MODULE in words and str(run.resolve()) in words for _, words in arguments())


def main() -> None:
    """Entry point of the reaper process."""
    run, target, lifelines = Path(sys.argv[1]), Intent(sys.argv[2], sys.argv[3]), tuple(map(int, sys.argv[4:]))
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    cleanup(target.target)  # brings all along that it will need
    os.write(1, STANDS)
    if sys.stdin.buffer.readline():
        return
    _await_death(target)
    for leftover in residuals(None, (run,)):
        if leftover.target == target:
            for line in heal(leftover, lifelines).said:
                print(line, file=sys.stderr, flush=True)  # noqa: T201  # its stderr is its log


def _await_death(target: Intent) -> None:
    """Until the harness holds its lock no more: the kernel may close our pipe before it gives up a dead one's lock."""
    deadline = time.monotonic() + DEATH_WITHIN_S
    while cleanup(target.target).owned(target) and time.monotonic() < deadline:
        time.sleep(0.02)


if __name__ == "__main__":
    main()
