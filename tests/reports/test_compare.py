"""Cards side by side: who is worst, what is said of each, and that the columns fit the screen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from rich.cells import cell_len

from drills.judge.scorecard import Scorecard
from reports.compare import comparison, render_comparison, sentence, worst_first
from reports.texts import Lang

from .cards import failed, invalid, nobody, passed, put, react


def card(document: dict[str, Any]) -> Scorecard:
    return msgspec.convert(document, Scorecard)


def change(document: dict[str, Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        put(document, name, value)


def no_action() -> dict[str, Any]:
    document = failed() | {
        "arm": "no-action",
        "operator": nobody("none"),
        "runbook": None,
        "run": "exchange-link-down/n",
    }
    changed = {"available": None, "recover": None, "service_s": 20.2, "harmful_actions": 35}
    change(document, changed | {"wrong_figures_acted_on": 35, "duplicated": 0})
    return document


def reopened() -> dict[str, Any]:
    document = failed() | {"arm": "wrong:reopen-early", "run": "exchange-link-down/w"}
    changed = {"available": [7.5, 8.0], "recover": None, "harmful_actions": 132}
    change(document, changed | {"wrong_figures_acted_on": 132, "duplicated": 0})
    react(document, 1.0)
    return document


def right() -> dict[str, Any]:
    document = passed()
    change(document, {"available": [9.1, 9.3], "recover": [9.1, 9.3]})
    return document


def said(document: dict[str, Any], lang: Lang = "en") -> str:
    return sentence(card(document), lang)


def test_a_service_that_is_back_early_and_wrong_is_worse_than_one_that_stays_down() -> None:
    order = [each.arm for each in worst_first(map(card, (right(), no_action(), invalid(), reopened())))]
    assert order == ["wrong:reopen-early", "no-action", "runbook", "runbook"]
    assert worst_first(map(card, (right(), invalid())))[0].verdict == "invalid"


def test_of_equal_harm_the_one_that_never_recovered_is_worse() -> None:
    late = right() | {"run": "a", "verdict": "fail"}
    never = right() | {"run": "b", "verdict": "fail"}
    put(never, "recover", None)
    assert [each.run for each in worst_first(map(card, (late, never)))] == ["b", "a"]


def test_what_each_came_to_in_words() -> None:
    assert said(reopened()) == (
        "services back in 8.0 s, customers acted 132 times on wrong figures, never recovered: FAILED"
    )
    assert said(no_action()) == "services never back, 20.2 s lost, customers acted 35 times on wrong figures: FAILED"
    assert said(right()) == "services back in 9.3 s, nobody acted on a wrong figure, recovered in 9.3 s: PASSED"
    assert said(right(), "ja") == "サービスは 9.3 s で再開、誤った表示に基づく行動なし、9.3 s で回復。合格"


def test_what_was_acted_on_before_the_first_step_is_said_to_be_early() -> None:
    early = right()
    put(early, "wrong_figures_acted_on", 1)
    assert "customers acted once on a wrong figure (before the first step)" in said(early)
    put(early, "wrong_figures_acted_on", 1, after_first_step=1)
    assert "before the first step" not in said(early)


def test_a_failure_that_no_number_explains_names_what_caught_it() -> None:
    document = right() | {"verdict": "fail"}
    document["checks"][0] |= {"verdict": "fail"}
    assert said(document).endswith("recovered in 9.3 s, but cash-conserved is red: FAILED")


@pytest.mark.parametrize(("arm", "alerts"), [("no-fault", 0), ("false-alarm", 1)])
def test_in_a_control_nothing_was_injected(arm: str, alerts: int) -> None:
    control = right() | {"arm": arm, "alerts": passed()["alerts"][:alerts]}
    paged = "1 alerts all the same" if alerts else "nobody was paged"
    assert said(control) == f"nothing was injected, {paged}: PASSED"


def test_an_unjudged_run_claims_nothing() -> None:
    assert said(invalid()) == "CANNOT JUDGE: send lateness p99 81 ms > 50 ms"


def test_cards_of_the_same_arm_are_told_apart() -> None:
    other = right() | {"seed": 8, "run": "r8"}
    text = render_comparison([right(), other], width=120).plain
    assert "exchange-link-down · right runbook · seed 7:" in text
    assert "right runbook · seed 8:" in text
    assert "seeds differ (7, 8)" in text
    slow = right() | {"run": "slow"}
    react(slow, 6.0)
    assert "right runbook, reacts in 6 s:" in render_comparison([right(), slow], width=120).plain
    again = right() | {"started": "2026-11-22T11:00:01Z"}
    assert "right runbook · 11:00:01:" in render_comparison([right(), again], width=120).plain


def test_each_row_and_each_column_names_its_drill() -> None:
    other = right() | {"drill": "night-batch-lock", "run": "night-batch-lock/n", "title": {"en": "A lock", "ja": "錠"}}
    lines = render_comparison([right(), other], width=120).plain.split("\n")
    assert lines[0].startswith("exchange-link-down  ")
    assert lines[1].startswith("night-batch-lock  A lock")
    assert [line.partition(": ")[0] for line in lines if line.startswith("✓")] == [
        "✓ exchange-link-down · right runbook",
        "✓ night-batch-lock · right runbook",
    ]
    (heads,) = (line for line in lines if line.startswith(" ") and "exchange-link-down" in line)
    assert "night-batch-lock" in heads
    assert {row["drill"] for row in comparison([right(), other])["worst_first"]} == {
        "exchange-link-down",
        "night-batch-lock",
    }


@pytest.mark.parametrize(
    ("reconcile", "restored", "en", "ja"),
    [
        ([-5.3, -5.2], [9.0, 9.1], "5.2–5.3 s before services re-opened", "サービス再開の 5.2–5.3 s 前"),
        ([2.1, 2.1], [9.0, 9.1], "2.1 s after services re-opened", "サービス再開の 2.1 s 後"),
        (
            [-0.1, 1.5],
            [9.0, 9.1],
            "0.10 s before to 1.5 s after services re-opened",
            "サービス再開の 0.10 s 前～1.5 s 後",
        ),
        ([2.1, 2.4], None, "2.1–2.4 s after the fault", "障害発生の 2.1–2.4 s 後"),
    ],
)
def test_when_books_agreed_is_said_in_words(
    reconcile: list[float], restored: list[float] | None, en: str, ja: str
) -> None:
    document = right()
    put(document, "reconcile", reconcile)
    document["instants"] |= {"t_restored": restored}
    for lang, label, words in (("en", "books agree", en), ("ja", "突合完了", ja)):
        text = render_comparison([document, document | {"run": "r8", "seed": 8}], lang=lang, width=200).plain  # type: ignore[arg-type]
        (line,) = (line for line in text.split("\n") if line.startswith(label))
        assert line.count(words) == 2


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "nobody knows whether anybody was paged"), ("ja", "呼び出しの有無は不明")]
)
def test_where_the_monitor_was_not_heard_nobody_knows_of_pages(lang: Lang, words: str) -> None:
    deaf = right() | {"arm": "no-fault", "alerts": [], "verdict": "fail"}
    deaf["checks"][0] |= {"id": "monitoring-had-no-gap", "standing": True, "verdict": "invalid"}
    assert words in said(deaf, lang)


def test_different_drills_have_not_the_same_fault() -> None:
    other = right() | {"variant": "mail", "run": "other"}
    assert "the same fault in every run" in render_comparison([right(), reopened()], width=120).plain
    text = render_comparison([right(), other], width=120).plain
    assert "seed 7, but different drills: the fault is not the same" in text
    assert "the same fault in every run" not in text


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_nothing_is_said_of_what_the_target_does_not_offer(lang: Lang) -> None:
    bare = right() | {"arm": "no-action", "unsupported": ["books", "operator", "alerts"], "alerts": []}
    put(bare, "wrong_figures_acted_on", None)
    translated = said(bare, lang)
    assert "figures" not in translated
    assert "表示" not in translated
    quiet = said(bare | {"arm": "no-fault"}, lang)
    assert "paged" not in quiet
    assert "呼び出し" not in quiet
    table = render_comparison([bare, bare | {"run": "again", "seed": 8}], lang=lang, width=120).plain
    assert "services and figures good" not in table
    assert "サービス・表示の正常化" not in table


def test_a_drill_that_was_changed_in_between_is_said_to_be() -> None:
    changed = right() | {"drill_sha256": "0" * 64}
    assert "the drill's file was changed" in render_comparison([right(), changed]).plain
    assert "the drill's file was changed" not in render_comparison([right(), reopened()]).plain


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_no_line_is_wider_than_the_screen(lang: Lang, width: int) -> None:
    many = [right(), no_action(), reopened(), failed(), invalid(), right() | {"seed": 12, "run": "z"}]
    lines = render_comparison(many, lang=lang, width=width).plain.split("\n")
    assert [line for line in lines if cell_len(line) > width] == []


def test_rows_that_say_nothing_are_left_out_and_red_ones_are_named() -> None:
    text = render_comparison([right(), reopened()], width=120).plain
    assert "duplicated" not in text
    assert "acknowledged orders lost" not in text
    (caught,) = (line for line in text.split("\n") if line.startswith("caught by"))
    assert "no-duplicates" in caught


def test_the_same_as_json() -> None:
    document = comparison([right(), reopened()])
    assert document["schema"] == "kunren.comparison/1"
    assert [(each["label"], each["verdict"]) for each in document["worst_first"]] == [
        ("reopen early", "fail"),
        ("right runbook", "pass"),
    ]
    assert [each.arm for each in document["cards"]] == ["wrong:reopen-early", "runbook"]
