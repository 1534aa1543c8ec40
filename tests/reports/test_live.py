"""What is shown while a drill runs: lines in a pipe, a picture on a terminal, nothing when quiet."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from drills.execution.events import (
    AlertReceived,
    Forecast,
    Level,
    PhaseChanged,
    RunEvent,
    Sampled,
    StepBegan,
    StepEnded,
)
from reports.live import Screen

EVENTS: list[RunEvent] = [
    Forecast("night-batch-lock", "runbook", 7, 61.6),
    PhaseChanged(0, "starting"),
    Sampled(0, "starting", None, 0, {"orders": Level(60.0, None)}, (), (), ()),
    PhaseChanged(0, "watching", 23.7),
    AlertReceived(0, "LockWait", "firing", "page", "a job waits", "night-batch-holds-locks"),
    StepBegan(0, "declare"),
    Sampled(0, "watching", 20.0, 60, {"orders": Level(60.0, 0.4)}, ("LockWait",), (("declare", "running"),), ()),
    StepEnded(0, "declare", "refused"),
    AlertReceived(0, "LockWait", "resolved", "page", "a job waits", "night-batch-holds-locks"),
    PhaseChanged(0, "undoing", 0.0),
]


def shown(*, terminal: bool = False, quiet: bool = False) -> str:
    into = io.StringIO()
    with Screen(Console(file=into, force_terminal=terminal, width=90), quiet=quiet) as screen:
        for event in EVENTS:
            screen(event)
    return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", into.getvalue())


def test_in_a_pipe_a_line_for_whatever_happens() -> None:
    head, *lines = shown().splitlines()
    assert head == "night-batch-lock · arm runbook · seed 7 · at most 62 s"
    assert [line.split(" s  ", 1)[1] for line in lines] == [
        "starting",
        "watching (at most 24 s more)",
        "alert LockWait firing",
        "step declare: refused",
        "alert LockWait resolved",
        "undoing (at most 0 s more)",
    ]


def test_on_a_terminal_the_whole_picture() -> None:
    said = shown(terminal=True)
    assert "night-batch-lock · arm runbook · seed 7 · at most 62 s" in said
    assert "orders 60/s, good -" in said
    assert "watching   (at most 20 s more)" in said
    assert "orders 60/s, good 40%" in said
    assert "alerts: LockWait" in said
    assert "steps:  …declare" in said
    assert said.index("steps:  …declare") < said.index("undoing   (at most 0 s more)")  # the rest of it stays


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_when_quiet(terminal: bool) -> None:
    assert shown(terminal=terminal, quiet=True) == ""
