"""Runbooks for a target with another tool than the brokerage's, or with none: its words, roles and replies decide."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from drills.errors import BadInput
from drills.spec.expectations import Fact
from drills.spec.lint import lint
from drills.spec.runbook import Runbook, load_runbook
from drills.spec.vocabulary import Vocabulary, embedded, vocabulary
from targets.operator_tool import (
    Argument,
    Command,
    Field,
    Kind,
    OperatorTool,
    count,
    flag,
    mapping,
    number,
    seconds,
    text,
)
from targets.target import Capabilities
from targets.tool_arguments import misuse

REPLY: Mapping[str, Field] = {
    "state": text("open", "shut"),
    "age": seconds(),
    "drift": seconds(least=None),
    "load": number(least=0),
    "seen": count().or_null(),
    "why": text(),
    "disk": mapping({"full": flag(), "free": count()}),
}
ALL, SECOND = ("clerk", "chief"), ("chief",)
TOOL = OperatorTool(
    "tillctl",
    ALL,
    (
        Command("look", "how things stand", ALL, REPLY, read_only=True, examples=("look",)),
        Command("till audit", "whether the cash is right", ALL, REPLY, read_only=True, verifies=True),
        Command(
            "till open", "let customers in", ALL, REPLY,
            (Argument("number", kind=Kind.WHOLE), Argument("--anyway", kind=Kind.FLAG, optional=True, roles=SECOND)),
            reopens=True,
        ),
        Command("vault empty", "send the money away", SECOND, REPLY),
    ),
    given=("--as",),
)  # fmt: skip

PAGE = """\
runbook: till
title: {en: The till is shut, ja: レジの停止}
for: {alerts: [TillShut], phases: [D3]}
prohibited: [{en: Do not leave, ja: 離れないこと}]
escalation: {after: 3m, to: chief, deputy: owner}
steps:
  - id: confirm
    role: clerk
    text: {en: Confirm it, ja: 確認する}
    before: {run: tillctl look, reply: {state: shut}}
    run: tillctl look
    expect: {age: {at_most: 2m}, drift: -1.5, load: 0.25, disk.full: false, why: no cash}
    within: 3s
  - id: audit
    role: clerk
    text: {en: Count the cash, ja: 現金を数える}
    run: tillctl till audit
    expect: {seen: 3}
    within: 3s
  - id: open
    role: clerk
    text: {en: Open it, ja: 開ける}
    run: tillctl till open 2
    expect: {state: open}
    within: 3s
    needs: [audit]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "runbook.yaml"
    path.write_text(PAGE)
    return path


def words(tool: OperatorTool | None) -> Vocabulary:
    return vocabulary(Capabilities(frozenset(), frozenset(), (), operator=tool, alerts=True))


def found(file: Path, *change: str) -> list[str]:
    """What lint finds for a target with this tool, after one change of the page."""
    if change:
        assert PAGE.count(change[0]) == 1, "one place is changed"
        file.write_text(PAGE.replace(*change))
    return [str(each).removeprefix(f"{file}:") for each in lint([file], words(TOOL))]


