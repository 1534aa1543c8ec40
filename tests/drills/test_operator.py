"""The robot operator: what it asks of the tool, in which order, and that no command takes it no time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, cast

import pytest

from drills.operators.outcomes import Followed, RunbookEnd
from drills.operators.robot import TYPING_S, Robot
from drills.record.arm import RUNBOOK
from drills.spec.drill import load_drill
from drills.spec.files import SHARED
from drills.spec.planning import runbook_of
from drills.spec.runbook import Runbook, load_runbook
from targets.target import Answer

SLUG = "exchange-link-down"


class Tool:
    """Answers each command with what is wanted of it, or with what ``answers`` has for it."""

    def __init__(self, **answers: tuple[int, Mapping[str, Any]]) -> None:
        self.answers = answers
        self.did: list[str] = []

    def run_command(self, argv: tuple[str, ...], role: str, within_s: float) -> Answer:
        words = " ".join(argv[1:])
        self.did.append(words)
        code, data = self.answers.get(words.replace(" ", "_").replace("-", "_"), (0, GOOD))
        return Answer(code, "as asked", {**data, "changed": False}, 0, 1, waited_ns=1_000_000)


GOOD: Mapping[str, Any] = {
    "session": "silent", "link": "A", "balances": "not-current", "services": {"orders": False}, "answers": True,
}  # fmt: skip


class Clockwork(threading.Event):
    """A stop that never comes; waiting for it takes no time and is noted among what the operator did."""

    def __init__(self, did: list[str]) -> None:
        super().__init__()
        self.did = did

    def wait(self, timeout: float | None = None) -> bool:
        self.did.append(f"typed {timeout} s")
        return False


@pytest.fixture
def page() -> Runbook:
    found = runbook_of(load_drill(SLUG), RUNBOOK)
    assert found is not None
    return found


def follow(page: Runbook, tool: Tool) -> tuple[RunbookEnd, list[tuple[str, dict[str, Any]]]]:
    steps: list[tuple[str, dict[str, Any]]] = []

    def record(_: str, kind: object, what: str, data: Mapping[str, Any]) -> None:
        if what == "step" and str(kind) != "invoke":
            steps.append((str(kind), dict(data)))

    operator: Any = Robot(tool, record, Clockwork(tool.did), lambda *_: None)
    return operator.follow(page, lambda: False).end, steps


def test_each_command_is_typed_first(page: Runbook) -> None:
    tool = Tool(gateway_use_link_B=(1, {}))
    end, steps = follow(page, tool)
    assert end == RunbookEnd.ESCALATED
    typed = f"typed {TYPING_S} s"
    assert tool.did == [
        typed, "gateway status", typed, "gateway status",  # is it so, and the look itself
        typed, "balances mark-not-current", typed, "status",  # what is done, and what shows that it worked
        typed, "service close orders", typed, "status",
        typed, "gateway probe B",
        typed, "gateway use-link B",
    ]  # fmt: skip
    assert [(data["id"], data["outcome"], data["waited_ns"]) for _, data in steps] == [
        ("confirm", "ok", 2_000_000), ("hide-balances", "ok", 2_000_000), ("close-orders", "ok", 2_000_000),
        ("verify-link-b", "ok", 1_000_000), ("move-session", "refused", 1_000_000),
    ]  # fmt: skip


def test_a_false_alarm_ends_at_the_first_step(page: Runbook) -> None:
    tool = Tool(gateway_status=(0, {"session": "active"}))
    end, steps = follow(page, tool)
    assert (end, len(steps), steps[0][1]["outcome"]) == (RunbookEnd.REFUSED, 1, "refused")
    assert [each for each in tool.did if not each.startswith("typed")] == ["gateway status"]


# -- a runbook that looks for the cause -------------------------------------------------------------------------------


@pytest.fixture
def triage() -> Runbook:
    return load_runbook(SHARED / "first-look.yaml", load_drill(SLUG).tool)


def looked(triage: Runbook, tool: Tool, interrupted: bool = False) -> Followed:
    operator: Any = Robot(tool, lambda *_: None, Clockwork(tool.did), lambda *_: None)
    return cast(Followed, operator.follow(triage, lambda: interrupted))


def test_what_it_sees_opens_the_runbook_for_it_and_the_rest_is_not_looked_at(triage: Runbook) -> None:
    tool = Tool(locks_show=(0, {"seconds": 3.5}))
    assert looked(triage, tool) == Followed(RunbookEnd.OPENED, "night-batch-lock", changed=False)
    assert [each for each in tool.did if not each.startswith("typed")] == ["locks show"]


def test_what_is_not_so_leads_to_the_next_look(triage: Runbook) -> None:
    tool = Tool(locks_show=(0, {"seconds": 0}), gateway_status=(0, {"session": "silent"}))
    assert looked(triage, tool) == Followed(RunbookEnd.OPENED, "exchange-link-down", changed=False)
    _, steps = follow(triage, tool)
    assert [(kind, data["id"], data["outcome"]) for kind, data in steps] == [
        ("info", "locks", "not-this"), ("ok", "link", "ok"),
    ]  # fmt: skip


def test_where_it_finds_nothing_it_ends_and_where_it_cannot_look_it_looks_further(triage: Runbook) -> None:
    found = {"locks_show": (0, {"seconds": 0}), "gateway_status": (0, {"session": "active"})}
    said = {"status": (0, {"ok": True}), "reconcile": (0, {"clean": True})}
    assert looked(triage, Tool(**found, **said)) == Followed(RunbookEnd.DONE)
    down = {"locks_show": (2, {}), "gateway_status": (0, {"session": "silent"})}
    assert looked(triage, Tool(**down)).opens == "exchange-link-down"


def test_it_is_left_after_the_step_in_which_something_more_urgent_came(triage: Runbook) -> None:
    tool = Tool(locks_show=(2, {}))
    assert looked(triage, tool, interrupted=True) == Followed(RunbookEnd.INTERRUPTED)
    assert [each for each in tool.did if not each.startswith("typed")] == ["locks show"]
