"""A slip: what is typed, when it is felt, and how it is taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from faults.scope import from_intent, to_intent
from faults.slip import ExpectedReply, Slip
from targets.brokerage.operations.tool import TOOL
from targets.target import Answer, Capabilities

INTENT: dict[str, Any] = {
    "kind": "slip",
    "role": "operator",
    "run": ["brokerctl relay level debug", "brokerctl volume copy relay-log 'transactions-*.log'"],
    "undo": ["brokerctl relay level info", "brokerctl volume remove relay-log 'copy-*'"],
    "felt": {"run": "brokerctl volume show relay-log", "field": "fullest", "at_least": 0.7},
    "undone": [{"run": "brokerctl relay status", "field": "level", "value": "info"}],
    "volume": "relay-log",
}


class System:
    """A target whose tool answers what a test says; each command that was typed is kept."""

    def __init__(self, **answers: tuple[int, dict[str, Any]]) -> None:
        self.answers = answers
        self.typed: list[tuple[tuple[str, ...], str]] = []

    @property
    def operator_tool(self) -> System:
        return self

    def run_command(self, argv: tuple[str, ...], role: str, within_s: float) -> Answer:
        self.typed.append((argv, role))
        code, data = self.answers.get(argv[2], (0, {}))
        return Answer(code, f"{argv[2]} said", data, 0, 1)


def slip() -> Slip:
    made = from_intent(INTENT)
    assert isinstance(made, Slip)
    return made


def test_it_can_be_written_down_and_taken_back_by_whoever_reads_it() -> None:
    assert from_intent(to_intent(slip())) == slip()


def test_it_is_typed_in_order_as_a_shell_would_split_it_with_its_role() -> None:
    target: Any = System()
    assert slip().inject(target).ok
    assert target.typed == [
        (("brokerctl", "relay", "level", "debug"), "operator"),
        (("brokerctl", "volume", "copy", "relay-log", "transactions-*.log"), "operator"),
    ]


@pytest.mark.parametrize("code", [1, 2])
def test_what_the_tool_does_not_do_is_no_slip_and_nothing_more_is_typed(code: int) -> None:
    target: Any = System(level=(code, {}))
    done = slip().inject(target)
    assert (done.ok, len(target.typed)) == (False, 1)
    assert "level said" in done.says


def test_it_is_felt_as_soon_as_the_tool_says_so() -> None:
    for share, felt in ((0.69, False), (0.7, True), (True, False), (None, False)):
        seen = slip().verify_effect(System(show=(0, {"fullest": share})))  # type: ignore[arg-type]
        assert (seen.ok, seen.data["effect_seen"]) == (felt, felt)
    assert not slip().verify_effect(System(show=(2, {"fullest": 0.9}))).ok  # type: ignore[arg-type]


def test_taking_back_goes_on_where_there_is_nothing_to_take_back_and_says_what_failed() -> None:
    nothing_left: Any = System(remove=(1, {}))
    assert slip().rollback(nothing_left).ok
    assert len(nothing_left.typed) == 2
    half_way: Any = System(level=(2, {}))
    undone = slip().rollback(half_way)
    assert not undone.ok
    assert "relay level info: level said" in undone.says
    assert len(half_way.typed) == 2


def test_nothing_is_left_when_the_tool_says_so() -> None:
    assert slip().verify_removed(System(status=(0, {"level": "info"}))).ok  # type: ignore[arg-type]
    assert not slip().verify_removed(System(status=(0, {"level": "debug"}))).ok  # type: ignore[arg-type]


def test_it_needs_the_tool_and_each_of_its_commands() -> None:
    none = Capabilities(frozenset(), frozenset(), (), operator=None, alerts=False)
    able = Capabilities(frozenset(), frozenset(), (), operator=TOOL, alerts=False, limited=frozenset({"relay-log"}))
    assert slip().missing(none) == "an operator's tool"
    assert slip().missing(able) is None
    assert slip().missing(replace(able, limited=frozenset())) == (
        "a limit of volume relay-log (kunren doctor says why)"
    )
    other = from_intent({**INTENT, "undo": ["brokerctl relay mend"]})
    assert other.missing(able) == "the command brokerctl relay mend"


@pytest.mark.parametrize("told", [{}, {"value": "x", "at_least": 1.0}, {"at_least": 1.0, "at_most": 2.0}])
def test_what_a_field_must_be_is_said_once(told: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one of value, at_least, at_most"):
        ExpectedReply(run="brokerctl status", field="x", **told)


def test_a_field_may_lie_within_another_and_values_are_never_of_another_kind() -> None:
    answer = Answer(0, "", {"a": {"b": 1}}, 0, 1)
    assert ExpectedReply(run="q", field="a.b", at_most=1.0).holds(answer)
    assert not ExpectedReply(run="q", field="a.b", value=True).holds(answer)
    assert not ExpectedReply(run="q", field="a.c", value="x").holds(answer)
