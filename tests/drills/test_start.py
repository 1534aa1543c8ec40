"""How the programs and our other processes begin: in whatever folder, with whatever environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from targets import children

BIN = Path(sys.executable).parent
EVERYDAY = ("drills", "targets", "faults", "loadprofiles", "reports", "compose")
LIBRARIES = ("locust", "yaml", "psycopg", "requests", "docker", "typer", "uvicorn", "gevent", "psutil", "runpy")
RAISES = "raise RuntimeError('imported from the folder of the user')\n"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder of somebody who has modules called like ours, like our libraries and like the standard library's."""
    folder = tmp_path / "my 訓練 folder"
    folder.mkdir()
    for name in (*EVERYDAY[:3], *LIBRARIES):
        (folder / f"{name}.py").write_text(RAISES)
    for name in EVERYDAY[3:]:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(RAISES)
    return folder


def call(folder: Path, *argv: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, "KUNREN_CACHE": str(folder / "cache"), **more}
    return subprocess.run(argv, cwd=folder, env=known, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "more",
    [
        {"PYTHONPATH": "."},
        {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "PYTHONINSPECT": ""},
        {"PROMETHEUS_MULTIPROC_DIR": "/nowhere", "LOCUST_HOST": "x", "LC_ALL": "xx_YY", "TZ": "nonsense"},
        {"PGSERVICE": "x", "HTTP_PROXY": "http://127.0.0.1:1", "SSL_CERT_FILE": "/nowhere", "DOCKER_TLS_VERIFY": ""},
    ],
    ids=lambda more: next(iter(more)),
)
def test_the_programs_import_nothing_of_the_users(hostile: Path, more: dict[str, str]) -> None:
    listed = call(hostile, BIN / "kunren", "list", "--json", **more)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert {row["drill"] for row in json.loads(listed.stdout)} >= {"night-batch-lock"}
    refused = call(
        hostile, BIN / "brokerctl", "--role", "viewer", "--env", "drill", "--stack", "nowhere", "status", **more
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("nowhere/config.json: No such file")


@pytest.mark.parametrize(
    ("module", "argv", "status", "said"),
    [
        ("loadprofiles.generator", ("1",), 2, ""),  # not started by that process: it leaves
        ("drills.execution.reaper", (".", "local", "/nowhere"), 0, ""),
        ("faults.proxy", ("--help",), 0, ""),
        ("targets.brokerage.launcher", ("/nowhere",), 1, "/nowhere/config.json"),
        ("targets.brokerage.brokerctl", ("--stack", "/nowhere"), 1, "arguments are required"),
        ("compose.images", ("--tag",), 0, ""),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_each_part_of_ours_imports_nothing_of_the_users(
    hostile: Path, module: str, argv: tuple[str, ...], status: int, said: str
) -> None:
    done = call(hostile, *children.python(module, *argv), PYTHONPATH=".", PYTHONWARNINGS="error", LOCUST_HOST="x")
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert "imported from the folder of the user" not in done.stderr


def test_any_module_of_ours_can_be_run_by_the_name_that_nobody_else_has(hostile: Path) -> None:
    done = call(hostile, sys.executable, "-P", "-m", "kunren_start", "compose.images", "--tag", PYTHONPATH=".")
    assert (done.returncode, len(done.stdout.strip())) == (0, 12), done.stderr


FOREIGN = """
import sys, types
sys.modules["reports"] = types.ModuleType("reports")
sys.modules["reports"].__file__ = "/elsewhere/reports/__init__.py"
import kunren_start
kunren_start.importable()
"""


def test_a_foreign_package_that_was_imported_before_is_said_in_one_line(tmp_path: Path) -> None:
    done = call(tmp_path, sys.executable, "-c", FOREIGN)
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("kunren: another package called 'reports' was imported first, from /elsewhere/reports/")
    assert "uv tool install" in line


def test_who_calls_us_from_python_has_our_packages_first(hostile: Path) -> None:
    code = "import sys; sys.path.insert(0, '.'); import kunren_start; kunren_start.importable(); import reports.texts"
    done = call(hostile, sys.executable, "-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_installation_without_its_packages_says_so(tmp_path: Path) -> None:
    copy = tmp_path / "kunren_start.py"
    copy.write_bytes((children.START.parent / "kunren_start.py").read_bytes())
    done = call(tmp_path, sys.executable, "-E", "-P", copy, "drills.cli")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"kunren: {tmp_path}/kunren_packages holds no packages of kunren: install it again\n"


HOOK = """\
target: notes
prepare: [["{python}", "-c", "import os, sys; sys.exit('PGHOST ' + os.environ['PGHOST'] + ' TZ ' + os.environ['TZ'])"]]
services: {web: {start: ["{python}", "-c", "0"], health: /}}
links: {front: {upstream: web}}
customers: front
loads: {reading: {pages: {get: /, rate: 20}}}
handshake: {service: web, path: /drill-target.json}
unsupported: [books, operator, alerts]
"""


def test_the_users_hooks_have_the_users_environment(tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text(HOOK)
    done = call(tmp_path, BIN / "kunren", "target", "up", "--target", "./target.yaml", PGHOST="theirs", TZ="UTC+3")
    assert "PGHOST theirs TZ UTC+3" in done.stderr
