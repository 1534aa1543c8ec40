"""A person who is on call: what each action does, what is put on record, and commands typed in another terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from drills.operators.actions import (
    Action,
    Actions,
    ConfirmStep,
    Escalate,
    LeaveRunbook,
    OpenRunbook,
    RunStep,
    SkipStep,
)
from drills.operators.inbox import Inbox
from drills.operators.person import PersonOnCall
from drills.record.history import Kind, Person
from drills.spec.runbook import Runbook, load_runbook
from targets.brokerage.operations.tool import TOOL
from targets.target import Alert, Answer, Typed

HANG_S = 20.0
SATO = Person("Sato", "shift-lead")

FIX = """runbook: fix
title: {en: Fix it, ja: 直す}
for: {alerts: [Down], phases: [D3]}
escalation: {after: 3m, to: duty-manager, deputy: head-of-operations, open: other}
steps:
  - {id: close, role: operator, text: {en: Close, ja: 止める}, run: brokerctl service close orders, within: 5s}
  - id: call
    role: operator
    text: {en: Call the exchange, ja: 取引所に電話する}
    manual: {en: The exchange knows, ja: 取引所に伝えた}
    within: 1m
  - id: check
    role: operator
    text: {en: Look, ja: 確認する}
    before: {run: brokerctl status, reply: {services.orders: false}}
    run: brokerctl service open orders
    expect: {run: brokerctl status, reply: {services.orders: true}}
    needs: [call]
    within: 1s
"""
OTHER = """runbook: other
title: {en: Look, ja: 見る}
for: {alerts: [Down], phases: [D3]}
escalation: {after: 3m, to: duty-manager, deputy: head-of-operations}
steps:
  - id: look
    role: viewer
    text: {en: Look, ja: 見る}
    run: brokerctl status
    expect: {services.orders: false}
    open: fix
    within: 1s
"""


class Tool:
    """Orders can be closed and opened, by whomever; every command is logged."""

    def __init__(self) -> None:
        self.open = True
        self.log: list[Typed] = []
        self.refuses = ""

    def run_command(self, argv: tuple[str, ...], role: str, within_s: float) -> Answer:
        began = time.monotonic_ns()
        changed = argv[1] == "service" and not self.refuses
        if changed:
            self.open = argv[2] == "open"
        data = {"changed": changed, "services": {"orders": self.open}}
        return Answer(1 if self.refuses else 0, self.refuses or "done", data, began, time.monotonic_ns())

    def type(self, argv: tuple[str, ...], role: str) -> None:
        """At another terminal."""
        self.log.append(Typed(argv, role, self.run_command(argv, role, 1)))

    def typed(self, after: int) -> Sequence[Typed]:
        return tuple(self.log[after:])


class Watched(Actions):
    """Counts how often somebody looked and found nothing to do."""

    def __init__(self) -> None:
        super().__init__()
        self.idle = 0

    def take(self, within_s: float) -> Action | None:
        action = super().take(within_s)
        self.idle += action is None
        return action


class Seen:
    """The person's screen: what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def closed(self, name: str, end: str) -> None:
        self.told.append(("closed", name, end))

    def offered(self, step: str) -> None:
        self.told.append(("offered", step))

    def step(self, step: str, outcome: str, says: str = "") -> None:
        self.told.append(("step", step, outcome))

    def command(self, typed: Typed) -> None:
        self.told.append(("command", " ".join(typed.argv)))

    def remark(self, message: str) -> None:
        self.told.append(("remark", message))


