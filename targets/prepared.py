"""What ``prepare`` of a target file makes: once for the same inputs, whole or not at all, shared by runs side by side.

It lies in ``prepared/NAME-DIGEST/`` of the cache, which commands may write into what they make (a venv does), so it is
never moved: a file written last says that it is whole, and whatever has none is emptied before the next attempt.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from targets import hooks
from targets.logs import tail
from targets.target import StartFailed, TargetError

WITHIN_S = 300.0
"""For each command: it may download."""

WHOLE = ".kunren-prepared"
"""Written last; its time is that of the last use."""

KEPT = 3
"""Prepared folders of one target, the latest used; others that no run uses are removed when another is made."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """The commands, braces replaced; ``shared`` is what they make, ``folder`` the run's own.

    ``launch`` starts one of them, its output to a log.
    """

    commands: Sequence[Sequence[str]]
    shared: Path
    folder: Path
    log: Path
    launch: Callable[[Sequence[str], Path], hooks.Kept]


def prepare(work: Preparation, sites: Path) -> None:
    """Make ``shared`` unless it is whole; one at a time. StartFailed names the command that failed.

    ``sites`` has a folder for each run that is not cleared away yet, with what it uses.
    """
    try:
        work.shared.parent.mkdir(parents=True, exist_ok=True)
        with _alone(work.shared):
            if not (work.shared / WHOLE).exists():
                _make(work)
            os.utime(work.shared / WHOLE)
        with contextlib.suppress(OSError):  # what is too much costs space, not the run
            _prune(work.shared, sites)
    except OSError as error:
        fix = "fix: remove it, or set KUNREN_CACHE to a folder you may write to"
        raise StartFailed(f"{work.shared} cannot be prepared: {error.strerror or error}; {fix}") from error


def _make(work: Preparation) -> None:
    _remove(work.shared)
    work.shared.mkdir()
    for number, argv in enumerate(work.commands, 1):
        what = f"prepare command {number} of {len(work.commands)}: {shlex.join(argv)}"
        before = work.log.stat().st_size if work.log.exists() else 0
        wrong = _carry_out(argv, work)
        if wrong is not None:
            raise StartFailed(f"{what}: {wrong}", tail(work.log, before), work.log)
    (work.shared / WHOLE).touch()


def _carry_out(argv: Sequence[str], work: Preparation) -> str | None:
    """What went wrong; its output goes to the log, so that nothing it leaves behind is waited for."""
    try:
        started = work.launch(argv, work.log)
    except TargetError as error:
        return str(error)
    status = None
    try:
        status = started.wait(WITHIN_S)
    except TimeoutError:
        return f"not done within {WITHIN_S:g} s"
    finally:
        if status != 0:  # on Ctrl-C too: nothing of it may still be writing when others come
            hooks.end(work.folder)
    return None if status == 0 else f"exit status {status}" if status > 0 else f"ended by signal {-status}"


@contextlib.contextmanager
def _alone(shared: Path, wait: bool = True) -> Iterator[None]:
    """Nobody else makes or removes the folder meanwhile; BlockingIOError if somebody is at it and we do not wait."""
    path = shared.with_name(f"{shared.name}.lock")
    while True:
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_still(path, lock.fileno()):
                continue  # removed by who had it before us: whoever comes next makes another
            yield
            return


def _is_still(path: Path, handle: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(handle))
    return False


def _prune(shared: Path, sites: Path) -> None:
    """Remove the folders of the same target that were used longest ago, but for those that a run uses."""
    same = re.compile(re.escape(shared.name.rpartition("-")[0]) + r"-[0-9a-f]{12}")
    found = [path for path in shared.parent.iterdir() if same.fullmatch(path.name) and path != shared]
    for path in sorted(found, key=_last_used, reverse=True)[KEPT - 1 :]:
        with contextlib.suppress(BlockingIOError), _alone(path, wait=False):
            if not _in_use(path, sites):
                _remove(path)
                path.with_name(f"{path.name}.lock").unlink()


def _last_used(shared: Path) -> float:
    with contextlib.suppress(OSError):
        return (shared / WHOLE).stat().st_mtime
    return 0.0


def _in_use(shared: Path, sites: Path) -> bool:
    """Whether a run that is not cleared away yet was given it; one that comes later asks for the lock first."""
    for plan in sites.glob("*/site.json"):
        try:
            if json.loads(plan.read_bytes())["shared"] == str(shared):
                return True
        except FileNotFoundError:
            continue  # cleared away meanwhile
        except (OSError, ValueError, LookupError, TypeError):
            return True  # nobody can say
    return False


def _remove(folder: Path) -> None:
    """With all that is in it, also in folders that were made read-only, as some package managers do."""
    for path, _, _ in os.walk(folder):
        os.chmod(path, 0o700)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
