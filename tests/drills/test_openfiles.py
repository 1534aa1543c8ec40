"""How many files a run keeps open, and that who checks and who runs look at the same numbers."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from drills.commands import doctor
from drills.commands.execution import possible
from drills.errors import MissingMeans
from drills.execution import openfiles
from drills.record.arm import Arm
from drills.spec.drill import load_drill
from drills.spec.request import RunRequest
from loadprofiles import PROFILES

KUNREN = Path(sys.executable).parent / "kunren"
DAY = PROFILES["day-session"]


def limited(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> list[tuple[int, int]]:
    """The limits of this machine; what was set is in the list."""
    chosen: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: chosen.append(limits))
    return chosen


def test_the_fullest_process_decides() -> None:
    coming_again = 60 * 4  # arrivals a second x seconds until a customer gives up
    assert openfiles.needed(DAY, 1) == 1500 + coming_again + openfiles.OWN
    assert openfiles.needed(DAY, 2) == 2 * (1500 + coming_again) + openfiles.OWN


def test_who_insists_and_who_comes_in_a_step_count_too() -> None:
    campaign = PROFILES["campaign"]
    assert openfiles.needed(campaign, 1) == 1500 + 18 * 5 * 5 + openfiles.OWN  # a first try and four more, 5 s each
    drill = load_drill("campaign-spike")
    assert openfiles.needed_by(drill, campaign, 2) == 2 * (1500 + (60 + 4 + 5) * 5 * 5) + openfiles.OWN


def test_run_and_doctor_refuse_below_the_same_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile, files = openfiles.largest(2)
    assert profile.name == "news"
    request = RunRequest(load_drill("campaign-spike.news"), Arm.parse("no-fault"), 7, tmp_path)
    limited(monkeypatch, 1024, files)
    assert possible(request) is request
    assert doctor._files().ok
    assert doctor._files().says.startswith(f"soft limit 1024, hard limit {files}; ")
    limited(monkeypatch, 1024, files - 1)
    with pytest.raises(MissingMeans) as refused:
        possible(request)
    says = f"1500 customers of load news take {files} open files in one process; soft limit 1024, hard limit"
    assert str(refused.value).startswith(f"{says} {files - 1} (raise it: ulimit -Hn {files} as root, ")
    assert not doctor._files().ok
    assert doctor._files().says == f"{says} {files - 1}"


@pytest.mark.parametrize(
    ("soft", "hard", "chosen"),
    [
        (1024, 524288, [(4000, 524288)]),
        (1024, resource.RLIM_INFINITY, [(4000, resource.RLIM_INFINITY)]),
        (1024, 2000, [(2000, 2000)]),
        (8192, 524288, []),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, []),
    ],
)
def test_the_soft_limit_is_raised_as_far_as_needed_and_allowed(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, chosen: list[tuple[int, int]]
) -> None:
    done = limited(monkeypatch, soft, hard)
    openfiles.provide(4000)
    assert done == chosen


def below(tmp_path: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """With a hard limit of 512."""
    whole = ["sh", "-c", 'ulimit -n 512 && exec "$0" "$@"', str(KUNREN), *argv]
    known = {**os.environ, "KUNREN_CACHE": str(tmp_path / "cache")}
    return subprocess.run(whole, cwd=tmp_path, env=known, capture_output=True, text=True, timeout=60, check=False)


def test_a_hard_limit_that_is_too_low_is_one_line_and_nothing_is_started(tmp_path: Path) -> None:
    files = openfiles.needed(DAY, 2)
    done = below(tmp_path, "run", "exchange-link-down")
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert (
        f"take {files} open files in one process; soft limit 512, hard limit 512 (raise it: ulimit -Hn {files}" in line
    )
    assert not list(tmp_path.glob("runs/*"))
    assert not list(tmp_path.glob("cache/*/*"))


def test_doctor_says_it_too(tmp_path: Path) -> None:
    done = below(tmp_path, "doctor", "--json")
    found = {each["what"]: each for each in json.loads(done.stdout)}["open files"]
    assert (done.returncode, found["ok"], found["needed"]) == (3, False, True)
    assert "hard limit 512" in found["says"]
