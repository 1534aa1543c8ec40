"""The verb report, and pages from other verbs: what is written where, and how bad input is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from drills.cli import main
from drills.record.names import RUN
from reports.pages.paper import BROWSER

GOLDEN = Path(__file__).parents[1] / "golden"


def kunren(monkeypatch: pytest.MonkeyPatch, *argv: object) -> int:
    monkeypatch.setattr("sys.argv", ["kunren", *map(str, argv)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / "fail-integrity", tmp_path / "20261122T100600.000Z-runbook-1"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_page_is_written_and_nothing_else(monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> None:
    before, html = files(folder), tmp_path / "card.html"
    assert kunren(monkeypatch, "report", folder, "--html", html, "--lang", "ja") == 0
    assert html.read_bytes().startswith(b"<!doctype html>")
    assert b'<html lang="ja">' in html.read_bytes()
    assert files(folder) == before


def test_without_a_file_the_card_is_shown(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kunren(monkeypatch, "report", folder) == 0
    assert "FAILED" in capsys.readouterr().out


def test_junit_comes_from_the_cards_that_lie_there(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path
) -> None:
    assert kunren(monkeypatch, "report", folder, GOLDEN / "pass", "--junit", tmp_path / "x.xml") == 0
    assert (tmp_path / "x.xml").read_text().count("<testsuite ") == 2


def test_check_writes_the_page_of_what_it_judged(monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> None:
    html = tmp_path / "card.html"
    assert kunren(monkeypatch, "check", folder, GOLDEN / "pass", "--quiet", "--html", html) == 1
    assert html.read_text().count("<article ") == 4


def test_a_changed_folder_is_told_on_the_page_and_on_stderr(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "logs" / "api.log").write_text("other words\n")
    assert kunren(monkeypatch, "report", folder, "--html", tmp_path / "card.html") == 0
    assert "logs/api.log" in capsys.readouterr().err
    assert "logs/api.log" in (tmp_path / "card.html").read_text()


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["nothing", "--html", "card.html"], "no run 'nothing' in runs"),
        ([GOLDEN / "pass", "--html", "-"], "--html goes into a file"),
        ([GOLDEN / "pass", "--html", "gone/card.html"], "cannot write gone/card.html"),
        ([GOLDEN / "pass", "--html", "x", "--pdf", "x"], "two outputs are to go into the same file"),
        ([GOLDEN / "pass", "--html", "x", "--lang", "fr"], "unknown language 'fr'"),
        ([GOLDEN / "pass", "--pdf", "x.pdf"], "no /nowhere/browser on this machine"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_cause(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[object], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(BROWSER, "/nowhere/browser")
    assert kunren(monkeypatch, "report", *argv) == 3
    assert says in capsys.readouterr().err
    assert not (tmp_path / "card.html").exists()


def test_a_folder_that_cannot_be_read_has_no_page(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / RUN).write_text("{")
    assert kunren(monkeypatch, "report", folder, "--html", tmp_path / "card.html") == 3
    assert RUN in capsys.readouterr().err
