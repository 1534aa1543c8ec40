"""The history in a terminal: what it says, in both languages, and what it never says."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from drills.archive.index import indexed
from drills.archive.medians import Median
from drills.archive.trends import trend
from drills.record.register import read_register
from reports.texts import Lang
from reports.trends import print_trend, shown_median
from tests.drills.kept import keep


def printed(runs: Path, lang: Lang = "en", width: int = 140) -> str:
    found = indexed(runs)
    history = trend(found.rows, read_register(runs), found.unread, lambda _, arm: arm == "runbook")
    out = Console(file=io.StringIO(), width=width, highlight=False)
    print_trend(out, history, "runs", lang)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def filled(runs: Path) -> Path:
    for day in range(6):
        keep(runs, day, recover=5.0 + day)
    keep(runs, 6, recover=9.0, limit=99)
    keep(runs, 7, which="fail-objective", drill="night-lock", recover=8.5)
    keep(runs, 8, arm="no-action", which="fail-integrity")
    shutil.rmtree(runs / keep(runs, 9, which="fail-objective"))
    keep(
        runs,
        10,
        operator={"kind": "human", "reaction_s": None, "name": "S", "role": "r", "pace": "person", "opened": []},
    )
    return runs


def test_it_says_all_of_it(tmp_path: Path) -> None:
    said = printed(filled(tmp_path))
    rows = said.splitlines()
    assert rows[0] == "9 runs of 2 drills, the worst first"
    assert re.match(r"night-lock +failed \(major challenges\) 2026-11-08 +0/1 +8\.5 s, 1 run +4 s", rows[2])
    assert re.search(r"^link-down \(a person\) +passed", said, re.MULTILINE)
    assert "link-down: since 2026-11-07: its limits changed; before: 7.5 s [5.0–10.0], 6 runs" in said
    assert re.search(
        r"started, no card: 1\n  link-down/20261110T\S+  by sato@host: thrown away; the register says failed", said
    )
    assert "not shown: no-action 1 (--arm ARM, or --arm all)" in said
    assert "register: the chain holds" in said
    assert "improv" not in said.lower()


def test_it_says_it_in_japanese(tmp_path: Path) -> None:
    said = printed(filled(tmp_path), "ja")
    assert "2026-11-07 から条件変更（上限値）。変更前は 7.5 s [5.0–10.0]（6 件）" in said
    assert "登録簿上の結果は不合格" in said
    assert not re.search(r"\b(since|passed|median|register|changed)\b", said)


def test_a_folder_without_runs(tmp_path: Path) -> None:
    assert printed(tmp_path) == "no run with a card in runs\nregister: there is none\n"


@pytest.mark.parametrize(
    ("found", "en"),
    [
        (Median(0, None), "–"),
        (Median(1, 5.25), "5.2 s, 1 run"),
        (Median(3, 5.0, None, None, 1), "5.0 s, 3 runs, too few for an interval; 1 of 3 not recovered"),
        (Median(3, None, None, None, 2), "not recovered, 3 runs, too few for an interval; 2 of 3 not recovered"),
        (Median(9, 5.0, 4.0, 6.0), "5.0 s [4.0–6.0], 9 runs"),
        (Median(9, 5.0, 4.0, None, 2), "5.0 s [4.0–not at all], 9 runs"),
    ],
)
def test_medians(found: Median, en: str) -> None:
    assert shown_median(found, "en") == en
