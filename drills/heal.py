"""Undo whatever a run may have left: by the reaper at once, or by ``kunren heal`` afterwards.

``undo.jsonl`` in the run folder is the journal: a line for the target (how to attach to it), a line for each intent to
undo (written and synced *before* the injection), a line when it was undone. All of it can be carried out by a process
that knows nothing else. The stack's owner holds a lock while it lives; only what has no living owner is healed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from faults.scope import from_intent
from targets.local import LAUNCHER
from targets.stack import OWNER_LOCK, attach, cache_folder
from targets.target import TargetError

STOP_WITHIN_S = 8.0
"""The launcher gives its services 5 s."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a dead run left: its stack (if that still exists) and the faults it has not undone."""

    stack: Path
    run: Path | None
    intents: tuple[Mapping[str, Any], ...]

    def words(self) -> str:
        """One line for people."""
        faults = ", ".join(str(intent["fault"].get("kind", "?")) for intent in self.intents) or "no fault"
        return f"stack {self.stack.name}: {faults} still in place" + (f" (run {self.run})" if self.run else "")


def leftovers(runs: Path | None, folders: tuple[Path, ...] = ()) -> list[Leftover]:
    """Stacks without a living owner; with ``folders`` only those of the runs named there."""
    journals = dict(_journals(runs, folders))
    wanted = None if not folders else set(journals)
    found = []
    for stack in _stacks():
        if (wanted is None or stack in wanted) and not owned(stack):
            run = journals.get(stack)
            found.append(Leftover(stack, run, tuple(_open_intents(run)) if run else ()))
    return found


def heal(leftover: Leftover) -> list[str]:
    """Undo the faults, end the stack's processes, remove its folder; says what was done, also into the run folder."""
    said = [*_undo(leftover), *end_stack(leftover.stack)]
    if leftover.run is not None:
        _write_report(leftover.run, said)
    return said


def owned(stack: Path) -> bool:
    """Whether the process that started the stack still lives (it holds the lock)."""
    try:
        with (stack / OWNER_LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def end_stack(stack: Path) -> list[str]:
    """Stop what still runs of a stack, wait until it has ended, and remove the folder."""
    said = []
    try:
        attach(stack).control({"verb": "stop"}, within_s=2.0)
        said.append(f"told the launcher of {stack.name} to stop")
    except TargetError as error:
        said.append(f"no launcher of {stack.name} obeys ({error})")  # it has ended, is ending, or is stuck
    said += _end_processes(stack)
    shutil.rmtree(stack, ignore_errors=True)
    return [*said, f"removed {stack}"]


def _end_processes(stack: Path) -> Iterator[str]:
    """Wait until the stack's processes have ended by themselves; end by force those that do not."""
    for process in _still_there(stack):
        yield f"killed process {process.pid}, which did not end by itself"
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    yield from (f"process {process.pid} could not be ended" for process in _still_there(stack))


def _still_there(stack: Path) -> list[psutil.Process]:
    """What has not ended after some seconds; looked for again and again, as no child of ours can be waited for."""
    deadline = time.monotonic() + STOP_WITHIN_S
    while (found := _processes(stack)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _processes(stack: Path) -> list[psutil.Process]:
    """The launcher, the services it forked, and PostgreSQL's server; what these started ends with them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            is_launcher = LAUNCHER in words and str(stack) in words
            if (is_launcher or str(stack / "pgdata") in words) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _undo(leftover: Leftover) -> Iterator[str]:
    if not leftover.intents:
        return
    try:
        target = attach(leftover.stack)
    except TargetError as error:
        yield f"could not attach: {error}"
        return
    for intent in leftover.intents:
        fault = from_intent(intent["fault"])
        try:
            undone, gone = fault.undo(target), fault.gone(target)
            yield f"{intent['fault'].get('kind')}: {undone.says}; {gone.says}"
        except (TargetError, OSError) as error:
            yield f"{intent['fault'].get('kind')}: its target is gone ({error})"


def _stacks() -> list[Path]:
    root = cache_folder() / "stacks"
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def _journals(runs: Path | None, folders: tuple[Path, ...]) -> Iterator[tuple[Path, Path]]:
    """Stack folder -> run folder, for every journal below ``runs`` or in ``folders``."""
    candidates = folders or (tuple(path.parent for path in runs.glob("*/*/undo.jsonl")) if runs else ())
    for folder in candidates:
        for line in _lines(folder):
            if line.get("what") == "target":
                yield Path(line["intent"]["stack"]), folder


def _open_intents(run: Path) -> list[Mapping[str, Any]]:
    undone = {line["index"] for line in _lines(run) if line.get("what") == "undone"}
    return [line for line in _lines(run) if line.get("what") == "intent" and line["index"] not in undone]


def _lines(run: Path) -> Iterator[dict[str, Any]]:
    try:
        text = (run / "undo.jsonl").read_text()
    except OSError:
        return
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue  # a line torn by the death of the writer: its injection never began


def _write_report(run: Path, said: list[str]) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    report = {"healed": stamp, "by": os.getpid(), "said": said}
    (run / f"heal-{stamp}.json").write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
