"""The calendar's words: complete in both languages, and what they make of dates, reasons and messages."""

from __future__ import annotations

import io
import re
import string
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from rich.console import Console

from drills.record.dates import Fate, Ran, Reason, because
from drills.spec.reader import Words
from drills.spec.scheduleform import OCCASIONS
from reports import notices
from reports.calendar import document, print_next, print_past
from reports.calendar_words import EN, JA, at, on, say, target, why
from reports.notices import Told
from tests.drills.schedules import TOKYO, of, tokyo, written

JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
SOURCES = Path(__file__).parents[2]


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_there_in_both_languages_with_the_same_places() -> None:
    assert set(EN) == set(JA)
    for key, text in EN.items():
        assert places(text) == places(JA[key]), key
        assert JAPANESE.search(JA[key]) or not re.search(r"[a-z]", re.sub(r"\{\w+\}", "", text)), key
        assert not JAPANESE.search(text), key


def test_every_text_is_used() -> None:
    code = "".join(
        file.read_text() for folder in ("drills", "reports") for file in (SOURCES / folder).rglob("*.py")
        if file.name != "calendar_words.py"
    )  # fmt: skip
    for key in EN:
        stem, _, last = key.rpartition(".")
        made = stem in ("why", "state", "period", "verdict", "occasion", "target") or "told." in key
        assert f'"{key}"' in code or made or key == "weekdays", key
        if stem == "why":
            assert f'"{last}"' in code, key


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_reason_of_the_code_has_words(lang: str) -> None:
    made = set()
    for file in [*(SOURCES / "drills").rglob("*.py")]:
        made |= set(re.findall(r'because\(\s*"([a-z-]+)"', file.read_text()))
    assert len(made) > 10
    assert {f"why.{id_}" for id_ in made} <= set(EN if lang == "en" else JA)
    assert {f"occasion.{each}" for each in OCCASIONS} <= set(EN)


def test_reasons_within_reasons() -> None:
    freeze = because("blackout", words=Words("Month end", "月末月初"))
    moved = because("moved", of=date(2027, 4, 29), why=freeze)
    assert why("en", moved) == "moved from Thu 2027-04-29 (blackout: Month end)"
    assert why("ja", moved) == "2027-04-29（木）から振替（実施禁止期間: 月末月初）"
    again = msgspec.json.decode(msgspec.json.encode(moved), type=Reason)
    assert again == moved
    assert why("en", because("of-a-later-version", n=3)) == "of-a-later-version n=3"


def test_the_budget_in_words() -> None:
    over = because("budget", period="week", spent=80, takes=10, limit=80)
    assert why("en", over) == "budget of the week: 80 of 80 min are planned, it takes 10 min"
    assert why("ja", over) == "1 週の上限: 80 分のうち 80 分が計画済み、所要 10 分"


def test_a_time_says_which_clock_where_the_clocks_change() -> None:
    new_york = ZoneInfo("America/New_York")
    assert at(datetime.fromisoformat("2027-11-07T05:30:00+00:00"), new_york) == "01:30 EDT"
    assert at(datetime.fromisoformat("2027-11-07T06:30:00+00:00"), new_york) == "01:30 EST"
    assert at(datetime.fromisoformat("2027-11-08T06:30:00+00:00"), new_york) == "01:30"
    assert on("ja", date(2026, 12, 1)) == "2026-12-01（火）"


def printed(draw: object, *args: object) -> list[str]:
    out = io.StringIO()
    draw(Console(file=out, width=100), *args)  # type: ignore[operator]
    return out.getvalue().splitlines()


def test_what_will_run_and_what_not(tmp_path: Path) -> None:
    schedule = written(tmp_path, business="{holidays: [2026-12-02]}")
    found = of(schedule, "2026-12-01", "2026-12-02")
    first, last = date(2026, 12, 1), date(2026, 12, 2)
    assert printed(print_next, "desk", TOKYO, first, last, found, "en") == [
        "Schedule desk, Asia/Tokyo: Tue 2026-12-01 to Wed 2026-12-02",
        "Tue 2026-12-01  19:00  link  ≤ 3 min",
        "Wed 2026-12-02  –      link           no: own holiday",
        "dates: 1 (3 min at most); not taking place: 1",
    ]
    assert printed(print_next, "desk", TOKYO, first, last, [], "ja")[1:] == ["この期間に予定なし"]
    made = msgspec.json.decode(msgspec.json.encode(document("desk", TOKYO, first, last, found)))
    assert made["dates"][0]["start"] == "2026-12-01T19:00:00+09:00"
    assert made["dates"][1]["why_not"] == {"id": "own-holiday"}
    assert made["dates"][1]["says"] == {"en": "own holiday", "ja": "自社の休業日"}


