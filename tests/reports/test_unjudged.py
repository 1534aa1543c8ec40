"""No rendering lets a run that cannot judge earn anything: no ✓, no 0 of its own, no place in a numerator."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import pytest
from rich.console import Console

from drills.cards import score
from drills.judge.scorecard import Scorecard
from drills.spec.drill import load_drill
from drills.verification import tell, verify_arm
from reports.compare import comparison, render_comparison
from reports.fixes import EN, JA, fix_text
from reports.junit import junit_bytes
from reports.summary import five_numbers
from reports.terminal import render_card
from reports.texts import Lang
from tests.drills.synthetic import correct
from tests.drills.unjudged import UNJUDGED, card_of

from .cards import RUN

ZERO = re.compile(r"(?<![\w.,:#×-])¥?0(?:\.0+)?(?: s)?(?![\w.,:])")
"""A bare zero, as a number in a cell or a sentence would stand."""

every = pytest.mark.parametrize("name", UNJUDGED)


def own_numbers(text: str, card: Scorecard) -> str:
    """Without the limits and the words that name the cause: what is left may hold no zero."""
    lines = [re.sub(r"^(  [✓✗?–] \S.*?  +)(≥ )?[\d.]+( s)?", r"\1", line) for line in text.split("\n")]
    words = [
        line
        for line in lines
        if not line.startswith(("CANNOT JUDGE", "判定不能", "evidence", "証跡", "limits", "限界"))
    ]
    return "\n".join(words).replace("monitor 0.25 s", "").replace("監視 0.25 s", "")


@every
@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_terminal_card(name: str, lang: Lang, width: int) -> None:
    card, history = card_of(name)
    text = render_card(card, history, RUN, lang=lang, width=width).plain
    assert "✓" not in text
    assert "no alert recorded" not in text
    assert "警報の記録なし" not in text
    assert not ZERO.search(own_numbers(text, card)), text
    lines = text.split("\n")
    assert lines[1].startswith({"en": "CANNOT JUDGE: ", "ja": "判定不能: "}[lang])
    assert lines[2].startswith({"en": "  fix: ", "ja": "  対処: "}[lang])
    assert len(lines) <= 24


@every
def test_junit(name: str) -> None:
    card, _ = card_of(name)
    cases = list(ET.fromstring(junit_bytes([card])).iter("testcase"))
    assert len(cases) == len(card.objectives) + len(card.checks)
    green = [case.get("name") for case in cases if not {child.tag for child in case} & {"error", "skipped"}]
    assert (green, [case.get("name") for case in cases if case.find("failure") is not None]) == ([], [])
    red = {case.get("name") for case in cases if case.find("error") is not None}
    assert {one.id for one in card.objectives if one.verdict != "n/a"} <= red


@every
def test_the_five_numbers(name: str) -> None:
    card, _ = card_of(name)
    whole = score(correct(3, card.arm).history(), None)
    alone, both = five_numbers([card]), five_numbers([card, whole])
    asked = sum(one.verdict != "n/a" for one in card.objectives)
    assert alone["objectives"] == {"met": 0, "of": asked}
    assert both["objectives"] == {
        "met": five_numbers([whole])["objectives"]["met"],
        "of": asked + five_numbers([whole])["objectives"]["of"],
    }
    assert alone["drills"]["run"] == 0
    for harm in (alone["harm"], both["harm"]):
        others = harm.pop("others")
        assert set(harm.values()) == {None}
        assert set(others.values()) <= {None}
    assert (alone["detection"]["by_alert"], alone["detection"]["worst_s"]) == (0, None)
    assert alone["detection"]["of"] == (card.arm == "runbook")
    assert alone["detection"]["false_pages_per_hour"] is None
    assert both["detection"]["false_pages_per_hour"] is None


@every
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_comparison(name: str, lang: Lang) -> None:
    card, _ = card_of(name)
    other = score(correct(3).history(), None)
    (row,) = (row for row in comparison([card, other], lang)["worst_first"] if row["verdict"] == card.verdict)
    assert row["says"].startswith({"en": "CANNOT JUDGE: ", "ja": "判定不能: "}[lang])
    assert not re.search("paged|services|呼び出し|サービス", row["says"])
    text = render_comparison([card, card], lang=lang, width=120).plain
    assert "✓" not in text
    columns = text.split("\n\n")[-1]
    assert not ZERO.search(columns), columns


@every
def test_the_table_of_verify(name: str) -> None:
    card, _ = card_of(name)
    drill = load_drill("exchange-link-down")
    row = verify_arm(drill, card, None)
    assert not row.as_declared
    assert row.red == []
    assert "CANNOT JUDGE" in row.words()
    assert 0 not in row.metrics.values()
    out = Console(file=io.StringIO(), width=160)
    tell([row], out, "en")
    assert isinstance(out.file, io.StringIO)
    text = out.file.getvalue()
    assert "no run could be judged; 1 could not judge" in text
    assert not ZERO.search(text), text


def test_verify_counts_a_run_that_could_not_judge_neither_way() -> None:
    drill = load_drill("exchange-link-down")
    void = verify_arm(drill, card_of("late load")[0], None)
    good = verify_arm(drill, score(correct(3).history(), None), None)
    out = Console(file=io.StringIO(), width=160)
    tell([good, void], out, "en")
    tell([good, void], out, "ja")
    assert isinstance(out.file, io.StringIO)
    assert "what could be judged behaved as declared; 1 could not judge" in out.file.getvalue()
    assert "判定できた分は宣言どおり（判定不能 1 件）" in out.file.getvalue()


def test_a_run_that_cannot_begin_buries_nothing() -> None:
    card, history = card_of("target never healthy")
    text = render_card(card, history, RUN, width=120).plain
    assert text.split("\n")[1:3] == [
        "CANNOT JUDGE: api did not get healthy within 3 s; it left no log",
        "  fix: see why the target did not start: logs/ in the run's folder, or kunren target up",
    ]
    assert "checks: 17 further checks and 5 objectives cannot be answered because of that" in text
    assert "kunren heal" not in text
    assert "faults" not in text


def test_what_is_really_left_is_said_beside_the_cause() -> None:
    card, history = card_of("failed half-way")
    text = render_card(card, history, RUN, width=120).plain
    assert "checks: ? nothing-still-injected (events:" in text
    assert "1 of 1 faults not seen gone: run `kunren heal`" in text


def test_every_fix_is_said_in_both_languages_and_every_cause_has_one() -> None:
    assert set(EN) == set(JA)
    fixes = {card_of(name)[0].cannot_judge.fix for name in UNJUDGED}  # type: ignore[union-attr]
    assert {fix for fix in fixes if fix not in EN} == {"orders-accounted"}
    assert fix_text("en", "orders-accounted", "unknown") == EN["unknown"]
    assert fix_text("en", "run-ended.struck-by-lightning", "invalid") == EN["run-ended"]
