"""The page as a file: whole, self-contained, inert, small enough, and of no claim where the run cannot judge."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from drills.cards import compare_with_kept
from drills.errors import MissingMeans
from reports.pages import render
from reports.pages.evidence import row
from reports.pages.model import Run, views
from reports.pages.paper import BROWSER, browser
from reports.pages.render import MOST_BYTES, page
from reports.pages.sections import minutes

GOLDEN = Path(__file__).parents[1] / "golden"
FOLDERS = sorted(path.name for path in GOLDEN.iterdir() if (path / "run.json").exists())
HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e'\"&"


class Read(HTMLParser):
    """What is in the file: tags with what they carry, ids, and the text."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        given = dict(attrs)
        assert not any(name.startswith("on") for name in given)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href", "action")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def run_of(name: str) -> Run:
    judged = compare_with_kept(GOLDEN / name)
    return Run(judged.card, judged.history, GOLDEN / name, judged.problems)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_page_is_whole_and_asks_for_nothing(name: str) -> None:
    content = page([run_of(name)], "ja")
    found = Read(content)
    assert len(content) <= MOST_BYTES
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(found.tags)
    assert not [link for link in found.links if not link.startswith("#")]
    assert max(Counter(found.ids).values()) == 1
    assert not re.search(rb"url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)", content)
    assert found.tags["main"] == found.tags["h1"] == 2
    assert '<html lang="ja">' in content.decode()


@pytest.mark.parametrize("name", [name for name in FOLDERS if name.startswith("invalid")])
def test_a_run_that_cannot_judge_claims_nothing(name: str) -> None:
    view = views(run_of(name), 1, 20)["en"]
    assert (view.verdict, view.tone, view.story, view.damage) == ("Cannot judge", "unknown", [], [])
    assert view.cannot[0][1]
    assert view.cannot[1][1]
    assert {tile.value for tile in view.tiles} == {"–"}
    assert not any(tile.bad for tile in view.tiles)
    assert not view.spent


def test_foreign_text_is_shown_and_does_nothing() -> None:
    run = run_of("fail-integrity")
    card = msgspec.structs.replace(run.card, title={"en": HOSTILE, "ja": HOSTILE}, subject=HOSTILE)
    alert = msgspec.structs.replace(card.alerts[0], rule=HOSTILE)
    plan = msgspec.structs.replace(run.history.plan, services={HOSTILE: 1.0})
    history = type(run.history)(
        msgspec.structs.replace(run.history.run, plan=plan),
        run.history.events, run.history.samples, run.history.books, run.history.damage,
    )  # fmt: skip
    content = page([Run(msgspec.structs.replace(card, alerts=[alert]), history, run.folder)]).decode()
    found = Read(content.encode())
    assert not {"script", "img"} & set(found.tags)
    assert "\x1b" not in content
    assert "\u202e" not in content
    assert "alert(1)" in " ".join(found.text)


def test_rows_of_the_books_stand_behind_a_failed_check() -> None:
    run = run_of("fail-integrity")
    checks = {check.id: check for check in views(run, 1, 20)["en"].business}
    (behind,) = checks["no-duplicates"].counts[3].rows
    assert behind.reference == "oms:20"
    assert behind.content is not None
    assert run.history.books["oms"][20].id in behind.content


@pytest.mark.parametrize("reference", ["oms:999999", "nothing:1", "events:x", "", ":", "oms:-1"])
def test_a_row_that_is_not_there_is_said_to_be_gone(reference: str) -> None:
    assert row(run_of("pass").history, reference).content is None


def test_evidence_goes_before_runs_where_a_page_would_get_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [run_of("fail-integrity") for _ in range(4)]
    whole = len(page(runs))
    monkeypatch.setattr(render, "MOST_BYTES", whole // 2)
    small = page(runs)
    assert len(small) <= whole // 2
    found = Read(small)
    assert "further runs are in the table alone" in " ".join(found.text)
    assert 0 < found.tags["article"] < 8


def test_of_several_runs_the_worst_comes_first_and_each_is_linked() -> None:
    content = page([run_of(name) for name in ("pass", "fail-integrity", "unknown")])
    found = Read(content)
    assert found.links == ["#en1", "#en2", "#en3", "#ja1", "#ja2", "#ja3"]
    assert {link[1:] for link in found.links} <= set(found.ids)
    assert content.index(b"golden@fail-integrity") < content.index(b"golden@pass")


def test_a_changed_folder_says_so_on_its_page() -> None:
    run = run_of("pass")
    content = page([Run(run.card, run.history, run.folder, ("books/oms.jsonl was changed",))]).decode()
    assert "books/oms.jsonl was changed" in content


def test_a_page_is_the_same_bytes_twice() -> None:
    assert page([run_of("fail-objective")]) == page([run_of("fail-objective")])


def test_without_a_browser_paper_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BROWSER, "/nowhere/browser")
    with pytest.raises(MissingMeans, match="Debian: chromium"):
        browser()


@pytest.mark.parametrize(
    ("given", "en", "ja"), [(5.2, "5 s", "5 s"), (60, "1 min", "1 分"), (125, "2 min 5 s", "2 分 5 秒")]
)
def test_what_nobody_measured_is_told_in_minutes(given: float, en: str, ja: str) -> None:
    assert (minutes(given, "en"), minutes(given, "ja")) == (en, ja)
