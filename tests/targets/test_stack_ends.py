"""What is left of an embedded stack is found by what it cannot shed, and what still answers is said."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from drills.execution.heal import Residual, heal
from targets.brokerage import config as brokerage
from targets.embedded import EMBEDDED
from targets.keeper import OF_TARGET
from targets.local import LocalTarget, members
from targets.ownership import OWNER_LOCK
from targets.runtime import Request
from targets.target import TargetError


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalTarget]:
    """One whose owner has died; nothing of it was started. Its ports are claimed, until ``release``."""
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("targets.embedded.STOP_WITHIN_S", 0.1)
    monkeypatch.setattr("targets.local.LEAVE_WITHIN_S", 0.1)
    made = LocalTarget(Request("a-drill/a-run", 7, "N2", "18:10", 60, tmp_path / "logs", "embedded"))
    (made.folder / "pgdata").mkdir(parents=True)
    (made.folder / OWNER_LOCK).touch()
    brokerage.save(made.config)
    yield made
    made.__exit__(None, None, None)


@pytest.fixture
def server(stack: LocalTarget, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child of a PostgreSQL that was killed: its title is its own, it works in the cluster's folder."""
    program = tmp_path / "postgres"
    shutil.copy(shutil.which("sleep") or "", program)
    with running([str(program), "600"], cwd=stack.folder / "pgdata") as made:
        yield made


@contextlib.contextmanager
def running(argv: list[str], **how: object) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(argv, **how) as made:  # type: ignore[call-overload]
        try:
            yield made
        finally:
            made.kill()


@contextlib.contextmanager
def labelled(stack: LocalTarget) -> Iterator[subprocess.Popen[bytes]]:
    """As the launcher's services and proxy are."""
    with running(["sleep", "600"], env={**os.environ, OF_TARGET: str(stack.folder)}) as made:
        yield made


def test_it_is_found_by_label_and_by_working_folder(stack: LocalTarget, server: subprocess.Popen[bytes]) -> None:
    with labelled(stack) as service, running(["sleep", "600"], cwd=stack.folder / "pgdata"):  # a person looks around
        assert members(stack.folder) == {service.pid, server.pid}
        said = list(EMBEDDED.end(stack.intent()))
        assert {line for line in said if line.startswith("killed")} == {
            f"killed process {pid}, which did not end by itself" for pid in (service.pid, server.pid)
        }
        assert said[-1] == f"removed {stack.folder}"
        assert members(stack.folder) == set()


def test_one_whose_folder_is_gone_is_found(stack: LocalTarget) -> None:
    with labelled(stack) as service:
        shutil.rmtree(stack.folder)
        assert EMBEDDED.abandoned() == [stack.intent()]
        list(EMBEDDED.end(stack.intent()))
        service.wait(10)
    assert EMBEDDED.abandoned() == []


def test_one_that_is_described_no_more_is_ended(stack: LocalTarget) -> None:
    (stack.folder / brokerage.FILE).write_text("{")
    with labelled(stack) as service:
        assert list(EMBEDDED.end(stack.intent()))[-1] == f"removed {stack.folder}"
        service.wait(10)


def test_what_still_answers_is_said_and_it_is_found_again(stack: LocalTarget) -> None:
    port = stack.config.ports["api"]
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(
            TargetError, match=rf"^process {os.getpid()} .* still listens on port {port} of api: end it$"
        ):
            stack.__exit__(None, None, None)
        assert stack.folder.is_dir()
        healed = heal(Residual(stack.intent(), None, ()))
        assert not healed.ended
        assert healed.said[-1].endswith(f" still listens on port {port} of api: end it")
        assert EMBEDDED.abandoned() == [stack.intent()]
    assert heal(Residual(stack.intent(), None, ())).ended


def test_what_another_stack_serves_by_now_is_not_meant(stack: LocalTarget) -> None:
    with socket.create_server(("127.0.0.1", stack.config.ports["api"])):
        assert heal(Residual(stack.intent(), None, ())).ended  # its block of ports is claimed
    assert not stack.folder.exists()
