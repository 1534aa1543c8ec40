"""PostgreSQL for root: in a user namespace, and where that is forbidden as another user."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from targets.brokerage import postgres
from targets.keeper import stat
from targets.ports import accepts, claim_block

from .test_keeper import until

WAYS = {"namespace": postgres.NAMESPACE, "other user": postgres.OTHER_USER}

PARENT = """
import ctypes, subprocess, sys
process = subprocess.Popen(sys.argv[1:], preexec_fn=lambda: ctypes.CDLL(None).prctl(1, 3, 0, 0, 0))
process.wait()
"""
"""Starts the postmaster as the launcher does: it is to get SIGQUIT when its parent dies."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    if os.geteuid() != 0:
        pytest.skip("only root has to hide from PostgreSQL")
    chosen = WAYS[request.param]
    if (said := postgres.refusal(chosen)) is not None:
        pytest.skip(f"not possible here: {said}")
    monkeypatch.setattr(postgres, "unprivileged", lambda: chosen)
    return chosen


@pytest.fixture
def postmaster(way: tuple[str, ...], tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Its parent, and its port; below a folder into which root alone may look."""
    tmp_path.chmod(0o700)
    postgres.make_cluster(tmp_path / "cache", tmp_path / "pgdata")
    block = claim_block(1)
    port = block.ports[0]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *postgres.argv(tmp_path / "pgdata", port)])
    try:
        _await_answer(port)
        yield parent, port
    finally:
        for process in psutil.Process(parent.pid).children(recursive=True) if parent.poll() is None else []:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGQUIT)
        parent.kill()
        parent.wait(5)
        block.release()


def _await_answer(port: int) -> None:
    for _ in range(1_000):
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(postgres.dsn(port)).close()
            return
        time.sleep(0.02)
    pytest.fail("PostgreSQL did not start")


def test_it_serves_from_a_folder_that_only_root_may_enter(postmaster: tuple[subprocess.Popen[bytes], int]) -> None:
    with psycopg.connect(postgres.dsn(postmaster[1])) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_it_ends_when_its_parent_is_killed(postmaster: tuple[subprocess.Popen[bytes], int]) -> None:
    parent, port = postmaster
    server = [each.pid for each in psutil.Process(parent.pid).children(recursive=True)]
    parent.kill()
    parent.wait(5)
    until(lambda: not any(map(stat, server)))  # orphans, whom nobody may collect
    assert not accepts(port)


def test_the_first_way_that_works_is_taken() -> None:
    ways = (("one",), ("two",), ("three",))
    assert postgres.choose(ways, lambda way: way != ("one",)) == ("two",)
    assert postgres.choose(ways, lambda way: True) == ("one",)


def test_where_none_works_the_first_is_left_to_say_why() -> None:
    assert postgres.choose((("one",), ("two",)), lambda way: False) == ("one",)
