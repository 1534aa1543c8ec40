"""The reaper: a process that heals at once when the harness dies.

``python -m drills.reaper RUN_FOLDER STACK_FOLDER LIFELINE_FD``: stdin is a pipe whose other end the harness holds. A
line means that all is well and the reaper leaves; end of file without one means that the harness was killed: undo the
faults, end the stack, write ``heal-UTC.json``. It also holds the launcher's lifeline, so the stack outlives the
harness for as long as the healing takes, and no longer.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from drills.heal import heal, leftovers, owned

DEATH_WITHIN_S = 10.0
"""For a process to die that was killed; one that lives longer than its pipe looks after its stack itself."""


class Reaper:
    """The harness's end: start it once the target runs, dismiss it once the target is gone."""

    def __init__(self, run: Path, stack: Path, lifeline: int) -> None:
        argv = [sys.executable, "-m", "drills.reaper", str(run), str(stack), str(lifeline)]
        log = (run / "logs" / "reaper.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=(lifeline,), start_new_session=True
            )

    def dismiss(self) -> None:
        """All was undone by the harness itself."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"well\n")
            self._process.stdin.close()
        except OSError:
            pass  # it is gone already; then there is nothing to tell it
        self._process.wait(5.0)


def main() -> None:
    """Entry point of the reaper process."""
    run, stack, lifeline = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.stdin.buffer.readline():
        return
    _await_death(stack)
    for leftover in leftovers(None, (run,)):
        if leftover.stack == stack:
            for line in heal(leftover):
                print(line, flush=True)
    os.close(lifeline)


def _await_death(stack: Path) -> None:
    """Until the harness holds its lock no more: the kernel may close our pipe before it gives up a dead one's lock."""
    deadline = time.monotonic() + DEATH_WITHIN_S
    while owned(stack) and time.monotonic() < deadline:
        time.sleep(0.02)


if __name__ == "__main__":
    main()