def test_a_page_is_read_in_the_words_of_the_targets_tool(file: Path) -> None:
    assert found(file) == []
    page = load_runbook(file, TOOL)
    assert page.tool == TOOL
    confirm = page.steps[0]
    assert confirm.argv == ("tillctl", "look")
    assert confirm.expect is not None
    assert confirm.expect.reply == {
        "age": Fact("at_most", 120.0), "drift": Fact("is", -1.5), "load": Fact("is", 0.25),
        "disk.full": Fact("is", False), "why": Fact("is", "no cash"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("run: tillctl look\n", "run: brokerctl status\n", "11: steps[0].run: found 'brokerctl status', expected a line"
         " such as 'tillctl look'; only tillctl is run"),
        ("till audit", "till adit", "17: steps[1].run: unknown command 'till adit', did you mean 'till audit'?"
         " known: look, till audit, till open, vault empty"),
        ("till open 2", "till open 2 --as chief", "23: steps[2].run: leave out --as; the step's role and the target"
         " decide it"),
        ("till open 2", "till open two", "23: steps[2].run: till open: argument number: found 'two',"
         " expected a whole number"),
        ("before: {run: tillctl look", "before: {run: tillctl vault empty", "10: steps[0].before.run: 'vault empty' is"
         " not a query; known: look, till audit"),
        ("{seen: 3}", "{run: tillctl till open 2, reply: {seen: 3}}", "18: steps[1].expect.run: 'till open' is not a"
         " query; known: look, till audit"),
        ("{seen: 3}", "{disk.ful: 3}", "18: steps[1].expect: reply of 'till audit': unknown field 'disk.ful',"
         " did you mean 'disk.full'?"
         " known: disk.full, disk.free"),
        ("load: 0.25", "load: 2s", "12: steps[0].expect.load: found '2s', expected a number"),
        ("why: no cash", "why: 3", "12: steps[0].expect.why: found the number 3, expected a text"),
        ("needs: [audit]", "needs: [confirm]", "20: step 'open' re-opens but needs no step that verifies (till audit)"),
        ("till open 2", "till open 2 --anyway", "20: step 'open': role clerk may not use --anyway; it takes chief"),
        ("till open 2", "vault empty", "20: step 'open': role clerk may not vault empty; it takes chief"),
    ],
)  # fmt: skip
def test_lint_speaks_of_the_targets_tool(file: Path, old: str, new: str, says: str) -> None:
    assert found(file, old, new) == [says]


def test_a_role_that_the_tool_does_not_know(file: Path) -> None:
    file.write_text(PAGE.replace("role: clerk\n    text: {en: Open", "role: viewer\n    text: {en: Open"))
    assert found(file) == ["21: steps[2].role: unknown role 'viewer'; known: clerk, chief"]


def test_nobody_asks_what_the_role_may_not(tmp_path: Path) -> None:
    """The tool refuses a query as well, and only during the run."""
    drains = "before: {run: brokerctl gateway drain, reply: {drained: true}}"
    page = PAGE[: PAGE.index("  - id: audit")].replace("tillctl", "brokerctl").replace("role: clerk", "role: viewer")
    page = page.replace("before: {run: brokerctl look, reply: {state: shut}}", drains)
    page = page.replace("run: brokerctl look\n", "run: brokerctl status\n")
    page = page[: page.index("    expect:")] + "    expect: {balances: current}\n    within: 3s\n"
    file = tmp_path / "runbook.yaml"
    file.write_text(page)
    says = "step 'confirm': role viewer may not gateway drain; it takes operator or duty-manager"
    assert [str(each) for each in lint([file], embedded())] == [f"{file}:7: {says}"]


def test_a_target_without_a_tool_runs_nothing(file: Path) -> None:
    (finding,) = lint([file], words(None))
    assert str(finding) == f"{file}:10: steps[0].before.run: the target has no operator tool"
    with pytest.raises(BadInput, match="the target has no operator tool"):
        load_runbook(file, None)


def test_what_people_do_themselves_needs_no_tool(file: Path) -> None:
    lines = [line for line in PAGE.splitlines() if not line.strip().startswith(("before:", "run:", "expect:"))]
    file.write_text("\n".join(lines).replace("role: clerk", "role: janitor"))
    page: Runbook = load_runbook(file, None)
    assert [step.role for step in page.steps] == ["janitor"] * 3


# -- the tool itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("tillctl look", "look"), ("tillctl till open 2", "till open"), ("tillctl till", None), ("tillctl", None),
        ("look", None), ("", None), ("otherctl look", None),
    ],
)  # fmt: skip
def test_which_command_a_line_is(line: str, name: str | None) -> None:
    command = TOOL.command(line.split())
    assert (command.name if command else None) == name


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["2"], None), (["--anyway", "-2"], None), ([], "the following arguments are required: number"),
        (["2", "--any"], "unrecognized arguments: --any"), (["2", "3"], "unrecognized arguments: 3"),
        (["2", "--help"], "unrecognized arguments: --help"),
        (["2.5"], "argument number: found '2.5', expected a whole number"),
    ],
)  # fmt: skip
def test_how_a_command_can_be_called(words: list[str], says: str | None) -> None:
    command = TOOL.command(["tillctl", "till", "open"])
    assert command is not None
    assert misuse(command, words) == says


def test_nobody_may_what_is_permitted_to_nobody() -> None:
    command = Command("x", "", (), {})
    assert TOOL.refusal("chief", command, ()) == "role chief may not x; it takes nobody"
