"""What the operator does follows from the rules alone: a wrong link costs, and where no alert comes he does nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from drills.judge.scorecard import Scorecard

ROOT = Path(__file__).parents[2]
PACKAGES = ("drills", "targets", "faults", "loadprofiles", "reports", "compose")
WITHIN_S = 300
Change = Callable[[Path], None]


def leads_astray(rules: Path) -> None:
    """The cause's alert of this drill links to the night's runbook."""
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("runbook: exchange-link-down", "runbook: night-batch-lock"), encoding="utf-8")


def says_nothing(rules: Path) -> None:
    """No alert of this component or of the api is ever more than pending."""
    for file in (rules, rules.parents[1] / "api" / rules.name, rules.parents[1] / "batch" / rules.name):
        file.write_text(file.read_text(encoding="utf-8").replace("> ", "> 1e9 # "), encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], Scorecard]:
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))

    def carried_out(change: Change) -> Scorecard:
        """With a copy of the packages in which the rules are different, and nothing else."""
        for name in PACKAGES:
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        change(tmp_path / "targets" / "brokerage" / "gateway" / "rules.yml")
        argv = [sys.executable, "-E", "-P", "drills/start.py", "drills.cli", "run", "exchange-link-down", "--quiet"]
        done = subprocess.run(
            [*argv, "--runs", "runs", "--json", "card.json"],
            cwd=tmp_path,
            timeout=WITHIN_S,
            capture_output=True,
            text=True,
        )
        assert (tmp_path / "card.json").exists(), done.stderr
        return msgspec.json.decode((tmp_path / "card.json").read_bytes(), type=Scorecard)

    return carried_out


@pytest.mark.long
def test_a_wrong_link_costs(run: Callable[[Change], Scorecard]) -> None:
    card = run(leads_astray)
    first, *_ = card.operator.opened
    assert (first.runbook, first.ended) == ("night-batch-lock", "refused")
    assert (card.number("runbooks_before_right") or 0) >= 1
    assert (card.number("before_right_s") or 0) > 1  # at least one more reaction


@pytest.mark.long
def test_where_no_alert_comes_nobody_does_anything(run: Callable[[Change], Scorecard]) -> None:
    card = run(says_nothing)
    assert (card.operator.opened, card.runbook, card.verdict) == ([], None, "fail")
