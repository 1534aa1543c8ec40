"""Undo whatever a run may have left: by the reaper at once, or by ``kunren heal`` afterwards.

``rollback.jsonl`` in the run folder is the journal: a line for the target (how to find it again, written before it is
started), a line for each intent to undo (written and synced *before* the injection), a line when it was undone. All of
it can be carried out by a process that knows nothing else. Only what has no living owner is healed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from drills.record.encoding import encode_indented
from drills.record.history import fault_label
from faults.scope import from_intent
from targets.registry import CLEANUPS, cleanup
from targets.target import Intent, TargetError


@dataclass(frozen=True, slots=True)
class Residual:
    """What a dead run left: its target, as far as that is there, and the faults it has not undone."""

    target: Intent
    run: Path | None
    faults: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        """Of the stack, as people see it."""
        return Path(self.target.stack).name

    def words(self) -> str:
        """One line for people."""
        faults = ", ".join(map(_label, self.faults))
        left = f"{faults} may still be in place" if faults else "no fault still in place"
        return f"stack {self.name}: {left}" + (f" (run {self.run})" if self.run else "")


@dataclass(frozen=True, slots=True)
class Healed:
    """What was done, a line each; ``ended`` is false while something of the target is still there."""

    said: tuple[str, ...]
    ended: bool


def residuals(runs: Path | None, folders: tuple[Path, ...] = ()) -> list[Residual]:
    """Targets without a living owner; with ``folders`` only those of the runs named there."""
    journals = dict(_journals(runs, folders))
    # For the runs that are named nobody else is asked: another runtime's trouble must not keep these from healing.
    asked = sorted({intent.target for intent in journals} & set(CLEANUPS)) if folders else CLEANUPS
    abandoned = [intent for name in asked for intent in cleanup(name).abandoned()]
    return [_leftover(intent, journals.get(intent)) for intent in abandoned if not folders or intent in journals]


def heal(leftover: Residual, lifelines: tuple[int, ...] = ()) -> Healed:
    """Undo the faults, end the target, remove what is left of it; says what was done, also into the run folder.

    ``lifelines`` are ours to close: the target is to live until its faults are undone, and no longer.
    """
    said, ended = list(_undo(leftover)), True
    for each in lifelines:
        os.close(each)
    try:
        said.extend(cleanup(leftover.target.target).end(leftover.target))
    except (TargetError, OSError) as error:
        said.append(f"{leftover.name} could not be ended: {error}")
        ended = False
    if leftover.run is not None:
        _write_report(leftover.run, said)
    return Healed(tuple(said), ended)


def _leftover(intent: Intent, run: Path | None) -> Residual:
    return Residual(intent, run, tuple(_open_faults(run)) if run else ())


def _undo(leftover: Residual) -> Iterator[str]:
    if not leftover.faults:
        return
    try:
        target = cleanup(leftover.target.target).attach(leftover.target)
    except TargetError as error:
        yield f"could not attach: {error}"
        return
    for intent in leftover.faults:
        try:
            fault = from_intent(intent)
            undone, gone = fault.rollback(target), fault.verify_removed(target)
            yield f"{_label(intent)}: {undone.says}; {gone.says}"
        except (TargetError, OSError) as error:
            yield f"{_label(intent)}: its target is gone ({error})"
        except (ValueError, LookupError) as error:
            yield f"{_label(intent)}: written by another version, or damaged: {error}"


def _label(intent: Mapping[str, Any]) -> str:
    return fault_label(str(intent.get("kind", "?")), intent)


def _journals(runs: Path | None, folders: tuple[Path, ...]) -> Iterator[tuple[Intent, Path]]:
    """Target -> run folder, for every journal below ``runs`` or in ``folders``."""
    candidates = folders or (tuple(path.parent for path in runs.glob("*/*/rollback.jsonl")) if runs else ())
    for folder in candidates:
        for line in _lines(folder):
            if line.get("what") == "target":
                with suppress(msgspec.ValidationError):  # damaged: another line, or the label, may still lead to it
                    yield msgspec.convert(line.get("intent"), Intent), folder


def _open_faults(run: Path) -> list[Mapping[str, Any]]:
    undone = {line.get("index") for line in _lines(run) if line.get("what") == "undone"}
    intents = [line for line in _lines(run) if line.get("what") == "intent" and isinstance(line.get("fault"), dict)]
    return [line["fault"] for line in intents if line.get("index") not in undone]


def _lines(run: Path) -> Iterator[dict[str, Any]]:
    try:
        text = (run / "rollback.jsonl").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue  # a line torn by the death of the writer: what it announces never began
        if isinstance(found, dict):
            yield found


def _write_report(run: Path, said: Sequence[str]) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    report = {"healed": stamp, "by": os.getpid(), "said": said}
    (run / f"heal-{stamp}.json").write_bytes(encode_indented(report))