def fate(day: int, state: str, reason: Reason | None = None, runs: list[Ran] | None = None) -> Fate:
    start = tokyo(f"2026-12-{day:02d} 19:00")
    return Fate("desk", "link", date(2026, 12, day), state, start, ["d"], reason, runs or [], start)


RAN = Ran("exchange-link-down", "runbook", "pass", True, "exchange-link-down/2026-runbook-7")
FAILED = Ran("exchange-link-down", "runbook", "fail", False, "exchange-link-down/2026-runbook-8", ["recover"])


def test_what_became_of_dates_and_how_many_of_the_due_ones_were_done() -> None:
    found = [
        fate(1, "ended", runs=[RAN]),
        fate(2, "missed", because("nobody-looked")),
        fate(3, "skipped", because("holiday")),
        fate(4, "ended", because("window-over"), [RAN]),
        fate(7, "planned"),
    ]
    assert [each.missed for each in found] == [False, True, False, True, False]
    lines = printed(print_past, TOKYO, found, "en")
    assert lines[0] == "Tue 2026-12-01  19:00  link  done     exchange-link-down runbook: passed"
    assert lines[-1] == "due: 3; done: 1; missed: 2"
    assert printed(print_past, TOKYO, found, "ja")[-1] == "実施予定 3 件のうち実施済み 1 件、未実施 2 件"
    assert printed(print_past, TOKYO, [], "en") == ["nothing is recorded of this time"]


LINK = Words("The link goes silent", "回線の無応答")
TOLD = Told(
    "desk", "link", date(2026, 12, 1), "local", 2, (("exchange-link-down", "runbook"),), {"exchange-link-down": LINK}
)


@pytest.mark.parametrize(
    ("runs", "reason", "title"),
    [
        ([RAN], None, "Drill done: link, as expected"),
        ([RAN, FAILED], None, "Drill found something: link"),
        ([msgspec.structs.replace(FAILED, verdict="invalid")], None, "Drill without a full result: link"),
        ([RAN], because("window-over"), "Drill without a full result: link"),
        ([], because("refused", message="no disk"), "Drill missed: link of Tue 2026-12-01"),
    ],
)
def test_what_a_message_begins_with(runs: list[Ran], reason: Reason | None, title: str) -> None:
    assert notices.after(TOLD, runs, reason, "en")[0] == title


def test_a_message_of_a_finding() -> None:
    assert notices.after(TOLD, [FAILED], None, "en")[1].splitlines() == [
        "The link goes silent (exchange-link-down), right runbook: failed",
        "  not met: recover",
        "  card: exchange-link-down/2026-runbook-8",
        "",
        "Schedule desk. The drills go against the mini-brokerage, not your production.",
    ]


@pytest.mark.parametrize(
    ("verdict", "declared", "says"),
    [
        ("pass", "fail", "it must not pass: nobody, or a wrong runbook, acts here, so the drill proves nothing"),
        ("pass", "pass", "it passed with a lower grade than its drill declares"),
        ("fail", "pass", "not met: recover"),
        ("fail", "fail", "it must fail, but not because of: recover"),
        ("invalid", "pass", "because of: recover"),
    ],
)
def test_what_is_wrong_about_a_run(verdict: str, declared: str, says: str) -> None:
    ran = msgspec.structs.replace(FAILED, verdict=verdict, declared=declared)
    assert notices.after(TOLD, [ran], None, "en")[1].splitlines()[1] == f"  {says}"


def test_a_message_before_a_drill() -> None:
    assert notices.before(TOLD, "ja")[1].splitlines() == [
        "これより訓練を開始します（最大 2 分）。意図的に障害を起こす対象: 模擬証券システム（本番環境ではありません）",
        "回線の無応答（exchange-link-down）、正しい手順書",
        "",
        "スケジュール desk。訓練の対象は模擬証券システム（本番環境ではありません）です。",
    ]
    assert target("en", "site/target.yaml") == "the target site/target.yaml"


def test_the_test_message_says_when_one_will_be_told() -> None:
    title, body = notices.test("desk", OCCASIONS, "en")
    assert title == say("en", "told.test.title")
    assert "before a drill, after it, when it found something, when one was missed" in body
