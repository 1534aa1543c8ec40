"""What a user gets: the wheel, in a venv of its own, called from a folder that is not the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long  # needs the package index and about a minute

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("drills", "targets", "faults", "loadprofiles", "reports", "compose")
GUARD_S = 600.0


def call(*argv: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """From ``/``, and blind for the checkout and for the venv that runs the tests."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "KUNREN_STACK")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        argv, cwd="/", env={**environment, **more}, capture_output=True, text=True, timeout=GUARD_S, check=False
    )


def pip(python: str | Path, *argv: str | Path) -> None:
    done = call(python, "-m", "pip", "--quiet", "--disable-pip-version-check", *argv)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "--no-deps", "-w", folder, CHECKOUT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home, with_pip=True)
    pip(home / "bin" / "python", "install", wheel)
    return home / "bin"


def shipped() -> set[str]:
    """Whatever lies in the packages, but for what Python makes itself."""
    files = (file for package in PACKAGES for file in (CHECKOUT / package).rglob("*") if file.is_file())
    return {file.relative_to(CHECKOUT).as_posix() for file in files if "__pycache__" not in file.parts}


def test_everything_in_the_packages_is_in_the_wheel_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == shipped()
    for data in (
        "drills/catalogue/exchange-link-down/drill.yaml",
        "drills/catalogue/exchange-link-down/wrong.yaml",
        "targets/brokerage/schema.sql",
        "targets/brokerage/sql/posting.sql",
        "targets/brokerage/phases.yaml",
        "targets/brokerage/monitor/rules.yml",
    ):
        assert data in names


def test_it_is_not_the_checkout_that_answers(installed: Path) -> None:
    done = call(installed / "python", "-c", "import drills, targets; print(drills.__file__, targets.__file__)")
    assert all(str(installed.parent) in where for where in done.stdout.split()), done.stdout + done.stderr


def test_list(installed: Path) -> None:
    done = call(installed / "kunren", "list", "--json")
    assert done.returncode == 0, done.stderr
    names = [row["drill"] for row in json.loads(done.stdout)]
    assert "exchange-link-down" in names
    assert set(names) >= {path.parent.name for path in (CHECKOUT / "drills" / "catalogue").glob("*/drill.yaml")}


def test_lint_reads_every_file_of_the_catalogue(installed: Path) -> None:
    done = call(installed / "kunren", "lint")
    assert (done.returncode, done.stdout) == (0, "drills and runbooks: nothing to complain about\n"), done.stderr


def test_schema(installed: Path) -> None:
    done = call(installed / "kunren", "schema", "drill")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["$schema"].startswith("https://json-schema.org/")


def test_runbook_in_japanese_whatever_the_locale(installed: Path) -> None:
    done = call(installed / "kunren", "runbook", "show", "exchange-link-down", "--lang", "ja", LC_ALL="C.UTF-8")
    assert done.returncode == 0, done.stderr
    assert "取引所" in done.stdout
    plain = call(installed / "kunren", "runbook", "show", "exchange-link-down", "--lang", "ja", LC_ALL="C")
    assert (plain.returncode, plain.stdout) == (0, done.stdout), plain.stderr


def test_doctor_finds_the_binaries_that_came_along(installed: Path, tmp_path: Path) -> None:
    done = call(installed / "kunren", "doctor", "--json", KUNREN_CACHE=str(tmp_path / "cache"))
    findings = {each["what"]: each for each in json.loads(done.stdout)}
    assert findings["PostgreSQL"]["ok"], findings["PostgreSQL"]
    assert str(installed.parent) in findings["PostgreSQL"]["says"]


def test_brokerctl(installed: Path) -> None:
    done = call(installed / "brokerctl", "--help")
    assert done.returncode == 0, done.stderr
    assert "--role ROLE" in done.stdout
    refused = call(installed / "brokerctl", "--role", "viewer", "--env", "drill", "status")
    assert refused.returncode == 2
    assert "no stack is named" in refused.stderr
