"""What a person who is on call sees, and what the keys mean."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from drills.commands.person import Keys
from drills.execution.events import (
    AlertReceived,
    CommandSeen,
    Ended,
    Injected,
    OnCall,
    PhaseChanged,
    Remark,
    RunbookClosed,
    RunbookOpened,
    StepEnded,
    StepOffered,
)
from drills.operators.actions import Action, ConfirmStep, Escalate, LeaveRunbook, OpenRunbook, RunStep, SkipStep
from drills.spec.drill import load_drill
from drills.spec.library import library
from drills.spec.runbook import load_runbook
from reports.person import PersonScreen
from reports.texts import Lang


class AtTerminal:
    """A screen, its keys, and what they send."""

    def __init__(self, lang: Lang = "en") -> None:
        drill = load_drill("night-batch-lock")
        assert drill.runbook is not None
        known = library(drill, load_runbook(drill.runbook, drill.tool))
        self.file = io.StringIO()
        self.screen = PersonScreen(Console(file=self.file, width=200, force_terminal=True), known, lang)
        self.sent: list[Action] = []
        self.keys = Keys(self.screen, self.sent.append)

    def said(self) -> str:
        return self.file.getvalue()

    def status(self) -> str:
        return self.screen.status().plain

    def press(self, keys: str) -> list[Action]:
        for key in keys:
            self.keys.press(key)
        return self.sent


@pytest.fixture
def terminal() -> AtTerminal:
    made = AtTerminal()
    made.screen(OnCall(1, ("operate it: brokerctl",)))
    return made


def alert(rule: str = "LockWait", runbook: str | None = "night-batch-lock", status: str = "firing") -> AlertReceived:
    return AlertReceived(2, rule, status, "page", "the batch blocks others", runbook)


def opened(terminal: AtTerminal, step: str = "confirm") -> None:
    now = time.monotonic_ns()
    terminal.screen(RunbookOpened(now, "night-batch-lock"))
    terminal.screen(StepOffered(now, step))


def test_an_alert_rings_and_is_opened_by_its_number(terminal: AtTerminal) -> None:
    terminal.screen(alert("OpeningAtRisk", "first-look"))
    terminal.screen(alert())
    assert terminal.said().count("\a") == 2
    assert "ALERT 2  page  LockWait: the batch blocks others" in terminal.said()
    assert terminal.press("23") == [OpenRunbook("night-batch-lock", "LockWait")]


def test_an_alert_without_a_link_opens_nothing_and_a_resolved_one_has_no_number(terminal: AtTerminal) -> None:
    terminal.screen(alert(runbook=None))
    terminal.screen(alert(status="resolved"))
    assert "no runbook" in terminal.said()
    assert "resolved  LockWait" in terminal.said()
    assert terminal.press("12") == []


def test_nothing_of_the_drill_is_shown(terminal: AtTerminal) -> None:
    before = terminal.said()
    terminal.screen(Injected(2, 0, "planted", True, "47299 lots on C-0617"))
    terminal.screen(PhaseChanged(2, "fault planted skewed-lots", 40.0))
    assert terminal.said() == before
    assert "skewed" not in terminal.status()


def test_a_step_is_shown_with_command_expectation_and_the_time_that_is_left(terminal: AtTerminal) -> None:
    opened(terminal)
    said = terminal.said()
    for words in ("never:", "$ brokerctl locks show", "expect: job = mark-to-market", "call duty-manager"):
        assert words in said
    assert terminal.status().startswith("step 1/14 confirm  0:3")
    assert "call duty-manager in " in terminal.status()
    assert "r run" in terminal.status()


def test_a_step_over_its_time_says_by_how_much(terminal: AtTerminal) -> None:
    opened(terminal)
    terminal.screen.shown.due = time.monotonic_ns() - 65_500_000_000
    terminal.screen.shown.call_at = time.monotonic_ns() - 1
    assert "1:05 over time" in terminal.status()
    assert "CALL duty-manager" in terminal.status()


def test_each_key_means_one_thing_for_the_step_that_waits(terminal: AtTerminal) -> None:
    opened(terminal)
    assert terminal.press("rc") == [RunStep("confirm"), ConfirmStep("confirm")]
    assert terminal.press("zp?")[2:] == []
    assert "wait until all others are marked" in terminal.said()


@pytest.mark.parametrize(
    ("key", "action"),
    [
        ("s", SkipStep("confirm", "known 既知")),
        ("e", Escalate("confirm", "known 既知")),
        ("x", LeaveRunbook("known 既知")),
    ],
)
def test_a_reason_is_asked_for_and_typed(terminal: AtTerminal, key: str, action: Action) -> None:
    opened(terminal)
    terminal.press(key)
    assert terminal.status().endswith(": _")
    assert terminal.press("\rknoww\x7fn 既知") == []
    assert terminal.status().endswith("known 既知_")
    assert terminal.press("\r") == [action]
    assert "step 1/14" in terminal.status()


def test_escape_gives_the_question_up(terminal: AtTerminal) -> None:
    opened(terminal)
    assert terminal.press("sabc\x1br") == [RunStep("confirm")]


def test_a_runbook_is_opened_by_the_beginning_of_its_name(terminal: AtTerminal) -> None:
    assert terminal.press("onight\r") == [OpenRunbook("night-batch-lock")]
    assert "A symptom: look for the cause" in terminal.said()
    assert terminal.press("ozz\r") == [OpenRunbook("night-batch-lock")]
    assert "no runbook, or more than one, begins with zz" in terminal.said()


def test_without_an_open_runbook_only_opening_means_something(terminal: AtTerminal) -> None:
    assert terminal.press("rcsexp") == []
    assert terminal.status().startswith("no runbook is open")


def test_what_came_of_it_is_told(terminal: AtTerminal) -> None:
    opened(terminal)
    terminal.screen(StepEnded(3, "confirm", "ok", "it blocks 12 others"))
    terminal.screen(CommandSeen(3, ("brokerctl", "service", "close", "orders"), 0, "orders is closed"))
    terminal.screen(Remark(3, "that step is over"))
    terminal.screen(RunbookClosed(3, "night-batch-lock", "done"))
    said = terminal.said()
    assert "done: it blocks 12 others" in said
    assert "other terminal: brokerctl service close orders: orders is closed" in said
    assert "not done: that step is over" in said
    assert "runbook night-batch-lock closed: done" in said
    assert terminal.status().startswith("no runbook is open")


def test_at_the_end_it_says_so_once(terminal: AtTerminal) -> None:
    terminal.screen(PhaseChanged(4, "taking the books"))
    terminal.screen(Ended("x/y", "judged"))
    assert terminal.said().count("the drill is over") == 1


def test_it_speaks_japanese() -> None:
    terminal = AtTerminal("ja")
    terminal.screen(OnCall(1, ()))
    terminal.screen(alert())
    opened(terminal)
    assert "当番として待機してください" in terminal.said()
    assert "禁止事項" in terminal.said()
    assert terminal.status().startswith("手順 1/14 confirm")
