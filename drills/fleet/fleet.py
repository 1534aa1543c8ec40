"""Carries out many runs, some of them at once; each is a process of its own with a stack of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from drills import api
from drills.fleet.admission import Admission
from drills.judge.scorecard import Scorecard
from drills.spec.request import RunRequest, again

LOOK_S = 0.5
WATCHING = "watching"
"""The phase from which on a run is under load, and its fault strikes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request: the cards of its attempts, and what forbids to start others, if anything does."""

    cards: tuple[Scorecard, ...]
    cut: api.Cut | None


Watch = Callable[[int], Sequence[api.Observer]]
"""Who are told of the run with this place in the list."""


def carry_out(
    requests: Sequence[RunRequest], admission: Admission, watch: Watch, stop: api.Stop, *, retry_invalid: bool
) -> list[Outcome]:
    """All of them, in order; outcomes in the order in which they ended, none for what was not begun.

    No further one is begun after a cut, nor after ``stop`` was asked for; those under way end in order. KunrenError
    where one could not be begun.
    """
    waiting = list(enumerate(requests))
    going: dict[Future[Outcome], int] = {}
    outcomes: list[Outcome] = []
    errors: list[BaseException] = []

    def goes_on() -> bool:
        return not (errors or stop.asked or any(each.cut is not None for each in outcomes))

    with ThreadPoolExecutor(max_workers=max(1, admission.most), thread_name_prefix="run") as pool:
        try:
            while going or (waiting and goes_on()):
                while waiting and goes_on() and len(going) < admission.room():
                    place, request = waiting.pop(0)
                    told = (*watch(place), _Loaded(admission, place))
                    admission.started()
                    going[pool.submit(_one, request, told, stop, retry_invalid=retry_invalid)] = place
                for future in wait(going, timeout=LOOK_S, return_when=FIRST_COMPLETED).done:
                    admission.ended(going.pop(future))
                    _take(future, outcomes, errors)
        except BaseException:  # whatever it is, no run may outlive the command
            stop.request(api.How.TERMINATED)
            raise
    if errors:
        raise errors[0]
    return outcomes


def _take(future: Future[Outcome], outcomes: list[Outcome], errors: list[BaseException]) -> None:
    """What came of one; one that could not be begun stops no other that goes on."""
    error = future.exception()
    if error is None:
        outcomes.append(future.result())
    else:
        errors.append(error)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Tells the admission when a run is under load."""

    admission: Admission
    place: int

    def __call__(self, event: api.RunEvent, /) -> None:
        if isinstance(event, api.PhaseChanged) and event.phase == WATCHING:
            self.admission.loaded(self.place)


def _one(request: RunRequest, told: Sequence[api.Observer], stop: api.Stop, *, retry_invalid: bool) -> Outcome:
    """One run; where it could not judge and that is asked for, once more."""
    first = _run(request, told, stop)
    if not retry_invalid or first.cut is not None or first.cards[-1].verdict != "invalid":
        return first
    second = _run(again(request, first.cards[-1]), told, stop)
    return Outcome((*first.cards, *second.cards), second.cut)


def _run(request: RunRequest, told: Sequence[api.Observer], stop: api.Stop) -> Outcome:
    try:
        result = api.run(request, told, stop=stop)
    except api.Stopped as stopped:
        return Outcome((), stopped.cut)
    failed = result.cut is not None and result.cut.how is api.How.FAILED
    return Outcome((result.card,), None if failed else result.cut)
