"""Undo whatever a run may have left: by the reaper at once, or by ``kunren heal`` afterwards.

``undo.jsonl`` in the run folder is the journal: a line for the target (how to attach to it), a line for each intent to
undo (written and synced *before* the injection), a line when it was undone. All of it can be carried out by a process
that knows nothing else. The stack's owner holds a lock while it lives; only what has no living owner is healed.
"""

from __future__ import annotations

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

from faults.scope import from_intent
from targets.stack import OWNER_LOCK, Stack, attach, cache_folder
from targets.target import TargetError


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
    """Stop what still runs of a stack and remove its folder."""
    said = []
    try:
        handle = attach(stack)
        handle.control({"verb": "stop"})
        said.append(f"told the launcher of {stack.name} to stop")
        _wait_gone(handle, 8.0)
    except TargetError as error:
        said.append(f"nothing runs of {stack.name} ({error})")
    shutil.rmtree(stack, ignore_errors=True)
    return [*said, f"removed {stack}"]


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


def _wait_gone(handle: Stack, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            handle.control({"verb": "status"}, within_s=1.0)
        except TargetError:
            return
        time.sleep(0.05)


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
