"""``kunren compare``: which runs it takes, what it refuses, and that it starts nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drills.commands.app import app
from drills.errors import Refused

from ..reports.cards import as_json, failed, passed


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name, document in (
        ("20261122T100600.250Z-runbook-7", passed()),
        ("20261122T100700.250Z-no-action-7", failed()),
    ):
        folder = tmp_path / "exchange-link-down" / name
        folder.mkdir(parents=True)
        (folder / "scorecard.json").write_bytes(as_json(document))
    return tmp_path


def test_runs_are_named_by_prefixes_and_the_worst_comes_first(runs: Path) -> None:
    words = ["compare", "exchange-link-down/20261122T1006", "last", "--runs", str(runs)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert done.output.index("FAILED") < done.output.index("PASSED")


def test_as_json_on_stdout(runs: Path) -> None:
    words = ["compare", "20261122T1006", "last", "--runs", str(runs), "--json", "-"]
    done = CliRunner().invoke(app, words)
    assert [each["verdict"] for each in json.loads(done.stdout)["worst_first"]] == ["fail", "pass"]


def test_one_run_alone_is_refused(runs: Path) -> None:
    for refs in (["last"], ["last", "20261122T1007"]):
        done = CliRunner().invoke(app, ["compare", *refs, "--runs", str(runs)])
        assert isinstance(done.exception, Refused)
