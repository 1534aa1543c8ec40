"""Wrong variants as edits of the right runbook: what they become, what is refused, what of the order is taken out."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills.errors import BadInput
from drills.spec.edits import Change
from drills.spec.runbook import Runbook, load_runbook, varied, without
from drills.spec.runbook_text import render_page
from drills.spec.steps import IfFailed
from drills.spec.variants import load_variants
from drills.spec.vocabulary import embedded

TOOL = embedded().operator

RIGHT = """\
runbook: link-down
title: {en: The link is silent, ja: 回線の無応答}
for: {alerts: [LinkSilent], phases: [D2]}
escalation: {after: 3m, to: duty-manager, deputy: head-of-operations}
steps:
  - {id: look, role: viewer, text: {en: Look, ja: 見る}, run: brokerctl status, within: 3s, if_failed: go call}
  - {id: close, role: operator, text: {en: Close, ja: 止める}, run: brokerctl batch hold, within: 5s, needs: [look]}
  - {id: call, role: operator, text: {en: Call, ja: 電話}, within: 2m, needs: [look]}
  - id: open
    role: operator
    text: {en: Open, ja: 開ける}
    run: brokerctl service open orders
    within: 5s
    needs: [close, call]
"""

HEAD = """\
early:
  source: M01
  what: {en: It opens too early, ja: 再開が早すぎる}
  expect: {verdict: fail, by: [no-duplicates]}
