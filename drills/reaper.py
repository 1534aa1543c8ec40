"""The reaper: a process that heals at once when the harness dies.

``python -m drills.reaper RUN_FOLDER TARGET STACK LIFELINE_FD…``: stdin is a pipe whose other end the harness holds. A
line means that all is well and the reaper leaves; end of file without one means that the harness was killed: undo the
faults, end the target, write ``heal-UTC.json``. It also holds the target's lifeline, so that outlives the harness for
as long as the healing takes, and no longer. It is there before anything of the target is (``guarded``).
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drills.heal import heal, leftovers
from drills.interrupts import signals_held
from targets.registry import caretaker
from targets.target import Intent, Startable

DEATH_WITHIN_S = 10.0
"""For a process to die that was killed; one that lives longer than its pipe looks after its target itself."""

HEALED_WITHIN_S = 60.0


@contextlib.contextmanager
def guarded(folder: Path, journal: Callable[[Mapping[str, Any]], object], target: Startable) -> Iterator[None]:
    """Inside, the target may be started and has to be stopped again; whoever dies meanwhile is cleared up after.

    ``folder`` is that of the run, with ``logs/``; ``journal`` appends to its ``undo.jsonl``.
    """
    journal({"what": "target", "intent": asdict(target.intent())})
    reaper = Reaper(folder, target.intent(), target.lifelines())
    try:
        yield
    except BaseException:
        # Perhaps it was the stopping that went wrong: the reaper sees for itself, and finds nothing if it was not.
        with signals_held():
            reaper.let_look()
        raise
    with signals_held():
        reaper.dismiss()


class Reaper:
    """The harness's end of one: start it before the target, dismiss it once the target is gone."""

    def __init__(self, run: Path, target: Intent, lifelines: tuple[int, ...]) -> None:
        argv = [sys.executable, "-m", "drills.reaper", str(run), target.target, target.stack, *map(str, lifelines)]
        log = (run / "logs" / "reaper.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=lifelines, start_new_session=True
            )

    def let_look(self) -> None:
        """Let it heal whatever is still there; when that takes long it goes on without us."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(HEALED_WITHIN_S)

    def dismiss(self) -> None:
        """All was undone by the harness itself."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"well\n")
            self._process.stdin.close()
        except OSError:
            pass  # it is gone already; then there is nothing to tell it
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:  # on a machine short of everything it may not even have begun to listen
            self._process.kill()
            self._process.wait(5.0)


def main() -> None:
    """Entry point of the reaper process."""
    run, target, lifelines = Path(sys.argv[1]), Intent(sys.argv[2], sys.argv[3]), tuple(map(int, sys.argv[4:]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.stdin.buffer.readline():
        return
    _await_death(target)
    for leftover in leftovers(None, (run,)):
        if leftover.target == target:
            for line in heal(leftover, lifelines).said:
                print(line, flush=True)  # noqa: T201  # its stdout is its log


def _await_death(target: Intent) -> None:
    """Until the harness holds its lock no more: the kernel may close our pipe before it gives up a dead one's lock."""
    deadline = time.monotonic() + DEATH_WITHIN_S
    while caretaker(target.target).owned(target) and time.monotonic() < deadline:
        time.sleep(0.02)


if __name__ == "__main__":
    main()
