"""Steps that several runbooks share: what a runbook takes by ``use`` and may say anew, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills.errors import BadInput
from drills.record.arm import RUNBOOK, Arm
from drills.spec.drill import load_drill
from drills.spec.files import CATALOGUE
from drills.spec.lint import lint
from drills.spec.planning import arms_of, plan, runbook_of
from drills.spec.reader import UNITS
from drills.spec.runbook import load_runbook, varied
from drills.spec.runbook_text import render_page
from drills.spec.steps import IfFailed, Step
from drills.spec.variants import load_variants
from drills.spec.vocabulary import embedded

TOOL = embedded().operator

STEPS = """\
look:
  role: viewer
  text: {en: Look, ja: 見る}
  before: {run: brokerctl status, reply: {ok: true}}
  run: brokerctl status
  expect: {ok: true}
  within: 3s
  if_failed: escalate
shut:
  role: operator
  text: {en: Shut, ja: 止める}
  run: brokerctl service close orders
  expect: {run: brokerctl status, reply: {services.orders: false}}
  within: 5s
"""

PAGE = """\
runbook: link-down
title: {en: The link is silent, ja: 回線の無応答}
for: {alerts: [LinkSilent], phases: [D3]}
prohibited: [{en: Do not, ja: 禁止}]
escalation: {after: 3m, to: duty-manager, deputy: head-of-operations}
steps:
  - use: look
  - use: shut
    id: shut-orders
    text: {en: Shut order entry, ja: 注文を止める}
    within: 7s
    needs: [look]
    if_failed: go call
  - id: call
    role: operator
    text: {en: Call, ja: 電話}
    within: 2m
    needs: [shut-orders]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "steps.yaml").write_text(STEPS)
    (tmp_path / "runbook.yaml").write_text(PAGE)
    return tmp_path


def done(step: Step) -> tuple[object, ...]:
    """All of a step but where it is written."""
    return (step.id, step.role, step.text, step.argv, step.before, step.expect, step.within, step.needs, step.if_failed)


def test_a_step_is_taken_and_the_runbook_says_anew_what_it_knows_better(folder: Path) -> None:
    look, shut, _ = load_runbook(folder / "runbook.yaml", TOOL).steps
    assert (look.id, look.role, look.argv, look.within) == ("look", "viewer", ("brokerctl", "status"), 3 * UNITS["s"])
    assert (look.if_failed, look.needs, look.line) == (IfFailed("escalate"), (), 7)
    assert (shut.id, shut.text.en, shut.within) == ("shut-orders", "Shut order entry", 7 * UNITS["s"])
    assert (shut.needs, shut.if_failed, shut.file.name) == (("look",), IfFailed("go", "call"), "runbook.yaml")


