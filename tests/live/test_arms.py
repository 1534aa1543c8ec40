"""Every drill without a runbook and with the right one, on processes; beside them what has its turn (``rotation``).

Each ends as the drill declares: verdict, grade and the red checks named. Seeds are fixed; ``make gates`` has all arms.
"""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from targets.brokerage.operations.tool import TOOL
from targets.registry import runtime

from ..targets.shapes import misfits, recorded
from . import rotation
from .rig import BIN
from .rotation import Turn

pytestmark = pytest.mark.arms

LOCAL, COMPOSE = "local", "compose"
HERE, THERE = rotation.of_commit(rotation.number())


@pytest.fixture(scope="module", autouse=True)
def _every_target_can_be_had() -> None:
    for name in (LOCAL, COMPOSE):
        lacks = runtime(name).lacking("auto")
        if lacks:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name}: {'; '.join(lacks)}")


def verified(target: str, turn: Turn, runs: Path) -> dict[str, Any]:
    runs.mkdir(exist_ok=True)
    argv = [BIN / "kunren", "verify", turn.drill, "--arm", turn.arm, "--seed", "7", "--target", target, "--quiet"]
    done = subprocess.run(
        [*argv, "--runs", runs, "--json", "-"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout, done.stderr
    row: dict[str, Any] = json.loads(done.stdout)["rows"][0]
    assert row["as_declared"], f"on {target}: {row['says']}\n{done.stderr}"
    print(f"{turn.drill} {turn.arm} on {target}: {row['verdict']} {row['grade']} recover {row['metrics']['recover']}")
    return row


@pytest.mark.parametrize("drill", rotation.drills())
def test_every_drill_without_a_runbook_and_with_it(drill: str, tmp_path: Path) -> None:
    """Both at once, and begun together: so neither is being prepared, which keeps processors busy, while the other one
    is watched.
    """
    with ThreadPoolExecutor(len(rotation.ALWAYS)) as pool:
        found = pool.map(lambda arm: verified(LOCAL, Turn(drill, arm), tmp_path / arm), rotation.ALWAYS)
        rows = dict(zip(rotation.ALWAYS, found, strict=True))
    replies = list(recorded(tmp_path / rotation.RUNBOOK / rows[rotation.RUNBOOK]["run"], TOOL))
    assert replies
    assert [misfit for command, reply in replies for misfit in misfits(command.reply, reply)] == []


@pytest.mark.parametrize("turn", [HERE], ids=" ".join)
def test_what_has_its_turn_on_processes(turn: Turn, tmp_path: Path) -> None:
    verified(LOCAL, turn, tmp_path)


@pytest.mark.parametrize("turn", [THERE], ids=" ".join)
def test_what_has_its_turn_in_containers(turn: Turn, tmp_path: Path) -> None:
    verified(COMPOSE, turn, tmp_path)
