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
AT_TOP = ("drills/kunren_start.py", "drills/kunren_pytest.py")
"""The modules at top level."""
GUARD_S = 600.0


def call(*argv: str | Path, cwd: str | Path = "/", **more: str) -> subprocess.CompletedProcess[str]:
    """From ``/``, and blind for the checkout and for the venv that runs the tests."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "KUNREN_STACK")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        argv, cwd=cwd, env={**environment, **more}, capture_output=True, text=True, timeout=GUARD_S, check=False
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
    """Where whatever lies in the packages goes, but for what Python makes itself."""
    files = (file for package in PACKAGES for file in (CHECKOUT / package).rglob("*") if file.is_file())
    mine = (file.relative_to(CHECKOUT).as_posix() for file in files if "__pycache__" not in file.parts)
    return {Path(file).name if file in AT_TOP else f"kunren_packages/{file}" for file in mine}


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
        "targets/brokerage/gateway/rules.yml",
        "compose/compose.yaml",
        "compose/brokerage.Dockerfile",
    ):
        assert f"kunren_packages/{data}" in names


def test_a_wheel_made_from_the_source_archive_holds_the_same(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip(python, "install", "hatchling")
    built = call(python, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=CHECKOUT)
    assert built.returncode == 0, built.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    pip(python, "wheel", "--no-deps", "-w", tmp_path / "again", archive)
    (again,) = (tmp_path / "again").glob("*.whl")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert set(one.namelist()) == set(other.namelist())


def test_an_editable_installation_has_no_copy_that_could_be_out_of_date(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    pip(tmp_path / "venv" / "bin" / "python", "install", "--no-deps", "--editable", CHECKOUT)
    (packages,) = tmp_path.glob("venv/lib/python3*/site-packages")
    ours = {path.name for path in packages.iterdir() if "kunren" in path.name}
    assert {name for name in ours if not name.endswith(".dist-info")} == {
        "kunren_start.py",
        "kunren_pytest.py",
        "_kunren.pth",
    }
    where = "import kunren_start; print(kunren_start.packages())"
    assert call(tmp_path / "venv" / "bin" / "python", "-c", where).stdout == f"{CHECKOUT}\n"


def test_it_is_not_the_checkout_that_answers(installed: Path) -> None:
    where = "import kunren_start; kunren_start.importable(); import drills, targets; print(drills.__file__)"
    done = call(installed / "python", "-c", where)
    assert done.stdout.startswith(str(installed.parent)), done.stdout + done.stderr
    assert "/kunren_packages/drills/" in done.stdout


def test_the_everyday_names_are_left_to_others(installed: Path) -> None:
    code = f"from importlib.util import find_spec; print([name for name in {PACKAGES} if find_spec(name)])"
    assert call(installed / "python", "-c", code).stdout == "[]\n"


def test_it_runs_a_drill_from_a_folder_full_of_modules_of_the_same_names(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my 訓練 folder"
    (folder / "reports").mkdir(parents=True)
    for name in ("locust.py", "drills.py", "faults.py", "psycopg.py", "reports/__init__.py"):
        (folder / name).write_text("raise RuntimeError('of the user')\n")
    nonsense = {
        "PYTHONPATH": ".", "PYTHONWARNINGS": "error", "HTTP_PROXY": "http://127.0.0.1:1", "TZ": "nonsense",
        "LC_ALL": "xx_YY", "PGHOST": "127.0.0.9", "PGOPTIONS": "-c nonsense=1", "PGSERVICE": "nowhere",
        "PROMETHEUS_MULTIPROC_DIR": "/nowhere", "LOCUST_HOST": "http://127.0.0.1:1", "KUNREN_CACHE": "cache",
    }  # fmt: skip
    argv = ("run", "exchange-link-down", "--arm", "no-fault", "--seed", "7", "--json", "-", "--quiet")
    done = call(installed / "kunren", *argv, cwd=folder, **nonsense)
    card = json.loads(done.stdout)
    ended = [check for check in card["checks"] if check["id"] in ("run-ended", "history-whole")]
    assert [check["verdict"] for check in ended] == ["pass", "pass"], done.stderr
    assert "of the user" not in "".join(log.read_text() for log in folder.glob("runs/*/*/logs/*.log"))


def test_list(installed: Path) -> None:
    done = call(installed / "kunren", "list", "--json")
    assert done.returncode == 0, done.stderr
    names = [row["drill"] for row in json.loads(done.stdout)]
    assert "exchange-link-down" in names
    assert set(names) >= {path.parent.name for path in (CHECKOUT / "drills" / "catalogue").glob("*/drill.yaml")}


def test_lint_reads_every_file_of_the_catalogue(installed: Path) -> None:
    done = call(installed / "kunren", "lint")
    *notes, last = done.stdout.splitlines()
    assert (done.returncode, last) == (0, "drills and runbooks: nothing to complain about"), done.stderr
    assert notes, "the catalogue's wrong variants have some"
    assert all(": note: " in note for note in notes)


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