def test_what_is_kept_is_whole_without_the_shared_file(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    right = load_runbook(folder / "runbook.yaml", TOOL)
    kept = tmp_path_factory.mktemp("kept") / "runbook.yaml"
    kept.write_bytes(right.content)
    again = load_runbook(kept, TOOL)
    assert b"use:" not in right.content
    assert right.content.splitlines()[0] == (
        b"# runbook.yaml of link-down with the steps of steps.yaml written out: look, shut"
    )
    assert [*map(done, again.steps)] == [*map(done, right.steps)]
    assert (again.content, again.sha256) == (right.content, right.sha256), "what is whole is kept byte for byte"
    assert render_page(again) == render_page(right)


def test_a_change_of_the_shared_step_is_a_change_of_the_runbook(folder: Path) -> None:
    before = load_runbook(folder / "runbook.yaml", TOOL).sha256
    (folder / "steps.yaml").write_text(STEPS.replace("within: 3s", "within: 4s"))
    assert load_runbook(folder / "runbook.yaml", TOOL).sha256 != before


def test_wrong_variants_edit_a_shared_step_like_any_other_and_may_insert_one(folder: Path) -> None:
    (folder / "wrong.yaml").write_text(
        "early:\n  source: M01\n  what: {en: a, ja: b}\n  expect: {verdict: fail, by: [no-duplicates]}\n  edits:\n"
        "    - {replace: look, with: {run: brokerctl reconcile}}\n"
        "    - {insert: {use: shut, id: again, needs: [look]}, after: call}\n"
    )
    made = varied(load_runbook(folder / "runbook.yaml", TOOL), load_variants(folder / "wrong.yaml")["early"])
    assert [step.id for step in made.steps] == ["look", "shut-orders", "call", "again"]
    assert made.steps[0].argv == ("brokerctl", "reconcile")
    assert made.steps[3].argv == made.steps[1].argv
    assert b"use:" not in made.content


def test_a_runbook_of_ones_own_has_the_catalogues_steps_too_and_its_own_first(folder: Path) -> None:
    (folder / "runbook.yaml").write_text(PAGE.replace("- use: look\n", "- use: look\n  - use: close-orders\n"))
    (folder / "steps.yaml").write_text(STEPS)
    assert load_runbook(folder / "runbook.yaml", TOOL).steps[1].argv == ("brokerctl", "service", "close", "orders")
    own = "close-orders:\n  role: operator\n  text: {en: a, ja: b}\n  within: 1s\n"
    (folder / "steps.yaml").write_text(STEPS + own)
    assert load_runbook(folder / "runbook.yaml", TOOL).steps[1].argv is None


CATALOGUES = "hide-balances, close-orders, late-notices, show-balances, open-orders"

REFUSED = {
    # name: (file, text to replace, replacement, file and line of the refusal, message)
    "an unknown step": (
        "runbook.yaml", "use: look", "use: lok", "runbook.yaml:7",
        f"steps[0].use: unknown shared step 'lok', did you mean 'look'? known: {CATALOGUES}, look, shut",
    ),
    "a command of its own": (
        "runbook.yaml", "use: look", "use: look\n    run: brokerctl status", "runbook.yaml:8",
        "steps[0]: unknown key 'run'; known: use, id, text, within, before, needs, if_failed",
    ),
    "a field that cannot be taken": (
        "runbook.yaml", "within: 7s", "within: 7", "runbook.yaml:11",
        "steps[1].within: found the number 7, expected a time with its unit, such as 5s; units: ms, s, m, h",
    ),
    "twice under one name": (
        "runbook.yaml", "    id: shut-orders\n", "    id: look\n", "runbook.yaml:9",
        "steps[1]: step id 'look' stands twice, first in line 7",
    ),
    "a shared step with an id": (
        "steps.yaml", "  role: viewer", "  id: see\n  role: viewer", "steps.yaml:2",
        "look: unknown key 'id'; known: role, text, within, run, manual, before, expect, open, if_failed",
    ),
    "a shared step that needs another": (
        "steps.yaml", "  role: viewer", "  needs: [shut]\n  role: viewer", "steps.yaml:2", "look: unknown key 'needs'",
    ),
    "a shared step that goes on elsewhere": (
        "steps.yaml", "if_failed: escalate", "if_failed: go call", "steps.yaml:8",
        "look.if_failed: a shared step knows no other; say where to go on beside 'use'",
    ),
    "a shared step without a time limit": (
        "steps.yaml", "  within: 3s\n", "", "steps.yaml:2", "look: missing key 'within'; required: role, text, within",
    ),
    "an unknown command": (
        "steps.yaml", "service close orders", "service shut orders", "steps.yaml:12",
        "shut.run: unknown command 'service shut'",
    ),
    "a name that is none": (
        "steps.yaml", "look:", "Look:", "steps.yaml:1", "found 'Look', expected a name of lower-case letters",
    ),
    "no steps": ("steps.yaml", STEPS, "- a\n", "steps.yaml:1", "the file: found a list of 1, expected steps by name"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_place_of_what_is_wrong(folder: Path, case: str) -> None:
    name, old, new, where, says = REFUSED[case]
    text = (folder / name).read_text()
    assert text.count(old) == 1
    (folder / name).write_text(text.replace(old, new))
    with pytest.raises(BadInput) as caught:
        load_runbook(folder / "runbook.yaml", TOOL)
    assert str(caught.value).startswith(f"{folder}/{where}: {says}")


def test_the_file_beside_a_runbook_may_not_lie_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "runbook.yaml").write_text(PAGE)
    (tmp_path / "steps.yaml").write_text(STEPS)
    (folder / "steps.yaml").symlink_to("../steps.yaml")
    with pytest.raises(BadInput, match=r"steps\.yaml:1: .* lies outside of"):
        load_runbook(folder / "runbook.yaml", TOOL)


def test_lint_looks_at_the_shared_steps_and_finds_those_that_nothing_uses(folder: Path) -> None:
    assert lint([folder]) == []
    (folder / "steps.yaml").write_text(STEPS + "idle:\n  role: operator\n  text: {en: a, ja: b}\n  within: 1s\n")
    assert [str(found) for found in lint([folder])] == [f"{folder}/steps.yaml:15: step 'idle' is used by no runbook"]
    (folder / "steps.yaml").write_text(STEPS.replace("within: 5s", "within: 5"))
    assert {found.file for found in lint([folder])} == {f"{folder}/steps.yaml"}


def test_lint_says_where_an_unknown_step_is_used(folder: Path) -> None:
    (folder / "runbook.yaml").write_text(PAGE.replace("use: shut", "use: shout"))
    runbook, unused = map(str, lint([folder]))
    assert runbook.startswith(
        f"{folder}/runbook.yaml:8: steps[1].use: unknown shared step 'shout', did you mean 'shut'?"
    )
    assert unused == f"{folder}/steps.yaml:9: step 'shut' is used by no runbook"


@pytest.mark.parametrize("name", ["exchange-link-down", "night-batch-lock"])
def test_the_catalogues_runbooks_are_kept_whole_in_every_arm(name: str) -> None:
    drill = load_drill(name)
    assert (CATALOGUE / "steps.yaml").is_file()
    for arm in (*arms_of(drill), Arm.parse("without:drain")):
        runbook = runbook_of(drill, arm)
        assert (runbook is None) == (not arm.acts)
        if runbook is not None:
            assert b"use:" not in runbook.content
            assert plan(drill, arm, 1).runbook_sha256 == runbook.sha256
    right = runbook_of(drill, RUNBOOK)
    assert right is not None
    assert b"use:" in right.file.read_bytes()
