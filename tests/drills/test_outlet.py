"""What a run tells waits for its reader, and the run does not."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from drills.execution.events import Ended, Level, RunEvent, Sampled, StepEnded
from drills.execution.outlet import Outlet
from drills.execution.process import DECODER, _newest

MANY = 5000
"""Pictures that no pipe holds."""


def picture(t: int) -> Sampled:
    return Sampled(t, "watching", 1.5, t, {"orders": Level(60.0, None)}, ("LockWait",), (("call", "ok"),), ())


def read(pipe: int) -> list[RunEvent]:
    with os.fdopen(pipe, "rb") as file:
        return [DECODER.decode(line) for line in file]


@pytest.fixture
def ends() -> Iterator[tuple[int, Outlet]]:
    ours, theirs = os.pipe()
    outlet = Outlet(theirs)
    yield ours, outlet
    outlet.close()


def test_nobody_reads_for_a_while(ends: tuple[int, Outlet]) -> None:
    """Pictures are left out then, and nothing else; what comes is in order."""
    pipe, outlet = ends
    began = time.monotonic()
    for t in range(MANY):
        outlet.emit(picture(t))
        if t % 100 == 0:
            outlet.emit(StepEnded(t, f"step-{t}", "ok"))
    outlet.emit(Ended(None, "judged"))
    assert time.monotonic() - began < 5
    outlet._waiting.put(None)
    found = read(pipe)
    assert [event.t for event in found if isinstance(event, StepEnded)] == list(range(0, MANY, 100))
    assert isinstance(found[-1], Ended)
    seen = [event.t for event in found if isinstance(event, Sampled)]
    assert seen == sorted(seen)
    assert 0 < len(seen) < MANY


def test_nobody_is_there_at_all(ends: tuple[int, Outlet]) -> None:
    pipe, outlet = ends
    os.close(pipe)
    for t in range(MANY):
        outlet.emit(picture(t))
    outlet.emit(Ended(None, "judged"))


def test_text_that_is_no_utf_8_arrives_as_it_is_shown(ends: tuple[int, Outlet]) -> None:
    pipe, outlet = ends
    outlet.emit(Ended(None, "error", "caf\udce9 \x1b[2K\n"))
    outlet._waiting.put(None)
    assert read(pipe) == [Ended(None, "error", "caf\\xe9 \\x1b[2K\n")]


def test_of_pictures_that_come_together_the_last_is_shown() -> None:
    step = StepEnded(2, "call", "ok")
    assert list(_newest([picture(1), step, picture(3), Ended(None, "judged")])) == [
        step, picture(3), Ended(None, "judged"),
    ]  # fmt: skip
    assert list(_newest([step])) == [step]