"""

NEW = "{id: hold, role: operator, text: {en: Hold, ja: 待つ}, within: 5s}"


def variant(tmp_path: Path, edits: str, head: str = HEAD) -> Runbook:
    (tmp_path / "runbook.yaml").write_text(RIGHT)
    (tmp_path / "wrong.yaml").write_text(f"{head}  edits:\n" + "".join(f"    - {line}\n" for line in edits.split("\n")))
    found = load_variants(tmp_path / "wrong.yaml", ("no-duplicates",))
    return varied(load_runbook(tmp_path / "runbook.yaml", TOOL), found["early"])


def ids(runbook: Runbook) -> list[str]:
    return [step.id for step in runbook.steps]


def changes(runbook: Runbook) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(change.how, change.step, change.what) for change in runbook.changes]


def test_a_dropped_step_is_needed_no_longer(tmp_path: Path) -> None:
    made = variant(tmp_path, "{drop: close}")
    assert ids(made) == ["look", "call", "open"]
    assert made.steps[2].needs == ("call",)
    assert changes(made) == [("dropped", "close", ()), ("loosened", "open", ("close",))]


def test_several_steps_can_be_dropped_at_once(tmp_path: Path) -> None:
    assert ids(variant(tmp_path, "{drop: [close, call]}")) == ["look", "open"]


def test_a_step_moved_up_no_longer_needs_what_is_below_it(tmp_path: Path) -> None:
    made = variant(tmp_path, "{move: open, before: close}")
    assert ids(made) == ["look", "open", "close", "call"]
    assert made.steps[1].needs == ()
    assert changes(made) == [("moved", "open", ()), ("loosened", "open", ("close", "call"))]


def test_a_jump_that_would_lead_back_up_stops_instead(tmp_path: Path) -> None:
    made = variant(tmp_path, "{move: call, before: look}")
    assert made.step("look").if_failed == IfFailed("stop")  # type: ignore[union-attr]
    assert ("loosened", "look", ("call",)) in changes(made)


def test_a_replaced_step_keeps_the_fields_that_are_not_named(tmp_path: Path) -> None:
    made = variant(tmp_path, "{replace: open, with: {run: brokerctl service open orders --force, role: duty-manager}}")
    right = load_runbook(tmp_path / "runbook.yaml", TOOL).steps[3]
    step = made.steps[3]
    assert (step.argv or ())[-1] == "--force"
    assert (step.text, step.needs, step.within) == (right.text, right.needs, right.within)
    assert changes(made) == [("replaced", "open", ("run", "role"))]


def test_what_needed_a_renamed_step_needs_its_new_name(tmp_path: Path) -> None:
    made = variant(tmp_path, "{replace: call, with: {id: shout}}")
    assert made.steps[3].needs == ("close", "shout")
    assert made.steps[0].if_failed == IfFailed("go", "shout")
    assert [how for how, _, _ in changes(made)] == ["replaced"]


def test_a_step_is_inserted_before_or_after(tmp_path: Path) -> None:
    assert ids(variant(tmp_path, f"{{insert: {NEW}, after: look}}"))[:2] == ["look", "hold"]
    assert ids(variant(tmp_path, f"{{insert: {NEW}, before: look}}"))[:2] == ["hold", "look"]


def test_edits_are_made_one_after_the_other(tmp_path: Path) -> None:
    made = variant(tmp_path, f"{{insert: {NEW}, after: look}}\n{{drop: look}}\n{{move: open, after: hold}}")
    assert ids(made) == ["hold", "open", "close", "call"]


def test_the_rendered_runbook_is_a_file_like_any_other(tmp_path: Path) -> None:
    made = variant(tmp_path, "{move: open, before: close}\n{drop: call}")
    file = tmp_path / "followed.yaml"
    file.write_bytes(made.content)
    again = load_runbook(file, TOOL)
    assert [(step.id, step.argv, step.needs, step.if_failed) for step in again.steps] == [
        (step.id, step.argv, step.needs, step.if_failed) for step in made.steps
    ]
    head = made.content.decode().splitlines()[:5]
    assert head[0] == "# runbook.yaml of link-down as changed by wrong.yaml: early (M01)"
    assert "#   loosened open close call" in head


def test_a_runbook_without_a_step_says_which_and_has_a_digest_of_its_own(tmp_path: Path) -> None:
    variant(tmp_path, "{drop: call}")
    right = load_runbook(tmp_path / "runbook.yaml", TOOL)
    made = without(right, "close")
    assert ids(made) == ["look", "call", "open"]
    assert made.wrong is None
    assert made.changes == (Change("dropped", "close"), Change("loosened", "open", ("close",)))
    assert made.sha256 != right.sha256


@pytest.mark.parametrize(("lang", "words"), [
    ("en", ["WRONG ON PURPOSE (M01): It opens too early", "Left out: call", "[moved] [no longer after: close, call]"]),
    ("ja", ["訓練用の誤った手順書(M01): 再開が早すぎる", "省かれた手順: call", "【前提から除外: close, call】"]),
])  # fmt: skip
def test_what_differs_is_marked_for_people(tmp_path: Path, lang: str, words: list[str]) -> None:
    page = render_page(variant(tmp_path, "{move: open, before: close}\n{drop: call}"), lang)
    assert [word for word in words if word not in page] == []


REFUSED = {
    "an unknown step": ("{drop: clsoe}", "drop: unknown step 'clsoe', did you mean 'close'?"),
    "no edit": ("{delete: close}", "expected one of drop, move, replace, insert"),
    "two edits in one": ("{drop: close, move: open}", "expected one of drop, move, replace, insert"),
    "moved nowhere": ("{move: close}", "expected before: STEP or after: STEP"),
    "moved to two places": ("{move: close, before: look, after: call}", "expected before: STEP or after: STEP"),
    "moved to itself": ("{move: close, before: close}", "before: unknown step 'close'"),
    "nothing to replace with": ("{replace: close, with: {}}", "expected at least one field of the step"),
    "an unknown field": ("{replace: close, with: {runs: x}}", "unknown key 'runs', did you mean 'run'?"),
    "an unknown command": ("{replace: close, with: {run: brokerctl service shut}}", "unknown command 'service shut'"),
    "a step that is there": (f"{{insert: {NEW.replace('hold', 'look')}, after: call}}", "step id 'look' stands twice"),
    "nothing left": ("{drop: [look, close, call, open]}", "no step is left"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_edit_that_cannot_be_made_is_refused_with_its_place(tmp_path: Path, case: str) -> None:
    edits, says = REFUSED[case]
    with pytest.raises(BadInput) as caught:
        variant(tmp_path, edits)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'wrong.yaml'}:6: ")


HEADS = {
    "no source": ("  source: M01\n", "", "missing key 'source'"),
    "not said what is wrong": ("{en: It opens too early, ja: 再開が早すぎる}", "yes", "expected a mapping of en, ja"),
    "passes": ("{verdict: fail, by: [no-duplicates]}", "pass", "a wrong variant must fail, by named checks"),
    "caught by nothing": (", by: [no-duplicates]", "", "a wrong variant must fail, by named checks"),
    "caught by an unknown check": ("[no-duplicates]", "[no-duplicate]", "did you mean 'no-duplicates'?"),
    "by without a failure": ("verdict: fail", "verdict: pass", "but the verdict is pass"),
    "neither wrong nor harmless": (
        "  expect: {verdict: fail, by: [no-duplicates]}\n", "", "say either expect or harmless",
    ),
    "a name that is none": ("early:", "Early Bird:", "expected a name of lower-case letters"),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADS)
def test_a_variant_says_what_it_is(tmp_path: Path, case: str) -> None:
    old, new, says = HEADS[case]
    assert HEAD.count(old) == 1
    with pytest.raises(BadInput, match=f"{tmp_path / 'wrong.yaml'}:\\d+: ") as caught:
        variant(tmp_path, "{drop: call}", HEAD.replace(old, new))
    assert says in str(caught.value)


def test_a_harmless_one_says_why_and_comes_last(tmp_path: Path) -> None:
    harmless = HEAD.replace("early:", "quick:").replace(
        "expect: {verdict: fail, by: [no-duplicates]}", "harmless: {en: No harm, ja: 無害}"
    )
    text = "".join(f"{head}  edits: [{{drop: call}}]\n" for head in (harmless, HEAD))
    (tmp_path / "wrong.yaml").write_text(text)
    found = load_variants(tmp_path / "wrong.yaml", ("no-duplicates",))
    assert list(found) == ["early", "quick"]
    assert found["quick"].expect.verdict == "pass"
    assert found["quick"].harmless is not None


@pytest.mark.parametrize("name", ["../other.yaml", "/etc/passwd", "link.yaml", "folder/passwd"])
def test_a_whole_file_may_not_lie_elsewhere_whatever_leads_to_it(tmp_path: Path, name: str) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "other.yaml").touch()
    (own / "link.yaml").symlink_to("../other.yaml")
    (own / "folder").symlink_to("/etc")
    (own / "wrong.yaml").write_text(HEAD + f"  runbook: {name}\n")
    with pytest.raises(BadInput, match="lies outside of"):
        load_variants(own / "wrong.yaml", ("no-duplicates",))


def test_a_whole_file_may_be_reached_by_a_link_that_stays_below(tmp_path: Path) -> None:
    (tmp_path / "there.yaml").touch()
    (tmp_path / "here.yaml").symlink_to("there.yaml")
    (tmp_path / "wrong.yaml").write_text(HEAD + "  runbook: here.yaml\n")
    assert load_variants(tmp_path / "wrong.yaml", ("no-duplicates",))["early"].whole == tmp_path / "here.yaml"


def test_edits_and_a_whole_file_are_not_both_given(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="say either edits or runbook"):
        variant(tmp_path, "{drop: call}", HEAD + "  runbook: other.yaml\n")


def test_no_file_means_no_variants(tmp_path: Path) -> None:
    assert load_variants(tmp_path / "wrong.yaml") == {}
