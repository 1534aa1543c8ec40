"""A command run to its own end: not to the end of its output, which a child of it may hold for as long as it likes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from targets import children

KILL_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Done:
    """Exit status (negative: the signal that ended it) and what was said by then."""

    code: int
    out: str
    err: str


def spool(name: str) -> IO[bytes]:
    """A file without a name, in memory: to be written by a command and read when that has ended."""
    return os.fdopen(os.memfd_create(name), "w+b", buffering=0)


def content(file: IO[bytes]) -> str:
    """All that was written to it so far."""
    file.seek(0)
    return file.read().decode(errors="replace")


def run(
    argv: Sequence[str | Path],
    within_s: float,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
    whole_session: bool = False,
) -> Done:
    """Run it without input until it ends; OSError where it cannot be run, subprocess.TimeoutExpired after a while.

    As a part of ours is run, unless said: with our parts' environment, in a folder where nothing of the user's lies.
    Then, and when we are interrupted, it is killed: with ``whole_session`` in a session of its own, with all in there.
    """
    with spool("stdout") as out, spool("stderr") as err:
        running = subprocess.Popen(
            argv, env=children.own_environment() if env is None else env, cwd=cwd or children.NEUTRAL,
            pass_fds=pass_fds, start_new_session=whole_session, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip
        try:
            code = running.wait(within_s)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if whole_session else os.kill)(running.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):  # one that no SIGKILL ends is the machine's trouble
                running.wait(KILL_WITHIN_S)
            raise
        return Done(code, content(out), content(err))
