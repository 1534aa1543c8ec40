"""One machine, one turn: the calendar drills alone, runs by hand and by pipelines go on side by side."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from drills import api
from drills.execution.turn import LOOK_S, Machine, NotOurTurn
from drills.record.arm import NO_ACTION
from drills.spec.drill import load_drill
from drills.spec.request import RunRequest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def name() -> str:
    return f"kunren-test-{os.getpid()}-{time.monotonic_ns()}"


def never() -> bool:
    return False


def unheard(holders: str) -> None:
    raise AssertionError(holders)


def test_runs_go_on_side_by_side(name: str) -> None:
    with Machine(name).among_others(unheard, never) as one, Machine(name).among_others(unheard, never) as other:
        assert one
        assert other


def test_the_calendar_waits_for_a_run_and_says_whose_it_is(name: str) -> None:
    with (
        Machine(name).among_others(unheard, never),
        pytest.raises(NotOurTurn, match=rf"process {os.getpid()} \("),
        Machine(name).for_itself(0),
    ):
        pass


def test_a_run_waits_for_the_calendar_and_is_told_once_for_whom(name: str) -> None:
    heard: list[str] = []
    order: list[str] = []
    calendar = Machine(name).for_itself(0)
    calendar.__enter__()

    def run() -> None:
        with Machine(name).among_others(heard.append, never) as ours:
            order.append(f"run {ours}")

    waiting = threading.Thread(target=run)
    waiting.start()
    time.sleep(3 * LOOK_S)
    order.append("the calendar has ended")
    calendar.__exit__(None, None, None)
    waiting.join(5)
    assert order == ["the calendar has ended", "run True"]
    assert len(heard) == 1
    assert f"process {os.getpid()}" in heard[0]


def test_who_is_told_to_stop_while_it_waits_stops(name: str) -> None:
    with Machine(name).for_itself(0), Machine(name).among_others(lambda _: None, lambda: True) as ours:
        assert not ours


def test_while_the_calendar_waits_no_further_run_begins(name: str) -> None:
    first = Machine(name).among_others(unheard, never)
    first.__enter__()
    came: list[bool] = []

    def calendar() -> None:
        with Machine(name).for_itself(5):
            came.append(True)

    waiting = threading.Thread(target=calendar)
    waiting.start()
    time.sleep(2 * LOOK_S)
    with Machine(name).among_others(lambda _: None, lambda: True) as ours:
        assert not ours
    first.__exit__(None, None, None)
    waiting.join(5)
    assert came == [True]


def test_the_calendars_own_runs_need_not_wait(name: str) -> None:
    machine = Machine(name)
    with machine.for_itself(0), machine.among_others(unheard, never) as ours:
        assert ours
    assert not machine.alone


def test_two_calendars_do_not_drill_at_once(name: str) -> None:
    with Machine(name).for_itself(0), pytest.raises(NotOurTurn), Machine(name).for_itself(LOOK_S):
        pass


HOLDS = """
import sys, time
from drills.execution.turn import Machine
with Machine(sys.argv[1]).for_itself(0):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_process(name: str) -> Callable[[], subprocess.Popen[str]]:
    def start() -> subprocess.Popen[str]:
        held = subprocess.Popen([sys.executable, "-c", HOLDS, name], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert held.stdout is not None
        assert held.stdout.readline() == "held\n"
        return held

    return start


def test_a_turn_ends_with_its_process_however_that_ends(
    name: str, other_process: Callable[[], subprocess.Popen[str]]
) -> None:
    with other_process() as held:
        with pytest.raises(NotOurTurn, match=f"process {held.pid} "), Machine(name).for_itself(0):
            pass
        held.kill()
        held.wait()
        with Machine(name).for_itself(0):
            pass


def test_a_run_that_has_to_wait_says_for_whom_and_starts_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MACHINE", Machine(name))
    stop, heard = api.Stop(), list[str]()

    def hear(event: api.RunEvent) -> None:
        if isinstance(event, api.Complaint):
            heard.append(event.message)
            stop.request()

    request = RunRequest(load_drill("exchange-link-down"), NO_ACTION, 7, ROOT / "never-written")
    with Machine(name).for_itself(0), pytest.raises(api.Stopped):
        api.run(request, [hear], stop=stop)
    assert len(heard) == 1
    assert heard[0].startswith("this waits until the drills of the calendar have ended: process ")
    assert not (ROOT / "never-written").exists()
