"""Making room: the evidence of old runs is removed, their cards and all that stands in the register stay."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from drills.archive.row import RunRow
from drills.record.encoding import encode_indented
from drills.record.entries import Pruned
from drills.record.evidence import evidence_number, replace, verify_evidence
from drills.record.folder import sealed
from drills.record.names import CARD, DRILL, PRUNED, RUN, RUNBOOK, RUNBOOKS, SIGNATURE, SUMS, TARGET, Unusable, os_words
from drills.record.reading import content_of, present
from drills.record.register import enter

KEPT = (CARD, RUN, DRILL, RUNBOOK, RUNBOOKS, TARGET, SUMS, SIGNATURE, PRUNED, "heal-*.json")
"""What stays of a run: what was asked for, what came of it, and by which numbers both can be told to be the same."""


def is_evidence(name: str) -> bool:
    """Whether a file of a run, by its path there, is of what may be removed."""
    return not any(fnmatchcase(name.partition("/")[0], kept) for kept in KEPT)


class PrunedMark(msgspec.Struct, frozen=True):
    """What ``pruned.json`` says."""

    schema: str
    at: str
    removed: list[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one run: bytes that were (or would be) freed, or why it was left as it is."""

    run: str
    freed: int
    left: str = ""


def chosen(
    rows: Sequence[RunRow], *, keep: int | None, before: datetime | None, spared: Collection[str] = ()
) -> list[str]:
    """Runs whose evidence may go, oldest first: all but the newest ``keep`` of each drill and arm, and all from before.

    Where both are given a run must be old in both ways. ``rows`` are ordered by time.
    """
    newest: dict[tuple[str, str], int] = {}
    found = []
    for row in reversed(rows):
        place = newest[row.called, row.arm] = newest.get((row.called, row.arm), 0) + 1
        old = before is None or row.at < f"{before.astimezone(UTC):%Y%m%dT%H%M%S}"
        if old and (keep is None or place > keep) and row.run not in spared:
            found.append(row.run)
    return found[::-1]


def prune(runs: Path, run: str, *, really: bool) -> Outcome:
    """Remove the evidence of a run. It is entered in the register first.

    A run that is still going, has no card, or is not as it was sealed is left as it is. StoreError where the register
    or the folder cannot be written.
    """
    folder = runs / run
    if present(folder / PRUNED) and not [*_removable(folder)]:
        return Outcome(run, 0)
    if not sealed(folder):
        return Outcome(run, 0, "it was never sealed")
    problems = [] if present(folder / PRUNED) else verify_evidence(folder)
    if problems:
        return Outcome(run, 0, f"it is not as it was sealed: {problems[0]}")
    names = sorted(_removable(folder))
    freed = sum(_size(folder / name) for name in names)
    if really and names:
        _remove(runs, run, names)
    return Outcome(run, freed)


def _remove(runs: Path, run: str, names: Sequence[str]) -> None:
    folder = runs / run
    digest = hashlib.sha256(content_of(folder / CARD)).hexdigest()
    enter(runs, Pruned(run=run, evidence=evidence_number(folder), card=digest))
    mark = PrunedMark("kunren.pruned/1", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", list(names))
    replace(folder / PRUNED, encode_indented(mark))
    try:
        for name in names:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except OSError as error:
        raise Unusable(f"cannot remove {path}: {os_words(error)}", "run it again as a user who may") from error


def _removable(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_evidence(entry.name):
                yield entry.name


def _size(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir())
