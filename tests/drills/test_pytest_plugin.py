"""Drills as tests of pytest: what is collected, when an arm is green, and what is said where it is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import drills.pytest_items  # once for all: pytester forgets what its tests import, and numpy can be loaded only once

pytest_plugins = ["pytester"]

ROOT = Path(drills.pytest_items.__file__).parents[1]
DRILL = ROOT / "drills" / "catalogue" / "exchange-link-down"
GOLDEN = ROOT / "tests" / "golden"

CONFTEST = f"""
from pathlib import Path
import msgspec
from drills.api import RunResult
from drills.cards import judge
from drills.pytest_items import RUNNER

SHOWS = {{"runbook": "pass", "no-action": "pass", "no-fault": "invalid-killed", "false-alarm": "fail-objective"}}

def run(request, observers):
    with Path("asked").open("a") as file:
        print(request.drill.called, request.arm, request.seed, request.attempts, file=file)
    folder = Path({str(GOLDEN)!r}) / SHOWS.get(str(request.arm), "pass")
    card, history = judge(folder)
    card = msgspec.structs.replace(card, arm=str(request.arm), seed=request.seed)
    return RunResult(folder, card, history, None)

def pytest_configure(config):
    config.stash[RUNNER] = run
"""


@pytest.fixture
def folder(pytester: pytest.Pytester) -> pytest.Pytester:
    """A drill of one's own, and runs that show what the golden ones show."""
    shutil.copytree(DRILL, pytester.path / "drill", ignore=shutil.ignore_patterns("drill.*.yaml"))
    pytester.makeconftest(CONFTEST)
    return pytester


def asked(folder: pytest.Pytester) -> list[list[str]]:
    return [line.split() for line in (folder.path / "asked").read_text().splitlines()]


def test_an_item_an_arm_but_none_for_the_copy_in_a_run_folder(folder: pytest.Pytester) -> None:
    shutil.copytree(GOLDEN / "pass", folder.path / "runs" / "of" / "it")
    found = folder.runpytest("--collect-only", "-q")
    ids = [line for line in found.outlines if "::" in line]
    assert ids[:4] == [f"drill/drill.yaml::{arm}" for arm in ("no-fault", "false-alarm", "no-action", "runbook")]
    assert len(ids) == len(set(ids)) == 8
    assert not [line for line in ids if line.startswith("runs/")]


@pytest.mark.parametrize("marker", ["drill", "rkt-05", "F", "D3"])
def test_markers_are_its_sources_its_phase_and_its_fidelity(folder: pytest.Pytester, marker: str) -> None:
    done = folder.runpytest("--collect-only", "-q", "--strict-markers", "-m", marker, "-k", "runbook")
    done.stdout.fnmatch_lines(["drill/drill.yaml::runbook"])


def test_green_is_what_behaves_as_declared(folder: pytest.Pytester) -> None:
    done = folder.runpytest("drill/drill.yaml::runbook", "--kunren-seed", "7", "--junitxml=report.xml")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["kunren: target local, seed 7 (the same again: --kunren-seed 7)"])
    assert asked(folder) == [["exchange-link-down", "runbook", "7", "1"]]
    report = (folder.path / "report.xml").read_text()
    for part in ('name="arm" value="runbook"', 'name="seed" value="7"', 'name="verdict" value="pass"'):
        assert part in report


def test_a_fault_without_a_runbook_that_passes_is_red(folder: pytest.Pytester) -> None:
    done = folder.runpytest("drill/drill.yaml::no-action", "--kunren-seed", "7")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "exchange-link-down no-action passed: vacuous*",
            "seed 7; run *golden/pass*",
            "again: *--seed 7*",
            "*scorecard*",
        ]
    )
    assert "Traceback" not in done.stdout.str()


def test_what_differs_from_the_declaration_is_said(folder: pytest.Pytester) -> None:
    done = folder.runpytest("drill/drill.yaml::false-alarm", "--kunren-seed", "7")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["exchange-link-down false-alarm: fail (*); declared pass*", "red: *"])


def test_a_run_that_cannot_judge_is_made_once_more(folder: pytest.Pytester) -> None:
    done = folder.runpytest("drill/drill.yaml::no-fault", "--kunren-seed", "7")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["exchange-link-down no-fault could not judge, twice: nothing is shown of the drill; *"])
    assert [line[-1] for line in asked(folder)] == ["1", "2"]


def test_a_file_that_cannot_be_taken_is_said_with_its_line(folder: pytest.Pytester) -> None:
    file = folder.path / "drill" / "drill.yaml"
    file.write_text(file.read_text().replace("load: day-session", "load: no-such-load"))
    done = folder.runpytest()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*drill.yaml:*unknown load profile 'no-such-load'*"])
    assert "Traceback" not in done.stdout.str()


def test_the_seed_is_drawn_once_for_all_workers(folder: pytest.Pytester) -> None:
    folder.runpytest("drill", "-n", "2", "-k", "runbook or wrong", "-p", "no:cacheprovider")
    seeds = {line[2] for line in asked(folder)}
    assert len(asked(folder)) == 5
    assert len(seeds) == 1


def test_a_fixture_for_tests_in_python(folder: pytest.Pytester) -> None:
    folder.makepyfile(
        """
        def test_it(drill):
            result = drill("drill/drill.yaml", arm="runbook", seed=3)
            assert (result.card.verdict, result.card.seed) == ("pass", 3)

        def test_another(drill):
            drill("no-such-drill")
        """
    )
    done = folder.runpytest("-k", "test_it or test_another")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*unknown drill 'no-such-drill'*"])


def test_who_has_no_drill_sees_nothing_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import sys\ndef test_it(): assert 'drills.pytest_items' not in sys.modules")
    (pytester.path / "drill.yaml").write_text("some: other file\n")
    done = pytester.runpytest_subprocess()
    done.assert_outcomes(passed=1)
    assert "kunren:" not in done.stdout.str()
