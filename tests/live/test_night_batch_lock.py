"""The night batch against the evening's customers, end to end: real locks, real jobs, real customers who repay.

Asserts order, counts and state only. Seeds are fixed here; ``make gates`` has the other arms and drawn seeds.
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

pytestmark = pytest.mark.long

KUNREN = str(Path(sys.executable).parent / "kunren")
DRILL = "night-batch-lock"


def run(arm: str, seed: int, cwd: Path) -> tuple[int, dict[str, Any], str]:
    """Exit code, card, what people were shown; an invalid run is run once more, as the rules allow."""
    argv = [KUNREN, "run", DRILL, "--arm", arm, "--seed", str(seed), "--retry-invalid", "1", "--json", "-"]
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def red(card: dict[str, Any]) -> set[str]:
    return {each["id"] for each in (*card["checks"], *card["objectives"]) if each["verdict"] == "fail"}


def test_the_right_runbook_recovers(tmp_path: Path) -> None:
    code, card, shown = run("runbook", 7, tmp_path)
    assert (code, card["verdict"], card["grade"]) == (0, "pass", "performed"), shown
    assert card["heal"] == {"injected": 1, "undone": 1, "verified_removed": 1}
    assert [step["outcome"] for step in card["runbook"]["steps"]] == ["ok"] * len(card["runbook"]["steps"])
    replies = list(recorded(tmp_path / "runs" / card["run"], TOOL))
    assert len(replies) == len(card["runbook"]["steps"])
    assert [misfit for command, reply in replies for misfit in misfits(command.reply, reply)] == []


def test_no_fault_is_clean(tmp_path: Path) -> None:
    code, card, shown = run("no-fault", 7, tmp_path)
    assert (code, card["verdict"], card["alerts"]) == (0, "pass", []), shown


def test_early_opening_is_caught_by_the_customers(tmp_path: Path) -> None:
    code, card, shown = run("wrong:reopen-early", 7, tmp_path)
    assert (code, card["verdict"]) == (1, "fail"), shown
    assert "no-wrong-figure-acted-on" in red(card)
    assert "cash-conserved" not in red(card), "the database agrees with itself"