class Duty:
    """A person on call, whose actions a test gives one after the other."""

    def __init__(self, folder: Path) -> None:
        self.tool, self.screen, self.actions, self.inbox = Tool(), Seen(), Watched(), Inbox()
        self.events: list[tuple[Kind, str, Mapping[str, Any]]] = []
        self.stop = threading.Event()
        self.opened: list[str] = []
        self.acted = 0
        self.person = PersonOnCall(
            _library(folder), SATO, self.tool, self.actions, self._record, self.screen, self.stop,
            lambda runbook: self.opened.append(runbook.id), lambda _: None, self._acted,
        )  # fmt: skip

    def _record(self, actor: str, kind: Kind, what: str, data: Mapping[str, Any]) -> None:
        assert actor == "operator"
        assert (data["name"], data["as"]) == ("Sato", "shift-lead")
        self.events.append((kind, what, data))

    def _acted(self) -> None:
        self.acted += 1

    def does(self, *actions: Action | Callable[[], object]) -> Duty:
        """Each as soon as what came before it has been dealt with; then the run is over."""
        thread = threading.Thread(target=self.person.attend, args=(self.inbox,))
        thread.start()
        for action in actions:
            if callable(action):
                action()
            else:
                self.actions.put(action)
            self._settle()
        self.stop.set()
        thread.join(5)
        assert not thread.is_alive()
        return self

    def _settle(self) -> None:
        """Until all that was done has been dealt with: twice since then there was nothing to do."""
        until, deadline = self.actions.idle + 2, time.monotonic() + HANG_S
        while self.actions.idle < until:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def told(self, what: str) -> list[tuple[str, ...]]:
        return [each[1:] for each in self.screen.told if each[0] == what]

    def of(self, what: str) -> list[Mapping[str, Any]]:
        return [data for _, each, data in self.events if each == what]


def _library(folder: Path) -> dict[str, Runbook]:
    found = {}
    for name, text in (("fix", FIX), ("other", OTHER)):
        (folder / f"{name}.yaml").write_text(text)
        found[name] = load_runbook(folder / f"{name}.yaml", TOOL)
    return found


@pytest.fixture
def duty(tmp_path: Path) -> Duty:
    return Duty(tmp_path)


def down() -> Alert:
    return Alert("Down", "firing", 77, "page", {}, "it is down", "fix")


def test_a_runbook_followed_to_its_end_is_on_record_as_a_robots_would_be(duty: Duty) -> None:
    duty.inbox.put(down())
    duty.does(OpenRunbook("fix", "Down"), RunStep("close"), ConfirmStep("call"), RunStep("check"))
    began, ended = duty.of("runbook")
    assert (began["runbook"], began["rule"], began["alert_ns"], began["from"]) == ("fix", "Down", 77, None)
    assert (ended["end"], ended["opens"]) == ("done", None)
    assert [each["outcome"] for each in duty.of("step") if "outcome" in each] == ["ok", "ok", "ok"]
    assert [each["says"] for each in duty.of("step") if each.get("id") == "call" and "says" in each] == [
        "confirmed by Sato"
    ]
    assert all(type(each["waited_ns"]) is int for each in duty.of("step") if "outcome" in each)
    assert duty.opened == ["fix"]
    assert duty.acted == 2
    assert duty.told("closed") == [("fix", "done")]


def test_a_runbook_may_be_opened_without_an_alert(duty: Duty) -> None:
    duty.does(OpenRunbook("fix"))
    assert (duty.of("runbook")[0]["rule"], duty.of("runbook")[0]["alert_ns"]) == (None, None)
    assert duty.of("runbook")[1]["end"] == "interrupted"  # the run was over


def test_a_step_whose_command_is_typed_in_another_terminal_is_done_by_that(duty: Duty) -> None:
    typed = ("brokerctl", "service", "close", "orders")
    duty.does(OpenRunbook("fix"), lambda: duty.tool.type(typed, "operator"), ConfirmStep("call"))
    (command,) = duty.of("command")
    assert (command["argv"], command["role"], command["step"], command["changed"]) == (
        list(typed), "operator", "close", True,
    )  # fmt: skip
    assert ("close", "ok") in duty.told("step")
    assert ("call", "ok") in duty.told("step")


def test_any_other_command_typed_elsewhere_is_on_record_and_counts_as_an_act(duty: Duty) -> None:
    typed = ("brokerctl", "service", "close", "repayment")
    duty.does(lambda: duty.tool.type(typed, "operator"), OpenRunbook("fix"))
    (command,) = duty.of("command")
    assert (command["argv"], command["step"]) == (list(typed), None)
    assert duty.acted == 1
    assert duty.told("step") == []


def test_commands_given_from_here_are_not_told_again_as_typed_elsewhere(duty: Duty) -> None:
    duty.does(OpenRunbook("fix"), RunStep("close"), ConfirmStep("call"), RunStep("check"))
    assert duty.of("command") == []


