"""The index of cards is a cache that changes no answer; the history joins only what can be compared."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drills.archive.index import INDEX, Indexed, indexed
from drills.archive.medians import median
from drills.archive.trends import Series, Trend, trend
from drills.record.register import REGISTER, Register, read_register

from .kept import keep


def history(runs: Path, wanted: Callable[[str, str], bool] = lambda _, arm: arm == "runbook") -> Trend:
    found = indexed(runs)
    return trend(found.rows, read_register(runs), found.unread, wanted)


def only(runs: Path) -> Series:
    (series,) = history(runs).series
    return series


def names(found: Indexed) -> list[str]:
    return [row.run for row in found.rows]


# -- the index ------------------------------------------------------------------------------------------------------


def test_what_is_kept_is_what_the_card_says(tmp_path: Path) -> None:
    run = keep(tmp_path, which="fail-objective", recover=7.5)
    card = json.loads((tmp_path / run / "scorecard.json").read_text())
    for _ in range(2):  # read, then from the index
        (row,) = indexed(tmp_path).rows
        assert (row.run, row.verdict, row.grade, row.evidence) == (run, "fail", "major-challenges", card["evidence"])
        assert (row.recover, row.service_s, row.operator, row.target) == ((7.5, 7.5), 7.0, "robot", "local")
        assert [one.id for one in row.objectives if one.verdict == "fail"] == ["recover"]
        assert row.red == []


def test_cards_that_come_go_and_change_are_seen(tmp_path: Path) -> None:
    first, second = keep(tmp_path, 0), keep(tmp_path, 1)
    assert names(indexed(tmp_path)) == [first, second]
    third = keep(tmp_path, 2)
    shutil.rmtree(tmp_path / first)
    card = tmp_path / second / "scorecard.json"
    card.write_text(card.read_text().replace('"verdict": "pass", "grade"', '"verdict": "fail", "grade"'))
    found = indexed(tmp_path)
    assert names(found) == [second, third]
    assert found.rows[0].verdict == "fail"
    with sqlite3.connect(tmp_path / INDEX) as asked:
        assert asked.execute("select run, verdict from runs order by run").fetchall() == [
            (second, "fail"),
            (third, "pass"),
        ]


def other_version(file: Path) -> None:
    with sqlite3.connect(file) as index:
        index.execute("pragma user_version = 1")


SPOILT: dict[str, Callable[[Path], Any]] = {
    "deleted": Path.unlink,
    "garbled": lambda file: file.write_bytes(b"no database at all" * 1000),
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:5000]),
    "other version": other_version,
    "other rows": lambda file: sqlite3.connect(file).executescript("update runs set detail = 'x'"),
    "other table": lambda file: sqlite3.connect(file).executescript("drop table runs; create table runs (a)"),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=list(SPOILT))
def test_an_index_that_is_spoilt_changes_no_answer(tmp_path: Path, spoil: Callable[[Path], Any]) -> None:
    for day in range(3):
        keep(tmp_path, day)
    right = indexed(tmp_path)
    spoil(tmp_path / INDEX)
    assert indexed(tmp_path) == right
    assert indexed(tmp_path) == right


def test_an_index_that_somebody_holds_or_nobody_can_write_changes_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path)
    right = indexed(tmp_path)
    monkeypatch.setattr("drills.archive.index.WAIT_S", 0.05)
    holding = sqlite3.connect(tmp_path / INDEX)
    holding.execute("begin exclusive")
    assert indexed(tmp_path) == right
    holding.close()
    (tmp_path / INDEX).unlink()
    (tmp_path / INDEX).mkdir()
    assert indexed(tmp_path) == right


def test_what_is_no_card_is_said_and_stands_in_no_row(tmp_path: Path) -> None:
    old, garbled, none = (keep(tmp_path, day) for day in range(3))
    (tmp_path / old / "scorecard.json").write_text('{"schema": "kunren.scorecard/1", "drill": "x"}')
    (tmp_path / garbled / "scorecard.json").write_text("{")
    (tmp_path / none / "scorecard.json").unlink()
    (tmp_path / "link-down" / "notes").mkdir()
    found = indexed(tmp_path)
    assert found.rows == ()
    assert found.unread == {
        old: "of the form kunren.scorecard/1; this version reads kunren.scorecard/2",
        garbled: "no card",
    }
    assert found.without_card == (none,)
    assert indexed(tmp_path / "nowhere") == Indexed((), {}, ())


def test_a_thousand_runs_take_no_time_once_indexed(tmp_path: Path) -> None:
    run = keep(tmp_path, registered=False)
    for number in range(1, 1000):
        folder = tmp_path / f"drill-{number % 20}" / f"20261101T{number % 24:02d}0000.{number:03d}Z-runbook-{number}"
        folder.mkdir(parents=True)
        os.link(tmp_path / run / "scorecard.json", folder / "scorecard.json")
        os.link(tmp_path / run / "run.json", folder / "run.json")
    indexed(tmp_path)
    began = time.process_time()
    assert len(indexed(tmp_path).rows) == 1000
    assert time.process_time() - began < 0.5  # measured: 0.04 s


# -- medians --------------------------------------------------------------------------------------------------------


def test_medians_and_their_intervals_are_the_known_ones() -> None:
    assert (median([]).value, median([3.0]).value, median([1.0, 2.0]).value) == (None, 3.0, 1.5)
    assert (median([1.0] * 5).low, median([1.0] * 5).high) == (None, None)
    for n, low, high in ((6, 1, 6), (9, 2, 8), (15, 4, 12)):
        found = median([float(x) for x in range(n, 0, -1)])
        assert (found.low, found.high, found.n) == (low, high, n)


def test_what_did_not_happen_is_worse_than_any_number() -> None:
    assert median([1.0, None, None]).value is None
    found = median([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, None])
    assert (found.value, found.low, found.high, found.never) == (4.0, 1.0, None, 1)


def test_the_interval_covers_the_true_median_as_often_as_it_says() -> None:
    rng = random.Random(7)
    hits = []
    for _ in range(800):
        found = median([rng.lognormvariate(2, 0.6) for _ in range(9)])
        assert found.low is not None
        assert found.high is not None
        hits.append(found.low <= 2.718281828**2 <= found.high)
    assert statistics.mean(hits) > 0.93


# -- the history ----------------------------------------------------------------------------------------------------

CHANGES: dict[str, dict[str, Any]] = {
    "drill": {"drill_sha256": "other"},
    "limits": {"limit": 99},
    "runbook": {"runbook_sha256": "other"},
    "rules": {"rules": 3},
    "version": {"kunren": "0.2.0"},
    "machine": {"machine": {"cores": 64}},
    "compression": {"clock": {"compression": 60, "monitor_interval_s": 0.25}},
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_line_breaks_where_runs_cannot_be_compared_and_says_why(tmp_path: Path, what: str) -> None:
    for day in range(3):
        keep(tmp_path, day, recover=5.0)
    for day in range(3, 5):
        keep(tmp_path, day, recover=9.0, **CHANGES[what])
    before, after = only(tmp_path).segments
    assert (before.because, after.because) == ([], [what])
    assert (before.runs, after.runs, after.since[:8]) == (3, 2, "20261104")
    assert (before.recover_s.value, after.recover_s.value) == (5.0, 9.0)


ROBOT = {"kind": "robot", "reaction_s": 0.2, "name": None, "role": None, "pace": "robot", "opened": []}
APART: dict[str, dict[str, Any]] = {
    "target": {"target": "compose"},
    "person": {"operator": {**ROBOT, "kind": "human", "name": "Sato", "pace": "person", "reaction_s": None}},
    "pace": {"operator": {**ROBOT, "pace": "person"}},
    "variant": {"variant": "mail"},
}


@pytest.mark.parametrize("what", APART)
def test_what_differs_by_intention_is_a_series_of_its_own(tmp_path: Path, what: str) -> None:
    keep(tmp_path, 0)
    keep(tmp_path, 1, **APART[what])
    keep(tmp_path, 2)
    found = history(tmp_path).series
    assert sorted(each.runs for each in found) == [1, 2]
    assert all(len(each.segments) == 1 for each in found)


def test_a_slower_robot_is_not_joined_with_a_quick_one(tmp_path: Path) -> None:
    keep(tmp_path, 0, operator=ROBOT)
    keep(tmp_path, 1, operator={**ROBOT, "reaction_s": 6.0})
    assert [each.because for each in only(tmp_path).segments] == [[], ["reaction"]]


def test_a_run_that_cannot_judge_counts_and_raises_nothing(tmp_path: Path) -> None:
    keep(tmp_path, 0, recover=5.0)
    keep(tmp_path, 1, which="invalid-unwitnessed", recover=0.1)
    found = only(tmp_path)
    assert (found.runs, found.passed, found.cannot_judge, found.last_verdict) == (2, 1, 1, "invalid")
    assert (found.segments[0].runs, found.segments[0].judged) == (2, 1)
    assert (found.segments[0].recover_s.n, found.last_recover_s) == (1, None)


def test_an_attempt_that_was_made_once_more_is_no_last_run(tmp_path: Path) -> None:
    void = keep(tmp_path, 0, which="invalid-unwitnessed")
    earlier = [{"run": void, "evidence": None, "verdict": "invalid", "causes": []}]
    second = keep(tmp_path, 0.001, earlier=earlier)
    assert (only(tmp_path).last_run, only(tmp_path).runs) == (second, 2)


def test_the_worst_comes_first(tmp_path: Path) -> None:
    keep(tmp_path, 0, drill="good")
    keep(tmp_path, 0, drill="thrown")
    keep(tmp_path, 1, drill="thrown", which="fail-objective", thrown_away=True)
    keep(tmp_path, 0, drill="open", which="unknown")
    keep(tmp_path, 0, drill="missed", which="fail-objective")
    keep(tmp_path, 0, drill="damaged", which="fail-integrity")
    assert [each.drill for each in history(tmp_path).series] == ["damaged", "missed", "open", "thrown", "good"]


def test_a_failed_run_that_was_thrown_away_stays_in_the_history(tmp_path: Path) -> None:
    keep(tmp_path, 0)
    thrown = keep(tmp_path, 1, which="fail-objective")
    shutil.rmtree(tmp_path / thrown)
    found = history(tmp_path)
    (lost,) = found.without_card
    assert (lost.run, lost.verdict, lost.who, lost.arm) == (thrown, "fail", "sato@host", "runbook")
    assert found.series[0].without_card == 1
    assert found.register_holds is True


def test_a_run_without_an_end_is_told_from_one_that_was_thrown_away(tmp_path: Path) -> None:
    keep(tmp_path, 0, thrown_away=True)
    lines = (tmp_path / REGISTER).read_text().splitlines(keepends=True)
    (tmp_path / REGISTER).write_text(lines[0])
    (lost,) = history(tmp_path).without_card
    assert lost.verdict is None


def test_other_arms_are_counted_and_runs_outside_the_register_too(tmp_path: Path) -> None:
    keep(tmp_path, 0)
    keep(tmp_path, 1, arm="no-action", which="fail-integrity")
    keep(tmp_path, 2, registered=False)
    found = history(tmp_path)
    assert (found.runs, found.others, found.unregistered) == (2, {"no-action": 1}, 1)
    assert len(history(tmp_path, lambda *_: True).series) == 2


def test_nothing_recovers_where_nothing_was_broken(tmp_path: Path) -> None:
    keep(tmp_path, 0, arm="no-fault", which="pass-no-fault")
    (series,) = history(tmp_path, lambda *_: True).series
    assert (series.segments[0].recover_s.n, series.segments[0].recover_s.never) == (0, 0)


def test_a_register_that_does_not_hold_is_said(tmp_path: Path) -> None:
    keep(tmp_path, 0, registered=False)
    assert history(tmp_path).register_holds is None
    keep(tmp_path, 1)
    text = (tmp_path / REGISTER).read_text()
    (tmp_path / REGISTER).write_text(text.replace("sato@host", "nobody@host"))
    assert history(tmp_path).register_holds is False
    assert trend((), Register((), ()), {}, lambda *_: True).series == []
