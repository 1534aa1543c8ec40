"""Whether register and run folders tell the same: no attempt hidden, no card exchanged, no line cut off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from drills.archive.prune import is_evidence
from drills.record.entries import Begun, Ended
from drills.record.evidence import evidence_number, verify_evidence, verify_kept
from drills.record.history import Registered
from drills.record.names import CARD, PRUNED, RUN, reference
from drills.record.reading import content_of, present
from drills.record.register import REGISTER, Register, read_register
from drills.record.runs import list_runs


@dataclass(frozen=True, slots=True)
class Examined:
    """Sentences: ``problems`` mean that something was changed or hidden, ``notes`` are worth knowing."""

    register: Register
    runs: int
    problems: list[str]
    notes: list[str]


class _Record(msgspec.Struct, frozen=True):
    register: Registered | None = None


class _Card(msgspec.Struct, frozen=True):
    verdict: str


def examine(runs: Path, head: str | None = None, *, evidence: bool = False) -> Examined:
    """Hold register and run folders against each other.

    ``head``: one that was kept elsewhere, which must still be there. ``evidence``: each folder against its own chain as
    well. Unusable where something cannot be read now.
    """
    said = _Said.of(read_register(runs))
    folders = {reference(folder): folder for folder in list_runs(runs)}
    problems = [f"{REGISTER}: {each}" for each in said.register.problems]
    if head is not None and head not in said.register.heads:
        problems.append(f"{REGISTER}: the head {head} is not in it: lines were cut off, or made anew")
    problems += _hidden(said, folders)
    for run, folder in folders.items():
        problems += [f"{run}: {each}" for each in _changed(said, run, folder)]
        if evidence:
            pruned = present(folder / PRUNED)
            problems += [
                f"{run}: {each}" for each in (verify_kept(folder, is_evidence) if pruned else verify_evidence(folder))
            ]
    return Examined(said.register, len(folders), problems, [*_notes(said, folders)])


@dataclass(frozen=True, slots=True)
class _Said:
    """What the register says, by run."""

    register: Register
    begun: dict[str, Begun]
    ended: dict[str, Ended]
    cards: dict[str, str]
    verdicts: dict[str, str]
    pruned: set[str]

    @staticmethod
    def of(register: Register) -> _Said:
        return _Said(
            register, register.begun(), register.ended(), register.cards(), register.verdicts(), register.pruned()
        )


def _hidden(said: _Said, folders: dict[str, Path]) -> Iterator[str]:
    for run, ended in said.ended.items():
        if run not in folders:
            yield f"{run}: its folder is gone; the register says {ended.verdict}"
        elif run not in said.begun:
            yield f"{run}: it has an end in the register and no beginning"


def _changed(said: _Said, run: str, folder: Path) -> Iterator[str]:
    """What the folder says against what was entered of it."""
    own, heads = _registered(folder), said.register.heads
    if own is not None and not (own.n < len(heads) and heads[own.n] == own.sha256):
        yield f"it is entry {own.n} of a register which has no such entry: lines were cut off, or made anew"
    if run in said.cards and _digest(folder / CARD) != said.cards[run]:
        yield f"{CARD} is not the one that was entered in the register"
    elif run in said.verdicts and (verdict := _verdict(folder)) not in (None, said.verdicts[run]):
        yield f"the register says {said.verdicts[run]}, the card {verdict}: a line was edited"
    if run in said.ended and said.ended[run].evidence != evidence_number(folder):
        yield "the evidence number is not the one that was entered in the register"
    if present(folder / PRUNED) and run not in said.pruned:
        yield "its evidence was removed, and that is not in the register"


def _notes(said: _Said, folders: dict[str, Path]) -> Iterator[str]:
    yield from (f"{REGISTER}: {each}" for each in said.register.notes)
    for run in said.begun:
        if run not in said.ended:
            there = "" if run in folders else ", and its folder is gone"
            yield f"{run}: begun, no end on record{there}"
    outside = sum(run not in said.begun for run in folders)
    if outside:
        yield f"{outside} runs are not in the register: they came from elsewhere, or from before there was one"


def _registered(folder: Path) -> Registered | None:
    try:
        return msgspec.json.decode(content_of(folder / RUN), type=_Record).register
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _verdict(folder: Path) -> str | None:
    try:
        return msgspec.json.decode(content_of(folder / CARD), type=_Card).verdict
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(content_of(path)).hexdigest()
    except OSError:
        return None
