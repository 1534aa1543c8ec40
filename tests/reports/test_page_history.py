"""The history of drills as a file: what it says, that it is inert, and how large it gets."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from drills.archive.index import Indexed, indexed
from drills.archive.trends import Trend, trend
from drills.cli import main
from drills.findings.state import by_urgency
from drills.findings.store import Store
from drills.record.dates import ENDED, MISSED, Entry, Journal, because, fates
from drills.record.register import read_register
from reports.pages.render import MOST_BYTES, history_page
from tests.drills.kept import keep

from .test_page import HOSTILE, Read
from .test_trends import filled

FINDINGS = """\
schema: kunren.findings/1
findings:
  - id: F-3f9c21aa
    drill: night-lock
    arm: runbook
    target: local
    operator: robot
    pace: robot
    kind: objective
    about: recover
    severity: medium
    first_seen: {run: night-lock/x, date: 2026-11-08, evidence: a}
    last_seen: {run: night-lock/x, date: 2026-11-08, evidence: a}
    times: 1
    detail: 8.5 s, limit 4 s
    owner: sato
    due: 2026-11-30
"""


def history(runs: Path) -> tuple[Trend, Indexed]:
    found = indexed(runs)
    return trend(found.rows, read_register(runs), found.unread, lambda _, arm: arm == "runbook"), found


def text_of(content: bytes) -> str:
    return " ".join(" ".join(Read(content).text).replace("\N{NO-BREAK SPACE}", " ").split())


def test_it_names_who_must_do_what_by_when_and_what_was_thrown_away(tmp_path: Path) -> None:
    file = tmp_path / "findings.yaml"
    file.write_text(FINDINGS)
    made, found = history(filled(tmp_path / "runs"))
    late = by_urgency(Store.read(file).findings, date(2026, 12, 1), timedelta(days=7))
    content = history_page(made, [row for row in found.rows if row.arm == "runbook"], late)
    read, said = Read(content), text_of(content)
    assert "night-lock: recover (8.5 s, limit 4 s) OVERDUE medium sato 2026-11-30" in said
    assert "since 2026-11-07: its limits changed" in said
    assert "thrown away; the register says failed" in said
    assert "improv" not in said.lower()
    assert read.tags["script"] == 0
    assert read.links == []
    assert len(set(read.ids)) == len(read.ids)
    assert read.tags["svg"] >= 4


def test_without_a_file_of_findings_none_is_claimed_to_be_closed(tmp_path: Path) -> None:
    keep(tmp_path / "runs", recover=5.0)
    made, found = history(tmp_path / "runs")
    assert "There is no file of findings" in text_of(history_page(made, found.rows, None))
    assert "No finding is open" in text_of(history_page(made, found.rows, []))


def test_what_was_due_and_not_done_is_named_with_its_reason(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    keep(runs, recover=5.0)
    journal, at = Journal(runs), datetime(2026, 11, 3, tzinfo=UTC)
    for day, what, reason in ((1, ENDED, None), (2, MISSED, because("nobody-looked"))):
        of = date(2026, 11, day)
        journal.append(Entry(at=at, what=what, schedule="desk", entry="nightly", of=of, reason=reason))
    found = indexed(runs)
    made = trend(found.rows, read_register(runs), found.unread, lambda *_: True, fates(journal.entries()))
    said = text_of(history_page(made, found.rows, None))
    assert "calendar: 1 of 2 dates that were due were done whole" in said
    assert "Mon 2026-11-02 nightly: nobody looked" in said


def test_sources_are_a_trace_and_no_checklist(tmp_path: Path) -> None:
    keep(tmp_path / "runs", recover=5.0, sources=["fsa-07", "rkt-05"])
    made, found = history(tmp_path / "runs")
    said = text_of(history_page(made, found.rows, None))
    assert "fsa-07 link-down ✓" in said
    assert "warn against using such lists as a checklist" in said


def test_a_change_of_level_is_noted_and_blocks_nothing(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for n in range(30):
        keep(runs, n / 10, recover=(5.0 if n < 15 else 9.0) + n % 3 / 10)
    made, found = history(runs)
    said = text_of(history_page(made, found.rows, None))
    assert "recoveries since 2026-11-02 at another level" in said
    assert "5.1 s before, 9.1 s since" in said
    assert made.series[0].last_verdict == "pass"


def test_foreign_text_does_nothing(tmp_path: Path) -> None:
    keep(tmp_path / "runs", title={"en": HOSTILE, "ja": HOSTILE})
    made, found = history(tmp_path / "runs")
    read = Read(history_page(made, found.rows, None))
    assert not {"script", "img"} & set(read.tags)


def test_many_runs_do_not_make_it_long(tmp_path: Path) -> None:
    for day in range(120):
        keep(tmp_path / "runs", day, recover=5.0 + day % 7)
    made, found = history(tmp_path / "runs")
    content = history_page(made, found.rows, None)
    assert Read(content).tags["circle"] == 2 * 60
    assert len(content) < MOST_BYTES / 20


def test_the_verb_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, html = filled(tmp_path / "runs"), tmp_path / "history.html"
    monkeypatch.setattr("sys.argv", ["kunren", "trend", str(runs), "--html", str(html), "--lang", "ja"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "訓練の履歴" in html.read_text()