def test_a_step_that_failed_is_offered_until_it_is_left_out_with_a_reason(duty: Duty) -> None:
    duty.tool.refuses = "no"
    duty.does(OpenRunbook("fix"), RunStep("close"), RunStep("close"), SkipStep("close", "closed already"))
    assert [(each["outcome"], each["says"]) for each in duty.of("step") if "outcome" in each] == [
        ("refused", "no"), ("refused", "no"), ("skipped", "closed already"),
    ]  # fmt: skip
    assert duty.told("offered") == [("close",), ("call",)]


def test_what_a_step_needs_may_be_done_first_by_another_way_so_it_is_refused_and_not_skipped(duty: Duty) -> None:
    duty.does(OpenRunbook("fix"), RunStep("close"), SkipStep("call", "nobody answers"), RunStep("check"))
    last = duty.of("step")[-1]
    assert (last["id"], last["outcome"], last["says"]) == ("check", "refused", "needs call")


def test_a_runbook_with_a_step_left_out_is_incomplete(duty: Duty) -> None:
    duty.does(OpenRunbook("other"), SkipStep("look", "I know"))
    assert duty.of("runbook")[-1]["end"] == "incomplete"


def test_an_escalation_says_whom_and_why_and_opens_what_the_runbook_names(duty: Duty) -> None:
    duty.does(OpenRunbook("fix"), Escalate("close", "I may not"))
    (call,) = duty.of("escalate")
    assert (call["to"], call["deputy"], call["step"], call["reason"]) == (
        "duty-manager", "head-of-operations", "close", "I may not",
    )  # fmt: skip
    assert duty.opened == ["fix", "other"]
    assert duty.of("runbook")[2]["from"] == "fix"


def test_a_step_that_finds_the_cause_opens_the_runbook_for_it(duty: Duty) -> None:
    duty.tool.open = False
    duty.does(OpenRunbook("other"), RunStep("look"))
    assert duty.opened == ["other", "fix"]
    assert [each["end"] for each in duty.of("runbook") if "end" in each] == ["opened", "interrupted"]


def test_a_runbook_is_left_for_another_or_with_a_reason(duty: Duty) -> None:
    duty.does(OpenRunbook("fix"), OpenRunbook("other"), LeaveRunbook("a false alarm"))
    assert [each["end"] for each in duty.of("runbook") if "end" in each] == ["interrupted", "stopped"]
    assert duty.of("left")[0]["reason"] == "a false alarm"


def test_one_that_does_not_apply_by_its_first_step_is_closed_as_refused(duty: Duty) -> None:
    duty.tool.refuses = "nothing is down"
    duty.does(OpenRunbook("fix"), RunStep("close"), LeaveRunbook("does not apply"))
    assert duty.of("runbook")[-1]["end"] == "refused"


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (RunStep("check"), "that step is over"),
        (ConfirmStep("close"), "this step is run, not confirmed"),
    ],
)
def test_a_key_that_came_too_late_or_means_nothing_here_does_nothing(duty: Duty, action: Action, says: str) -> None:
    duty.does(OpenRunbook("fix"), action)
    assert duty.told("remark") == [(says,)]
    assert duty.of("step") == []


def test_a_manual_step_is_not_run(duty: Duty) -> None:
    duty.does(OpenRunbook("fix"), RunStep("close"), RunStep("call"))
    assert duty.told("remark") == [("this step is confirmed, not run",)]


def test_without_an_open_runbook_there_is_nothing_to_run_and_an_unknown_one_is_not_opened(duty: Duty) -> None:
    duty.does(RunStep("close"), OpenRunbook("nix"))
    assert duty.told("remark") == [("no runbook is open",), ("there is no runbook nix",)]
    assert duty.events == []


def test_actions_cross_the_pipe_as_lines_and_what_is_none_is_left_out() -> None:
    actions = Actions()
    actions.feed([b'{"do":"open","runbook":"fix","alert":"Down"}', b"nonsense", b'{"do":"run","step":"x"}'])
    assert [actions.take(0), actions.take(0), actions.take(0)] == [OpenRunbook("fix", "Down"), RunStep("x"), None]
