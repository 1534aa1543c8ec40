"""Snapshots of the card. To write them anew after a wanted change: KUNREN_SNAPSHOTS=write pytest tests/reports."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from reports.terminal import print_card, render_card
from reports.texts import EN, JA, Lang, say

from .cards import RUN, failed, history, invalid, nobody, passed, without_load

SNAPSHOTS = Path(__file__).parent / "snapshots"
CARDS: dict[str, Callable[[], dict[str, Any]]] = {"pass": passed, "fail": failed, "invalid": invalid}


def card_text(name: str, lang: Lang, width: int) -> str:
    card = CARDS[name]()
    seen = without_load(card) if name == "invalid" else history(card)
    return render_card(card, seen, RUN, lang=lang, width=width).plain


def lines(text: str) -> int:
    return text.count("\n") + 1


@pytest.fixture(autouse=True)
def _called_as_kunren(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["kunren"])


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("name", CARDS)
def test_card_is_as_it_was_seen_and_approved(name: str, lang: Lang, width: int) -> None:
    text = card_text(name, lang, width)
    kept = SNAPSHOTS / f"{name}-{lang}-{width}.txt"
    if os.environ.get("KUNREN_SNAPSHOTS") == "write":
        SNAPSHOTS.mkdir(exist_ok=True)
        kept.write_text(text + "\n", "utf-8")
    assert text + "\n" == kept.read_text("utf-8")
    assert lines(text) <= 24


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_nothing_is_cut_and_only_the_number_of_the_evidence_is_shortened(lang: Lang, width: int) -> None:
    for name in CARDS:
        assert card_text(name, lang, width).replace("3f9c3f9c3f9c3f9c…", "").count("…") == 0


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_in_a_pipe_nothing_is_left_out(lang: Lang) -> None:
    card = crowded()
    out = Console(file=io.StringIO(), width=80)
    print_card(out, card, history(card), RUN, lang=lang)
    assert isinstance(out.file, io.StringIO)
    text = out.file.getvalue()
    assert "…" not in text
    assert not any(say(lang, key, n=1).replace("1", "") in text for key in ("more", "books.unwell"))
    everything = [*(f"limit {n} " for n in range(30)), *(f"red-{n}" for n in range(9)), "3f9c" * 16]
    everything += ["x" * 300] if lang == "en" else []
    assert all(words in text for words in everything)
    assert sum(line.startswith("  ✓ good-") for line in text.split("\n")) == 14


def test_the_rows_of_strips_are_equally_long() -> None:
    strips = [line for line in card_text("pass", "ja", 100).split("\n") if "▕" in line]
    assert len(strips) == 4
    assert len({cell_len(line.split("▏")[0]) for line in strips}) == 1


def crowded() -> dict[str, Any]:
    card = failed()
    card["governing"]["words"]["en"] = "x" * 300
    card["limits"] = [{"words": {"en": f"limit {n} " + "y" * 60, "ja": ""}} for n in range(30)]
    card["checks"] = [{**card["checks"][0], "id": f"check-{n}"} for n in range(12)]
    card["checks"] += [
        {**card["checks"][0], "id": f"red-{n}", "verdict": "fail", "reasons": [{"id": "z" * 200}]} for n in range(9)
    ]
    card["objectives"] = [{**card["objectives"][0], "id": f"good-{n}", "metric": f"good-{n}"} for n in range(14)]
    card["objectives"].append({**card["objectives"][0], "id": "recover", "metric": "recover", "verdict": "fail"})
    return card


def test_a_crowded_card_still_fits_and_shows_the_worst() -> None:
    card = crowded()
    folder = Path("/srv") / ("deep/" * 40) / RUN
    text = render_card(card, history(card), folder, width=80, compare_with="last").plain
    assert lines(text) <= 24
    assert "✗ recover" in text
    assert "✗ red-0" in text
    assert "compare: kunren compare" in text


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_crowded_card_that_cannot_judge_still_fits_and_counts_what_it_leaves_out(lang: Lang) -> None:
    card = passed() | {"verdict": "unknown", "grade": None}
    words = "this one could not tell, " * 30
    blind = {**card["checks"][0], "verdict": "unknown"}
    card["checks"] = [{**blind, "id": f"blind-{n}", "reasons": [{"id": f"{n}: {words}"}]} for n in range(30)]
    text = render_card(card, history(card), RUN, lang=lang, width=80).plain
    assert lines(text) <= 24
    assert "blind-1: 1:" in text
    shown = sum(f"? blind-{n}: " in text for n in range(30))
    assert {"en": f"{29 - shown} more not well", "ja": f"ほか {29 - shown} 件に問題"}[lang] in text


def test_a_card_without_history_has_no_strips() -> None:
    text = render_card(passed(), None, RUN).plain
    assert "▕" not in text
    assert "PASSED" in text


def test_what_cannot_be_judged_says_why_and_what_to_do_and_claims_nothing() -> None:
    text = card_text("invalid", "en", 120)
    assert text.split("\n")[1:3] == [
        "CANNOT JUDGE: send lateness p99 81 ms > 50 ms",
        "  fix: free the machine of other work, then run it again (--retry-invalid 1)",
    ]
    assert not any(word in text for word in ("invalid:", "unknown", "PASSED", "FAILED", "0 of", "duplicated"))


def test_an_unknown_objective_is_named() -> None:
    card = passed()
    card |= {"verdict": "unknown", "grade": None}
    card["objectives"][0]["verdict"] = "unknown"
    text = render_card(card, None, RUN).plain
    assert "CANNOT JUDGE: detect: the limit lies within what was measured\n  fix: run it again; if it stays so" in text
    card["objectives"][0]["measured"] = None
    text = render_card(card, None, RUN).plain
    assert "CANNOT JUDGE: detect: the measurement cannot tell\n  fix: see in the limits below" in text


def test_red_is_for_what_went_wrong_alone() -> None:
    good, bad = ({str(span.style) for span in render_card(card, None, RUN).spans} for card in (passed(), failed()))
    assert not any("red" in style for style in good)
    assert {style for style in bad if style and style not in ("bold", "not bold")} == {"red", "bold red"}


def test_in_a_pipe_the_text_is_plain() -> None:
    out = Console(file=io.StringIO(), width=80)
    print_card(out, failed(), history(failed()), RUN)
    assert isinstance(out.file, io.StringIO)
    whole = render_card(failed(), history(failed()), RUN, width=80, whole=True).plain
    assert out.file.getvalue() == whole + "\n"


def test_an_own_system_is_called_by_its_name() -> None:
    assert "target staging-2" in render_card(passed() | {"target": "staging-2"}, None, RUN).plain


def test_a_drill_by_hand_and_a_second_attempt_are_said() -> None:
    text = render_card(passed() | {"operator": nobody("human"), "attempts": 2}, None, RUN).plain
    assert "a person" in text
    assert "attempt 2" in text


def test_the_control_arm_says_that_nothing_was_broken() -> None:
    card = passed() | {"arm": "no-fault", "alerts": [], "runbook": None, "operator": nobody("robot")}
    card["instants"]["t_alert"] = None
    seen = history(card)
    quiet = type(seen)(seen.run, tuple(e for e in seen.events if e.actor == "runner"), seen.samples, {})
    text = render_card(card, quiet, RUN, width=120).plain
    assert "nothing injected" in text
    assert "no alert recorded" in text
    assert "in all" in text


def test_both_languages_say_the_same_things() -> None:
    assert set(EN) == set(JA)
    for key, text in EN.items():
        assert text.count("{") == JA[key].count("{"), key


@pytest.mark.parametrize(("lang", "says"), [("en", "not offered: books, alerts"), ("ja", "提供なし: 帳簿, 警報")])
def test_what_the_target_does_not_offer_stands_in_the_second_line(lang: Lang, says: str) -> None:
    card = passed() | {"unsupported": ["books", "alerts"]}
    text = render_card(card, history(card), RUN, lang=lang, width=120).plain
    assert says in text.split("\n")[1]
    assert not any(line.startswith(("books: ", "帳簿: ")) for line in text.split("\n"))


@pytest.mark.parametrize(("lang", "says"), [("en", "not offered: alerts"), ("ja", "提供なし: 警報")])
def test_where_nobody_looked_for_alerts_none_is_said_to_be_missing(lang: Lang, says: str) -> None:
    card = passed() | {"unsupported": ["alerts"], "alerts": []}
    (steps,) = (
        line
        for line in render_card(card, history(card), RUN, lang=lang, width=120).plain.split("\n")
        if line.startswith(("  steps", "  手順"))
    )
    assert steps.endswith(says)
