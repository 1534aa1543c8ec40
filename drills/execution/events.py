"""What a run tells while it goes on: frozen records that cross a pipe as JSON, one a line, told apart by ``event``.

In this order: ``Forecast``; once anything is begun ``Started``, then the others as they happen; ``Ended`` when nothing
of the run is left; ``Judged`` when its card is written. A ``Sampled`` is a whole picture, and may be left out where
nobody takes it in time; none of the others is. Instants ``t`` are CLOCK_MONOTONIC in ns, as in ``events.jsonl``.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from enum import StrEnum

import msgspec

from drills.interrupts import HungUp, Terminated


class How(StrEnum):
    """What cut a run short."""

    FAILED = "failed"  # it could not go on
    REFUSED = "refused"  # it was not to be started, or its target showed no label: nothing was injected
    INTERRUPTED = "interrupted"
    HUNG_UP = "hung-up"
    TERMINATED = "terminated"


SIGNALS = {How.INTERRUPTED: signal.SIGINT, How.HUNG_UP: signal.SIGHUP, How.TERMINATED: signal.SIGTERM}
"""By what a run is told to end."""

HOW = {int(number): how for how, number in SIGNALS.items()}
"""Signal -> what it makes of a run."""


class Cut(msgspec.Struct, frozen=True):
    """What cut a run short: ``message`` where it failed or was refused, ``fix`` what to do about it, where known."""

    how: How
    message: str = ""
    fix: str = ""

    @property
    def on_demand(self) -> bool:
        """Whether somebody had it ended."""
        return self.how in SIGNALS


def cut_by(error: BaseException) -> Cut:
    """The signal that was raised as this exception (``drills.interrupts``)."""
    if isinstance(error, HungUp):
        return Cut(How.HUNG_UP)
    return Cut(How.TERMINATED if isinstance(error, Terminated) else How.INTERRUPTED)


class Level(msgspec.Struct, frozen=True):
    """A rated service: intended requests/s, and the share of good ones over the last 2 s, None where none settled."""

    rate: float
    good: float | None


class FaultState(StrEnum):
    """Of a planned fault."""

    PLANNED = "planned"
    INJECTED = "injected"
    ROLLED_BACK = "rolled-back"


class FaultSeen(msgspec.Struct, frozen=True):
    """A planned fault by its index in the plan."""

    index: int
    kind: str
    state: FaultState


class _Event(msgspec.Struct, frozen=True, tag=True, tag_field="event"):
    """What all of them are."""


class Forecast(_Event, frozen=True):
    """What is about to run: ``drill`` with its variant; ``attempt`` counts from 1."""

    drill: str
    arm: str
    seed: int
    at_most_s: float
    attempt: int = 1


class Started(_Event, frozen=True):
    """The run has a folder, and will have a card. ``run`` is ``DRILL/FOLDER``, ``folder`` a path for the caller."""

    t: int
    run: str
    folder: str


class PhaseChanged(_Event, frozen=True):
    """What the run is about; ``left_s`` until it stops looking at the latest, None while that is not settled."""

    t: int
    phase: str
    left_s: float | None = None


class Sampled(_Event, frozen=True):
    """Everything known live, several times a second.

    ``sent``: settled requests so far. ``firing``: rules whose last alert has not been resolved, in order. ``steps``:
    (id, ``running`` or outcome) of each step of the runbook that was begun.
    """

    t: int
    phase: str
    left_s: float | None
    sent: int
    services: dict[str, Level]
    firing: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]
    faults: tuple[FaultSeen, ...]


class AlertReceived(_Event, frozen=True):
    """The target's own monitor sent it; ``status`` is firing or resolved, ``runbook`` the alert's own link."""

    t: int
    rule: str
    status: str
    severity: str
    summary: str
    runbook: str | None


class RunbookOpened(_Event, frozen=True):
    """Whoever is on call follows this one from here on."""

    t: int
    runbook: str


class OnCall(_Event, frozen=True):
    """A person is on call from here on; ``by_hand``: lines that say how to reach the target in another terminal."""

    t: int
    by_hand: tuple[str, ...]


class RunbookClosed(_Event, frozen=True):
    """A person follows it no longer; ``end`` as in ``operators.outcomes.RunbookEnd``."""

    t: int
    runbook: str
    end: str


class StepOffered(_Event, frozen=True):
    """It is for a person to say what becomes of this step."""

    t: int
    step: str


class CommandSeen(_Event, frozen=True):
    """A person gave it to the operator's tool in another terminal."""

    t: int
    command: tuple[str, ...]
    exit: int
    says: str


class Remark(_Event, frozen=True):
    """What a person asked for could not be done."""

    t: int
    message: str


class StepBegan(_Event, frozen=True):
    """Of the runbook that is followed."""

    t: int
    step: str


class StepEnded(_Event, frozen=True):
    """``outcome`` as in ``operators.outcomes.StepOutcome``; ``says`` is told to a person alone."""

    t: int
    step: str
    outcome: str
    says: str = ""


class Injected(_Event, frozen=True):
    """The fault with this index in the plan is in place; or not, where it is not ``ok``. ``says``: what was done."""

    t: int
    index: int
    kind: str
    ok: bool
    says: str


class RolledBack(_Event, frozen=True):
    """It was undone and looked for: nothing of it is left where it is ``ok``, also where it never was in place."""

    t: int
    index: int
    kind: str
    ok: bool
    says: str


class Ended(_Event, frozen=True):
    """The last of what the run itself tells. ``run`` is None where nothing was started.

    ``reason`` as in ``RunEnd.reason``, or ``died`` where its process did and a reaper had to clear up.
    """

    run: str | None
    reason: str
    says: str = ""
    cut: Cut | None = None


class Judged(_Event, frozen=True):
    """The run's card says this; ``card`` is its file, None where it could not be written."""

    run: str
    verdict: str
    grade: str | None
    card: str | None


class Complaint(_Event, frozen=True):
    """Something went wrong that changes nothing of the run itself."""

    message: str


RunEvent = (
    Forecast
    | Started
    | PhaseChanged
    | Sampled
    | AlertReceived
    | OnCall
    | RunbookOpened
    | RunbookClosed
    | StepOffered
    | CommandSeen
    | Remark
    | StepBegan
    | StepEnded
    | Injected
    | RolledBack
    | Ended
    | Judged
    | Complaint
)

Emit = Callable[[RunEvent], None]
"""Takes an event at once, from any thread, and never raises."""
