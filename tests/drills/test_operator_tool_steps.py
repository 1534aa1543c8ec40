"""Shared steps and wrong variants for a target with another tool than the brokerage's: it decides there, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from drills.errors import BadInput
from drills.spec.expectations import Fact
from drills.spec.lint import lint
from drills.spec.runbook import load_runbook, varied
from drills.spec.variants import load_variants
from targets.operator_tool import Command, text

from .test_operator_tool import ALL, PAGE, TOOL, file, words

__all__ = ["file"]

STEPS = """\
confirm:
  role: clerk
  text: {en: Confirm it, ja: 確認する}
  before: {run: tillctl look, reply: {state: shut}}
  run: tillctl look
  expect: {age: {at_most: 2m}, disk.full: false}
  within: 3s
count:
  role: clerk
  text: {en: Count the cash, ja: 現金を数える}
  run: tillctl till audit
  expect: {seen: 3}
  within: 3s
"""


VARIANT = """\
early:
  source: M01
  what: {en: a, ja: b}
  expect: {verdict: fail, by: [no-duplicates]}
  edits:
"""


@pytest.fixture
def folder(file: Path) -> Path:
    """The page with its first two steps shared."""
    before, after = PAGE.index("  - id: confirm"), PAGE.index("  - id: open")
    file.write_text(f"{PAGE[:before]}  - use: confirm\n  - use: count\n    id: audit\n{PAGE[after:]}")
    (file.parent / "steps.yaml").write_text(STEPS)
    return file.parent


def test_shared_steps_are_read_in_the_words_of_the_targets_tool(folder: Path) -> None:
    """Those of the catalogue are of another tool, which is no matter where none is used."""
    assert lint([folder], words(TOOL)) == []
    confirm, audit, _ = load_runbook(folder / "runbook.yaml", TOOL).steps
    assert confirm.expect is not None
    assert confirm.expect.reply == {"age": Fact("at_most", 120.0), "disk.full": Fact("is", False)}
    assert audit.argv == ("tillctl", "till", "audit")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("run: tillctl till audit", "run: tillctl till adit", "11: count.run: unknown command 'till adit', did you mean"
         " 'till audit'? known: look, till audit, till open, vault empty"),
        ("{state: shut}", "{state: ajar}", "4: confirm.before.reply.state: unknown value 'ajar'; known: open, shut"),
        ("{seen: 3}", "{seen: -3}", "12: count.expect.seen: found the number -3, expected a whole number of at"
         " least 0"),
        ("count:\n  role: clerk", "count:\n  role: viewer", "9: count.role: unknown role 'viewer'; known: clerk,"
         " chief"),
        ("{seen: 3}", "{sean: 3}", "12: count.expect: reply of 'till audit': unknown field 'sean', did you mean 'seen'?"
         " known: state, age, drift, load, seen, why, disk"),
    ],
)  # fmt: skip
def test_a_shared_step_is_refused_where_it_is_written(folder: Path, old: str, new: str, says: str) -> None:
    assert STEPS.count(old) == 1
    (folder / "steps.yaml").write_text(STEPS.replace(old, new))
    assert [str(each) for each in lint([folder], words(TOOL))] == [f"{folder}/steps.yaml:{says}"]
    with pytest.raises(BadInput, match=r"steps\.yaml"):
        load_runbook(folder / "runbook.yaml", TOOL)


def test_a_shared_step_that_nothing_uses_is_checked_all_the_same(folder: Path) -> None:
    unused = STEPS[STEPS.index("count:") :].replace("count:", "late:").replace("3}", "x}")
    (folder / "steps.yaml").write_text(STEPS + unused)
    found = [str(each) for each in lint([folder], words(TOOL))]
    assert f"{folder}/steps.yaml:18: late.expect.seen: found 'x', expected a whole number of at least 0" in found


def test_a_shared_step_of_another_tool_is_refused_where_it_is_used(folder: Path) -> None:
    file = folder / "runbook.yaml"
    file.write_text(file.read_text().replace("use: confirm", "use: close-orders"))
    with pytest.raises(
        BadInput, match=r"catalogue/steps\.yaml:\d+: close-orders\.role: unknown role 'operator'; known: clerk, chief"
    ):
        load_runbook(file, TOOL)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ("{replace: open, with: {run: tillctl till shut 2}}", "wrong.yaml:6: early.edits[0].with.run: unknown command"
         " 'till shut', did you mean 'till audit'? known: look, till audit, till open, vault empty"),
        ("{replace: open, with: {expect: {seen: {at_least: -1}}}}", "wrong.yaml:6: early.edits[0].with.expect.seen"
         ".at_least: found the number -1, expected a number of at least 0"),
        ("{replace: open, with: {run: tillctl vault empty, expect: {sean: 1}}}", "wrong.yaml:6: early.edits[0].with"
         ".expect: reply of 'vault empty': unknown field 'sean', did you mean 'seen'?"),
        ("{insert: {id: x, role: owner, text: {en: a, ja: b}, within: 1s}, after: open}", "wrong.yaml:6: early.edits[0]"
         ".insert.role: unknown role 'owner'; known: clerk, chief"),
        ("{replace: audit, with: {run: tillctl look, expect: {seen: 2}}}", None),
    ],
)  # fmt: skip
def test_wrong_variants_speak_of_the_targets_tool(file: Path, edit: str, says: str | None) -> None:
    wrong = file.with_name("wrong.yaml")
    wrong.write_text(f"{VARIANT}    - {edit}\n")
    right, variant = load_runbook(file, TOOL), load_variants(wrong)["early"]
    if says is None:
        assert varied(right, variant).steps[1].argv == ("tillctl", "look")
        return
    with pytest.raises(BadInput) as caught:
        varied(right, variant)
    assert str(caught.value).startswith(f"{file.parent}/{says}")


def test_a_replaced_command_is_held_to_what_the_step_expected_before(file: Path) -> None:
    """The expectation stays, and is one of the new command's reply."""
    small = Command("peek", "as much as one sees", ALL, {"state": text()}, read_only=True)
    tool = replace(TOOL, commands=(*TOOL.commands, small))
    wrong = file.with_name("wrong.yaml")
    wrong.write_text(f"{VARIANT}    - {{replace: audit, with: {{run: tillctl peek}}}}\n")
    with pytest.raises(BadInput, match=r"runbook\.yaml:18: .* reply of 'peek': unknown field 'seen'; known: state"):
        varied(load_runbook(file, tool), load_variants(wrong)["early"])
