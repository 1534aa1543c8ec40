"""The same drills, arms and pages on processes and on containers: the same verdict, as the drill declares it.

Asserts verdicts, grades and the red checks that are declared. Seeds are fixed; ``make gates`` has the other arms.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from targets.registry import RUNTIMES, runtime

from .rig import BIN

pytestmark = pytest.mark.arms

SHOWN = [
    ("exchange-link-down", "no-action"),
    ("exchange-link-down", "runbook"),
    ("exchange-link-down", "wrong:reopen-before-reconcile"),
    ("night-batch-lock", "no-action"),
    ("night-batch-lock", "runbook"),
    ("night-batch-lock", "wrong:reopen-early"),
]
ON_PROCESSES = [("log-volume-exhaustion", "runbook"), ("log-volume-exhaustion", "wrong:log-emptied")]
"""For time's sake; the gates have them on both."""


@pytest.fixture(scope="module", autouse=True)
def _every_target_can_be_had() -> None:
    for name in RUNTIMES:
        lacks = runtime(name).lacking("auto")
        if lacks:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name}: {'; '.join(lacks)}")


def verified(target: str, drill: str, arm: str, runs: Path) -> dict[str, Any]:
    argv = [BIN / "kunren", "verify", drill, "--arm", arm, "--seed", "7", "--target", target, "--quiet"]
    done = subprocess.run(
        [*argv, "--runs", runs, "--json", "-"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout, done.stderr
    row: dict[str, Any] = json.loads(done.stdout)["rows"][0]
    assert row["as_declared"], f"on {target}: {row['says']}\n{done.stderr}"
    return row


@pytest.mark.parametrize(("drill", "arm"), SHOWN)
def test_an_arm_ends_the_same_on_every_target(drill: str, arm: str, tmp_path: Path) -> None:
    rows = {target: verified(target, drill, arm, tmp_path / target) for target in RUNTIMES}
    assert len({(row["verdict"], row["grade"]) for row in rows.values()}) == 1, rows
    for target, row in rows.items():
        print(f"{drill} {arm} on {target}: {row['verdict']} {row['grade']} recover {row['metrics']['recover']}")


@pytest.mark.parametrize(("drill", "arm"), ON_PROCESSES)
def test_an_arm_ends_as_declared_on_processes(drill: str, arm: str, tmp_path: Path) -> None:
    verified("local", drill, arm, tmp_path)
