"""A real drill, end to end: real PostgreSQL, real processes, real load, a link really cut. Other arms: ``test_arms``.

Asserts order, counts and state only; how long things take belongs to the benchmarks. Seeds are fixed here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from targets.brokerage.operations.tool import TOOL

from ..targets.shapes import misfits, recorded

pytestmark = pytest.mark.live

KUNREN = str(Path(sys.executable).parent / "kunren")
ARGV = ("run", "exchange-link-down", "--seed", "7", "--retry-invalid", "1", "--json", "-")
"""By the right runbook; an invalid run is run once more, as the rules allow."""


class Ended(NamedTuple):
    """How a run ended: where it was begun, exit code, card, what people were shown."""

    place: Path
    code: int
    card: dict[str, Any]
    shown: str


def kunren(*argv: str, cwd: Path, timeout: float = 150) -> subprocess.CompletedProcess[str]:
    return subprocess.run([KUNREN, *argv], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)


def run(place: Path, *more: str) -> Ended:
    done = kunren(*ARGV, *more, cwd=place)
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    return Ended(place, done.returncode, document["cards"][-1] if "cards" in document else document, done.stderr)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return run(tmp_path_factory.mktemp("drill"))


def value(card: dict[str, Any], metric: str) -> Any:
    return next(cell["value"] for one in card["metrics"] if one["id"] == metric for cell in one["values"])


def test_the_right_runbook_recovers(ended: Ended) -> None:
    card, folder = ended.card, ended.place / "runs" / ended.card["run"]
    assert (card["verdict"], card["grade"]) == ("pass", "performed"), ended.shown
    assert ended.code == 0
    assert value(card, "acknowledged_orders_lost") == 0
    assert card["heal"] == {"injected": 1, "undone": 1, "verified_removed": 1}
    assert {path.name for path in ended.place.iterdir()} == {"runs"}
    replies = list(recorded(folder, TOOL))
    assert len(replies) == len(card["runbook"]["steps"])
    assert [misfit for command, reply in replies for misfit in misfits(command.reply, reply)] == []


def test_the_card_is_the_same_from_the_folder_alone(ended: Ended) -> None:
    card, folder = ended.card, ended.place / "runs" / ended.card["run"]
    before = (folder / "scorecard.json").read_bytes()
    done = kunren("check", "last", "--evidence", "--json", "-", cwd=ended.place)
    assert json.loads(done.stdout) == card
    assert (folder / "scorecard.json").read_bytes() == before
    assert done.returncode == {"pass": 0, "fail": 1}.get(card["verdict"], 2)
