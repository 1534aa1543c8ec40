"""Running drills from Python: ``run(request, observers)`` carries one out, tells what happens, and hands back its card.

::

    drill = load_drill("night-batch-lock")
    result = run(RunRequest(drill, RUNBOOK, seed=7, runs=Path("runs")), [print])
    result.card.verdict, result.folder, result.cut

Each run is a process of its own (``drills.execution.child``): signals, limits and the clock of its event loop are that
process's, and nothing of the caller's is changed. So any thread may call, also several at once (from asyncio:
``asyncio.to_thread``, and a ``Stop`` for who is cancelled). Nothing is printed here; who prints does it from the events
and the result.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from drills.cards import judge, judge_and_write
from drills.errors import KunrenError, Refused
from drills.execution.events import (
    AlertReceived,
    CommandSeen,
    Complaint,
    Cut,
    Ended,
    FaultSeen,
    FaultState,
    Forecast,
    How,
    Injected,
    Judged,
    Level,
    OnCall,
    PhaseChanged,
    Remark,
    RolledBack,
    RunbookClosed,
    RunbookOpened,
    RunEvent,
    Sampled,
    Started,
    StepBegan,
    StepEnded,
    StepOffered,
)
from drills.execution.heal import residuals
from drills.execution.process import RunProcess, Stop, Terminal
from drills.execution.reaper import stands
from drills.execution.registering import enter_ended
from drills.judge.schedule import longest
from drills.judge.scorecard import Scorecard
from drills.record.folder import card_bytes
from drills.record.history import NS, History
from drills.record.names import CARD, StoreError, Unusable
from drills.spec import planning
from drills.spec.request import RunRequest
from drills.spec.target import system
from targets.target import TargetError

__all__ = [
    "AlertReceived",
    "CommandSeen",
    "Complaint",
    "Cut",
    "Ended",
    "FaultSeen",
    "FaultState",
    "Forecast",
    "How",
    "Injected",
    "Judged",
    "Level",
    "Observer",
    "OnCall",
    "PhaseChanged",
    "Remark",
    "RolledBack",
    "RunEvent",
    "RunRequest",
    "RunResult",
    "RunbookClosed",
    "RunbookOpened",
    "Sampled",
    "Started",
    "StepBegan",
    "StepEnded",
    "StepOffered",
    "Stop",
    "Stopped",
    "Terminal",
    "forecast",
    "run",
]

DIED = "died"
"""The ``reason`` of an end that the run itself could not tell."""

HEALED_WITHIN_S = 60.0
"""For the reaper of a run whose process died."""


class Observer(Protocol):
    """Whoever wants to know what happens in a run."""

    def __call__(self, event: RunEvent, /) -> None:
        """In the thread that called ``run``, one event after the other. Taking its time delays no run."""


class Stopped(KunrenError):
    """Stopped before anything was started; ``cut`` says by what."""

    def __init__(self, cut: Cut) -> None:
        super().__init__(f"{cut.how} before anything was started")
        self.cut = cut


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run that was begun: its folder, its card and the history behind it, and what cut it short, if anything did.

    ``observer_errors``: what observers raised, the first of each; one that raised was told nothing more.
    """

    folder: Path
    card: Scorecard
    history: History
    cut: Cut | None
    observer_errors: tuple[Exception, ...] = ()


def forecast(request: RunRequest) -> float:
    """Seconds that the run takes at most."""
    plan = planning.plan(request.drill, request.arm, request.seed, request.reaction)
    return system(request.target).start_stop_s + longest(plan) / NS


