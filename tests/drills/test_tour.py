"""``make tour``: what it runs is there, it says first how long it takes, and it ends with the comparison."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from drills.spec.drill import load_drill
from drills.spec.planning import arms_of

ROOT = Path(__file__).parents[2]


def variable(name: str) -> list[str]:
    (found,) = re.findall(rf"^{name} :?\??= ?(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return str(found).split()


def test_its_arms_are_arms_of_its_drill() -> None:
    (drill,) = variable("TOUR")
    nobody, wrong, right = variable("TOUR_ARMS")
    assert (nobody, wrong.partition(":")[0], right) == ("no-action", "wrong", "runbook")
    assert {nobody, wrong, right} <= set(map(str, arms_of(load_drill(drill))))


def test_it_says_how_long_it_takes_and_ends_with_the_comparison() -> None:
    argv = ["make", "--no-print-directory", "--dry-run", "--always-make", "--old-file=.venv/.installed", "tour"]
    said = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    lines = said.strip().splitlines()
    assert "minutes" in lines[0]
    assert "kunren compare" in lines[-1]
