"""Several runs from one command: how many at once, in which order, and what ends them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drills import api
from drills.errors import Refused
from drills.fleet import fleet
from drills.fleet.admission import LOOK_S, Admission, at_once
from drills.fleet.fleet import Outcome, carry_out
from drills.record.arm import RUNBOOK
from drills.spec.drill import load_drill
from drills.spec.request import RunRequest
from reports.card import as_card
from tests.reports.cards import invalid, passed

SECOND = 1_000_000_000


@dataclass
class Machine:
    """Two processors, of which so many hundredths are busy."""

    busy_percent: int = 0
    now: float = 0.0
    busy: int = 0
    idle: int = 0

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        whole = int(2 * seconds * SECOND)
        self.busy += whole * self.busy_percent // 100
        self.idle += whole - whole * self.busy_percent // 100

    def use(self) -> tuple[int, int]:
        return self.busy, self.idle


@pytest.mark.parametrize(
    ("share", "most", "expected"), [(0.38, 3, 1), (0.2, 3, 2), (0.1, 3, 3), (0.1, 9, 4), (0.9, 3, 1), (0.0, 3, 3)]
)
def test_as_many_as_leave_most_of_the_processors_idle(share: float, most: int, expected: int) -> None:
    assert at_once(share, most) == expected


def test_the_first_run_goes_alone_until_its_load_was_measured() -> None:
    machine = Machine(10)
    admission = Admission(3, machine.use, lambda: machine.now)
    assert admission.room() == 1
    admission.started()
    machine.pass_time(60)
    assert admission.room() == 1  # it is not under load yet
    admission.loaded(0)
    assert admission.room() == 1
    machine.pass_time(LOOK_S)
    assert admission.room() == 3


def test_what_two_take_together_is_measured_as_well() -> None:
    machine = Machine()
    admission = Admission(3, machine.use, lambda: machine.now)
    for run, busy_percent, expected in ((0, 15, 2), (1, 90, 1)):
        machine.busy_percent = busy_percent
        admission.started()
        admission.loaded(run)
        admission.room()
        machine.pass_time(LOOK_S)
        assert admission.room() == expected


def test_where_nobody_can_tell_it_is_one_at_a_time() -> None:
    admission = Admission(3, lambda: None)
    admission.started()
    admission.loaded(0)
    assert (admission.room(), admission.share) == (1, None)


@dataclass
class Runs:
    """Stands in for ``api.run``: what each seed's run comes to, and which went on at the same time."""

    ends: dict[int, Callable[[], Any]]
    together: int = 1
    seeds: list[int] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._all_there = threading.Barrier(self.together, timeout=10)

    def __call__(self, request: RunRequest, observers: Sequence[api.Observer], *, stop: api.Stop) -> api.RunResult:
        with self._lock:
            self.seeds.append(request.seed)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        for observer in observers:
            observer(api.PhaseChanged(0, "watching"))
        self._all_there.wait()
        with self._lock:
            self.at_once -= 1
        found = self.ends[request.seed]()
        if isinstance(found, BaseException):
            raise found
        return api.RunResult(Path("runs/x"), found, None, None)  # type: ignore[arg-type]


class Room(Admission):
    """As many as are asked for."""

    def room(self) -> int:
        return self.most


def ordered(seeds: Sequence[int]) -> list[RunRequest]:
    drill = load_drill("exchange-link-down")
    return [RunRequest(drill, RUNBOOK, seed, Path("runs")) for seed in seeds]


def carried_out(
    monkeypatch: pytest.MonkeyPatch, runs: Runs, *, jobs: int = 1, retry: bool = False, stop: api.Stop | None = None
) -> list[Outcome]:
    monkeypatch.setattr(fleet.api, "run", runs)
    told = list[api.RunEvent]()
    return carry_out(
        ordered(list(runs.ends)), Room(jobs), lambda _: (told.append,), stop or api.Stop(), retry_invalid=retry
    )


def card_of(make: Callable[[], dict[str, Any]], seed: int) -> Callable[[], Any]:
    return lambda: as_card(make() | {"seed": seed, "run": f"exchange-link-down/{seed}"})


def test_one_at_a_time_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs({seed: card_of(passed, seed) for seed in (1, 2, 3)})
    outcomes = carried_out(monkeypatch, runs)
    assert runs.seeds == [1, 2, 3]
    assert runs.most_at_once == 1
    assert [each.cards[0].seed for each in outcomes] == [1, 2, 3]


def test_as_many_at_once_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs({seed: card_of(passed, seed) for seed in (1, 2, 3, 4)}, together=2)
    outcomes = carried_out(monkeypatch, runs, jobs=2)
    assert runs.most_at_once == 2
    assert sorted(each.cards[0].seed for each in outcomes) == [1, 2, 3, 4]


def test_what_could_not_judge_is_run_once_more_and_both_are_handed_back(monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter([invalid, passed])
    runs = Runs({1: lambda: card_of(next(made), 1)()})
    (outcome,) = carried_out(monkeypatch, runs, retry=True)
    assert [card.verdict for card in outcome.cards] == ["invalid", "pass"]
    assert runs.seeds == [1, 1]


def test_after_a_demand_to_stop_none_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = api.Stop()

    def last() -> Any:
        stop.request(api.How.INTERRUPTED)
        return card_of(passed, 1)()

    runs = Runs({1: last, 2: card_of(passed, 2)})
    outcomes = carried_out(monkeypatch, runs, stop=stop)
    assert runs.seeds == [1]
    assert len(outcomes) == 1


def test_one_that_cannot_be_begun_ends_the_command_and_no_run_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = list[int]()

    def second() -> Any:
        ended.append(2)
        return card_of(passed, 2)()

    runs = Runs({1: lambda: Refused("no PostgreSQL here"), 2: second}, together=2)
    with pytest.raises(Refused, match="no PostgreSQL here"):
        carried_out(monkeypatch, runs, jobs=2)
    assert ended == [2]


def test_after_one_that_cannot_be_begun_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs({1: lambda: Refused("no PostgreSQL here"), 2: card_of(passed, 2)})
    with pytest.raises(Refused, match="no PostgreSQL here"):
        carried_out(monkeypatch, runs)
    assert runs.seeds == [1]
