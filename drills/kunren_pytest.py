"""The pytest plugin, as pytest loads it: installed at top level as ``kunren_pytest``, beside ``kunren_start``.

Each arm of a ``drill.yaml`` is a test; ``drill`` is a fixture for tests in Python. Nothing of ours is imported before a
drill is collected or the fixture asked for, so that other tests of the same environment neither wait for it nor see it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kunren_start
import pytest

if TYPE_CHECKING:
    from drills.pytest_items import DrillFile

RECORDED = "run.json"
"""Beside a drill that was run lies what it was run as: a copy in a run folder is no test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the tests that are drills."""
    group = parser.getgroup("kunren", "disaster drills (kunren)")
    group.addoption("--kunren-target", default="local", metavar="NAME|FILE", help="system under drill; default: local")
    group.addoption("--kunren-seed", type=int, metavar="N", help="of all drills; default: drawn once, and said")
    group.addoption("--kunren-reaction", default="1s", metavar="TIME", help="how long the robot waits; default: 1s")
    group.addoption("--kunren-proxy", default="auto", metavar="auto|embedded|toxiproxy", help="default: auto")
    group.addoption("--kunren-runs", default="runs", metavar="FOLDER", help="folder of the runs; default: runs")


def pytest_configure(config: pytest.Config) -> None:
    """The seed of all drills, which workers of pytest-xdist have from who started them; the marker of a drill."""
    config.addinivalue_line("markers", "drill: an arm of a drill (kunren)")
    shared = getattr(config, "workerinput", {})
    config.option.kunren_seed_drawn = shared.get("kunren_seed_drawn", config.option.kunren_seed is None)
    if "kunren_seed" in shared:
        config.option.kunren_seed = shared["kunren_seed"]
    elif config.option.kunren_seed is None:
        config.option.kunren_seed = secrets.randbelow(1_000_000)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist."""
    node.workerinput["kunren_seed"] = node.config.option.kunren_seed
    node.workerinput["kunren_seed_drawn"] = node.config.option.kunren_seed_drawn


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> DrillFile | None:
    """``drill.yaml`` and its variants ``drill.NAME.yaml``, but for copies in the folders of runs."""
    if not _is_drill(file_path):
        return None
    kunren_start.importable()
    from drills.pytest_items import DrillFile

    found: DrillFile = DrillFile.from_parent(parent, path=file_path)
    return found


def pytest_report_collectionfinish(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    """Which system is drilled with which seed, where anything is."""
    if not any(item.get_closest_marker("drill") for item in items):
        return []
    seed = config.option.kunren_seed
    return [f"kunren: target {config.option.kunren_target}, seed {seed} (the same again: --kunren-seed {seed})"]


@pytest.fixture
def drill(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Run a drill: ``drill("exchange-link-down", arm="runbook")`` gives its ``RunResult`` (card, history, folder)."""
    kunren_start.importable()
    from drills.pytest_items import run_drill

    def run(name: str | Path, arm: str | None = None, **more: Any) -> Any:
        return run_drill(request.config, name, arm, **more)

    return run


def _is_drill(file: Path) -> bool:
    if file.suffix != ".yaml" or file.name.split(".")[0] != "drill" or (file.parent / RECORDED).exists():
        return False
    with file.open(encoding="utf-8", errors="replace") as lines:
        return any(line.startswith("drill:") for line in lines)