def run(
    request: RunRequest,
    observers: Sequence[Observer] = (),
    *,
    stop: Stop | None = None,
    terminal: Terminal | None = None,
) -> RunResult:
    """Carry out one run and judge it; blocks until nothing of it is left.

    ``stop`` ends it before its time, in order, from another thread or a signal handler. So does whatever is raised in
    the calling thread meanwhile, such as KeyboardInterrupt, which then comes up after all; and the caller's death.
    ``terminal``: from where the person acts whom ``request.person`` names.

    Refused where nothing was started, or Stopped; KunrenError where the run could not even begin to be recorded. A
    run that failed, was refused half-way or was stopped has a card that says so, and ``cut``.
    """
    stop, told = stop or Stop(), _Observers(observers)
    if stop.asked is not None:
        raise Stopped(Cut(stop.asked))
    told(Forecast(request.drill.called, str(request.arm), request.seed, forecast(request), request.attempts))
    started, ended = _carried_out(request, told, stop, terminal)
    told(ended)
    if started is None:
        raise Stopped(Cut(stop.asked)) if stop.asked is not None else _not_begun(ended.cut)
    folder = Path(started.folder)
    try:
        card, history, written = _judged(folder, told)
    except Unusable as error:
        if ended.reason != DIED:
            raise
        raise KunrenError(f"{ended.says}; {error}") from error
    _enter(folder, card, history, written, told)
    told(Judged(card.run, card.verdict, card.grade, str(folder / CARD) if written else None))
    cut = _cut(ended.cut, stop, told)
    return RunResult(folder, card, history, cut, tuple(told.errors))


class _Observers:
    """Tells each of them; one that raises is told nothing more."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._listening = list(observers)
        self.errors: list[Exception] = []

    def __call__(self, event: RunEvent) -> None:
        for observer in tuple(self._listening):
            try:
                observer(event)
            except Exception as error:  # noqa: BLE001  # an observer's bug is no reason to lose the run
                self._listening.remove(observer)
                self.errors.append(error)


def _carried_out(
    request: RunRequest, told: _Observers, stop: Stop, terminal: Terminal | None
) -> tuple[Started | None, Ended]:
    """From the start of its process to its end."""
    started: Started | None = None
    with RunProcess(request, stop, terminal) as process:
        for event in process.events():
            if isinstance(event, Ended):
                return (None if event.run is None else started), event
            if isinstance(event, Started):
                started = event
            told(event)
        died = process.died()
    return started, _death(started, died)


def _death(started: Started | None, died: str) -> Ended:
    """Its process has gone without a word: by itself, or by somebody's hand or the kernel's."""
    if started is None:
        return Ended(None, DIED, died, Cut(How.FAILED, died))
    after = "its reaper has undone and stopped everything"
    if not _healed(Path(started.folder)):
        after = "its reaper has not undone everything: kunren heal --all"
    says = f"{died}; {after}"
    return Ended(started.run, DIED, says, Cut(How.FAILED, says))


def _healed(folder: Path) -> bool:
    """Wait until the reaper has done what it can; whether nothing of the run is left."""
    deadline = time.monotonic() + HEALED_WITHIN_S
    try:
        while stands(folder) and time.monotonic() < deadline:
            time.sleep(0.1)
        return not residuals(None, (folder,))
    except (TargetError, OSError):  # nobody can look
        return False


def _not_begun(cut: Cut | None) -> KunrenError:
    """What to raise where there is no run to hand back."""
    if cut is None or cut.how is How.FAILED:
        return KunrenError(cut.message if cut else "the run was not begun")
    return Refused(cut.message, cut.fix) if cut.how is How.REFUSED else Stopped(cut)


def _cut(cut: Cut | None, stop: Stop, told: _Observers) -> Cut | None:
    """A wish to stop counts also where it came too late, or the run failed meanwhile: there is to be no next run."""
    if stop.asked is None or (cut is not None and cut.on_demand):
        return cut
    if cut is not None:
        told(Complaint(cut.message))
    return Cut(stop.asked)


def _enter(folder: Path, card: Scorecard, history: History, written: bool, told: _Observers) -> None:
    """In the register; where that fails the run stays there as one that was begun, and it is said."""
    try:
        enter_ended(folder, card, history, card_bytes(card) if written else None)
    except StoreError as error:
        told(Complaint(f"the end of the run is not in the register: {error}"))


def _judged(folder: Path, told: _Observers) -> tuple[Scorecard, History, bool]:
    """The card, written where the disk takes it; a run whose folder could not be written has one all the same."""
    try:
        return *judge_and_write(folder), True
    except (StoreError, OSError) as error:
        told(Complaint(f"the card could not be written: {error}"))
        return *judge(folder), False
