"""What an entry of a schedule comes to: its runs, how long they take at most, and one of them carried out."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

from drills import api
from drills.commands.execution import complaints, possible
from drills.execution.events import HOW
from drills.fleet.admission import Admission
from drills.fleet.fleet import Outcome, carry_out
from drills.interrupts import first_signal_tells
from drills.spec.request import RunRequest
from drills.spec.schedulefile import Entry


def requests(entry: Entry, seed: int, runs: Path) -> list[RunRequest]:
    """Its runs in order, all with one seed, which chance chose."""
    return [
        RunRequest(part.drill, arm, seed, runs, target=entry.target, drawn=True)
        for part in entry.parts
        for arm in part.arms
    ]


def takes(entry: Entry, runs: Path) -> timedelta:
    """How long all its runs take at most, in whole seconds."""
    return timedelta(seconds=math.ceil(sum(api.forecast(each) for each in requests(entry, 0, runs))))


def carried_out(request: RunRequest, retry: bool) -> Outcome:
    """In a process of its own, as ``kunren run`` does it, ``retry``: again if void. A signal ends it in order."""
    stop = api.Stop()
    with first_signal_tells(lambda number: stop.request(HOW[number])):
        outcomes = carry_out([possible(request)], Admission(1), lambda place: (complaints,), stop, retry_invalid=retry)
    return outcomes[0] if outcomes else Outcome((), api.Cut(stop.asked or api.How.TERMINATED))
