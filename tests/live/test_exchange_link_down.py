"""A real drill, end to end: real PostgreSQL, real processes, real load, a link really cut.

Asserts order, counts and state only; how long things take belongs to the benchmarks. Seeds are fixed here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from targets.brokerage.operations.tool import TOOL

from ..targets.shapes import misfits, recorded

pytestmark = pytest.mark.live

KUNREN = str(Path(sys.executable).parent / "kunren")
DRILL = "exchange-link-down"


def kunren(*argv: str, cwd: Path, timeout: float = 150) -> subprocess.CompletedProcess[str]:
    return subprocess.run([KUNREN, *argv], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)


def run(arm: str, seed: int, cwd: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, card, what people were shown; an invalid run is run once more, as the rules allow."""
    done = kunren(
        "run", DRILL, "--arm", arm, "--seed", str(seed), "--retry-invalid", "1", "--json", "-", *more, cwd=cwd
    )
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    return done.returncode, document["cards"][-1] if "cards" in document else document, done.stderr


def red(card: dict[str, Any]) -> set[str]:
    return {each["id"] for each in (*card["checks"], *card["objectives"]) if each["verdict"] == "fail"}


def value(card: dict[str, Any], metric: str) -> Any:
    return next(cell["value"] for one in card["metrics"] if one["id"] == metric for cell in one["values"])


def test_the_right_runbook_recovers(tmp_path: Path) -> None:
    code, card, shown = run("runbook", 7, tmp_path)
    assert (card["verdict"], card["grade"]) == ("pass", "performed"), shown
    assert code == 0
    assert value(card, "acknowledged_orders_lost") == 0
    assert card["heal"] == {"injected": 1, "undone": 1, "verified_removed": 1}
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}
    replies = list(recorded(tmp_path / "runs" / card["run"], TOOL))
    assert len(replies) == len(card["runbook"]["steps"])
    assert [misfit for command, reply in replies for misfit in misfits(command.reply, reply)] == []


def test_nobody_acts(tmp_path: Path) -> None:
    code, card, shown = run("no-action", 7, tmp_path)
    assert (code, card["verdict"], card["grade"]) == (1, "fail", "unable"), shown
    assert value(card, "detect") is not None
    assert value(card, "recover") is None


def test_a_wrong_page_is_caught_by_the_books(tmp_path: Path) -> None:
    code, card, shown = run("wrong:switch-without-gap-fill", 7, tmp_path)
    assert (code, card["verdict"]) == (1, "fail"), shown
    assert "executions-one-to-one" in red(card)


def test_the_card_is_the_same_from_the_folder_alone(tmp_path: Path) -> None:
    _, card, _ = run("false-alarm", 7, tmp_path)
    folder = tmp_path / "runs" / card["run"]
    before = (folder / "scorecard.json").read_bytes()
    done = kunren("check", "last", "--evidence", "--json", "-", cwd=tmp_path)
    assert json.loads(done.stdout) == card
    assert (folder / "scorecard.json").read_bytes() == before
    assert done.returncode == {"pass": 0, "fail": 1}.get(card["verdict"], 2)
