"""A ``RunRequest`` as bytes, for the process that carries it out.

It names the files of drill and target and holds what they said when they were read: what was checked is what runs,
whatever lies there by now. Paths are bytes, for not every path is UTF-8.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from drills.record.arm import Arm
from drills.record.encoding import encode
from drills.record.history import Earlier, Person
from drills.spec import yamlfile
from drills.spec.drill import load_drill
from drills.spec.request import RunRequest
from drills.spec.target import system, words_of


class _Wired(msgspec.Struct, frozen=True):
    """Fields as in ``RunRequest``; ``target_text`` is None for a runtime of this package."""

    drill: bytes
    drill_text: bytes
    target: bytes
    target_text: bytes | None
    arm: str
    seed: int
    runs: bytes
    reaction: int
    proxy: str
    runbook: bytes | None
    subject: str | None
    attempts: int
    earlier: tuple[Earlier, ...]
    pace: str
    person: Person | None
    drawn: bool
    purpose: str | None


def to_wire(request: RunRequest) -> bytes:
    """All of it; relative paths stay relative to the working folder."""
    return encode(
        _Wired(
            drill=os.fsencode(request.drill.file),
            drill_text=request.drill.content,
            target=os.fsencode(request.target),
            target_text=system(request.target).source,
            arm=str(request.arm),
            seed=request.seed,
            runs=os.fsencode(request.runs),
            reaction=request.reaction,
            proxy=request.proxy,
            runbook=None if request.runbook is None else os.fsencode(request.runbook),
            subject=request.subject,
            attempts=request.attempts,
            earlier=request.earlier,
            pace=request.drill.pace_name,
            person=request.person,
            drawn=request.drawn,
            purpose=request.purpose,
        )
    )


def from_wire(content: bytes) -> RunRequest:
    """The same request, in a process that has read none of its files. BadInput where they do not hold there."""
    wired = msgspec.json.decode(content, type=_Wired)
    file, target = Path(os.fsdecode(wired.drill)), os.fsdecode(wired.target)
    yamlfile.give(file, wired.drill_text)
    if wired.target_text is not None:
        yamlfile.give(Path(target), wired.target_text)
    return RunRequest(
        drill=load_drill(file, words_of(target)).at_pace(wired.pace),
        arm=Arm.parse(wired.arm),
        seed=wired.seed,
        runs=Path(os.fsdecode(wired.runs)),
        reaction=wired.reaction,
        proxy=wired.proxy,
        runbook=None if wired.runbook is None else Path(os.fsdecode(wired.runbook)),
        subject=wired.subject,
        attempts=wired.attempts,
        target=target,
        earlier=wired.earlier,
        person=wired.person,
        drawn=wired.drawn,
        purpose=wired.purpose,
    )
