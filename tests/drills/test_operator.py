"""The robot operator: what it asks of the tool, in which order, and that no command takes it no time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from drills.operators.robot import TYPING_S, Operator, RunbookEnd
from drills.record.arm import RUNBOOK
from drills.spec.drill import load_drill
from drills.spec.planning import runbook_of
from drills.spec.runbook import Runbook
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

    operator: Any = Operator(tool, record, Clockwork(tool.did), lambda *_: None)
    return operator.follow(page, {}), steps


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
