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


class Desk:
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
        return self.screen._status().plain

    def press(self, keys: str) -> list[Action]:
        for key in keys:
            self.keys.press(key)
        return self.sent


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.screen(OnCall(1, ("operate it: brokerctl",)))
    return made


def alert(rule: str = "LockWait", runbook: str | None = "night-batch-lock", status: str = "firing") -> AlertReceived:
    return AlertReceived(2, rule, status, "page", "the batch blocks others", runbook)


def opened(desk: Desk, step: str = "confirm") -> None:
    now = time.monotonic_ns()
    desk.screen(RunbookOpened(now, "night-batch-lock"))
    desk.screen(StepOffered(now, step))


def test_an_alert_rings_and_is_opened_by_its_number(desk: Desk) -> None:
    desk.screen(alert("OpeningAtRisk", "first-look"))
    desk.screen(alert())
    assert desk.said().count("\a") == 2
    assert "ALERT 2  page  LockWait: the batch blocks others" in desk.said()
    assert desk.press("23") == [OpenRunbook("night-batch-lock", "LockWait")]


def test_an_alert_without_a_link_opens_nothing_and_a_resolved_one_has_no_number(desk: Desk) -> None:
    desk.screen(alert(runbook=None))
    desk.screen(alert(status="resolved"))
    assert "no runbook" in desk.said()
    assert "resolved  LockWait" in desk.said()
    assert desk.press("12") == []


def test_nothing_of_the_drill_is_shown(desk: Desk) -> None:
    before = desk.said()
    desk.screen(Injected(2, 0, "planted", True, "47299 lots on C-0617"))
    desk.screen(PhaseChanged(2, "fault planted skewed-lots", 40.0))
    assert desk.said() == before
    assert "skewed" not in desk.status()


def test_a_step_is_shown_with_command_expectation_and_the_time_that_is_left(desk: Desk) -> None:
    opened(desk)
    said = desk.said()
    for words in ("never:", "$ brokerctl locks show", "expect: job = mark-to-market", "call duty-manager"):
        assert words in said
    assert desk.status().startswith("step 1/14 confirm  0:3")
    assert "call duty-manager in " in desk.status()
    assert "r run" in desk.status()


def test_a_step_over_its_time_says_by_how_much(desk: Desk) -> None:
    opened(desk)
    desk.screen.shown.due = time.monotonic_ns() - 65_500_000_000
    desk.screen.shown.call_at = time.monotonic_ns() - 1
    assert "1:05 over time" in desk.status()
    assert "CALL duty-manager" in desk.status()


def test_each_key_means_one_thing_for_the_step_that_waits(desk: Desk) -> None:
    opened(desk)
    assert desk.press("rc") == [RunStep("confirm"), ConfirmStep("confirm")]
    assert desk.press("zp?")[2:] == []
    assert "wait until all others are marked" in desk.said()


@pytest.mark.parametrize(
    ("key", "action"),
    [
        ("s", SkipStep("confirm", "known 既知")),
        ("e", Escalate("confirm", "known 既知")),
        ("x", LeaveRunbook("known 既知")),
    ],
)
def test_a_reason_is_asked_for_and_typed(desk: Desk, key: str, action: Action) -> None:
    opened(desk)
    desk.press(key)
    assert desk.status().endswith(": _")
    assert desk.press("\rknoww\x7fn 既知") == []
    assert desk.status().endswith("known 既知_")
    assert desk.press("\r") == [action]
    assert "step 1/14" in desk.status()


def test_escape_gives_the_question_up(desk: Desk) -> None:
    opened(desk)
    assert desk.press("sabc\x1br") == [RunStep("confirm")]


def test_a_runbook_is_opened_by_the_beginning_of_its_name(desk: Desk) -> None:
    assert desk.press("onight\r") == [OpenRunbook("night-batch-lock")]
    assert "A symptom: look for the cause" in desk.said()
    assert desk.press("ozz\r") == [OpenRunbook("night-batch-lock")]
    assert "no runbook, or more than one, begins with zz" in desk.said()


def test_without_an_open_runbook_only_opening_means_something(desk: Desk) -> None:
    assert desk.press("rcsexp") == []
    assert desk.status().startswith("no runbook is open")


def test_what_came_of_it_is_told(desk: Desk) -> None:
    opened(desk)
    desk.screen(StepEnded(3, "confirm", "ok", "it blocks 12 others"))
    desk.screen(CommandSeen(3, ("brokerctl", "service", "close", "orders"), 0, "orders is closed"))
    desk.screen(Remark(3, "that step is over"))
    desk.screen(RunbookClosed(3, "night-batch-lock", "done"))
    said = desk.said()
    assert "done: it blocks 12 others" in said
    assert "other terminal: brokerctl service close orders: orders is closed" in said
    assert "not done: that step is over" in said
    assert "runbook night-batch-lock closed: done" in said
    assert desk.status().startswith("no runbook is open")


def test_at_the_end_it_says_so_once(desk: Desk) -> None:
    desk.screen(PhaseChanged(4, "taking the books"))
    desk.screen(Ended("x/y", "judged"))
    assert desk.said().count("the drill is over") == 1


def test_it_speaks_japanese() -> None:
    desk = Desk("ja")
    desk.screen(OnCall(1, ()))
    desk.screen(alert())
    opened(desk)
    assert "当番として待機してください" in desk.said()
    assert "禁止事項" in desk.said()
    assert desk.status().startswith("手順 1/14 confirm")
