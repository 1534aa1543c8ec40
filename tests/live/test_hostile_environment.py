"""Every sort of process of ours, really started, where folder and environment are full of what is meant for others."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from drills.execution.reaper import Reaper
from loadprofiles import PROFILES
from loadprofiles.process import Load
from targets.brokerage.topology import TOPOLOGY
from targets.embedded import EMBEDDED
from targets.keeper import stat
from targets.runtime import Request
from targets.stack import Stack

NONSENSE = {
    "PYTHONPATH": ".", "PYTHONHOME": "/nowhere", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "TZ": "nonsense",
    "LC_ALL": "xx_YY", "LC_MESSAGES": "ja_JP", "HTTP_PROXY": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1",
    "PGHOST": "127.0.0.9", "PGHOSTADDR": "127.0.0.9", "PGOPTIONS": "-c nonsense=1", "PGSERVICE": "nowhere",
    "PGSSLMODE": "require", "PGDATA": "/nowhere", "PROMETHEUS_MULTIPROC_DIR": "/nowhere", "LOCUST_HOST": "nonsense",
    "GEVENT_LOOP": "nonsense", "WEB_CONCURRENCY": "nonsense", "UVICORN_PORT": "1", "SSL_CERT_FILE": "/nowhere",
    "REQUESTS_CA_BUNDLE": "/nowhere", "LD_PRELOAD": "",
}  # fmt: skip
NAMES = ("locust", "drills", "faults", "targets", "psycopg", "uvicorn", "gevent")


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my 訓練 folder"
    (folder / "reports").mkdir(parents=True)
    for name in (*NAMES, "reports/__init__"):
        (folder / f"{name}.py").write_text("raise RuntimeError('of the user')\n")
    monkeypatch.chdir(folder)
    for name, value in NONSENSE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KUNREN_CACHE", "cache")
    return folder


def environment(pid: int) -> set[str]:
    """The names in it; where root may not read them (without CAP_SYS_PTRACE), as the user that the database has."""
    process = psutil.Process(pid)
    try:
        return set(process.environ())
    except psutil.AccessDenied:
        if os.getuid() != 0:
            raise
        user = [f"--reuid={process.uids().real}", f"--regid={process.gids().real}", "--clear-groups"]
        may = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        argv = ["setpriv", *user, *may, "cat", f"/proc/{pid}/environ"]
        told = subprocess.run(argv, capture_output=True, check=True).stdout
        return {each.partition(b"=")[0].decode() for each in told.split(b"\0")}


def mislead(pid: int) -> set[str]:
    """What of the nonsense a process has in its environment."""
    try:
        return set(NONSENSE) & environment(pid)
    except (psutil.Error, subprocess.CalledProcessError):
        if stat(pid) is None:  # it has ended: a command of the operator's, a worker of the database
            return set()
        raise


@pytest.mark.live
def test_none_of_our_processes_is_misled(hostile: Path) -> None:
    logs = Path("run") / "logs"
    logs.mkdir(parents=True)
    target = EMBEDDED.make(Request("a/run", 7, "D3", None, 60, logs, "embedded"))
    load = Load(
        PROFILES["day-session"], Path("work"), seed=7, world=Path("world.jsonl"), password=target.password, max_s=30
    )
    reaper = Reaper(Path("run"), target.intent(), target.lifelines())
    try:
        with load:
            load.start()
            load._await("imported", time.monotonic() + 60, None)
            with target:
                assert isinstance(target, Stack)
                assert all(service.healthy for service in target.services().values())
                assert target.run_command(("brokerctl", "status"), "viewer", 20).exit == 0
                assert len(list(target.book("oms"))) == PROFILES["day-session"].customers  # nobody has ordered yet
                inside = [each.pid for each in psutil.Process().children(recursive=True)]
                assert len(inside) >= len(TOPOLOGY.services) + 4  # and launcher, proxy, generator, reaper
                # the reaper has the whole, for the hooks of a target file, and sheds it for itself
                told = {pid for pid in inside if mislead(pid)}
                assert told == {reaper._process.pid}
    finally:
        reaper.dismiss()
    assert reaper._process.returncode == 0
    assert not (logs / "reaper.log").read_text()
    assert "of the user" not in "".join(log.read_text() for log in logs.glob("*.log"))
    assert Path("cache/stacks").is_dir()
