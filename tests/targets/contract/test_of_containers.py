"""What only containers show: a real partition, and the clock that they share with this machine."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drills.execution.heal import residuals
from faults import FAULTS
from targets.compose import CONTAINERS, ComposeTarget
from targets.containers import clock, engine
from targets.containers.engine import EngineError
from targets.containers.stack import THROUGH_THE_ENGINE, ContainerStack
from targets.target import Intent

from .systems import until

pytestmark = [pytest.mark.contract, pytest.mark.of("compose")]


@pytest.fixture
def stack(up: Any) -> ContainerStack:
    target = up.target
    assert isinstance(target, ContainerStack)
    return target


@contextmanager
def cut_off(stack: ContainerStack, service: str) -> Iterator[None]:
    fault = FAULTS["partition"](service=service)  # type: ignore[call-arg]
    assert fault.inject(stack).ok
    try:
        yield
    finally:
        assert fault.rollback(stack).ok
        assert fault.verify_removed(stack).ok


def place(stack: ContainerStack, service: str) -> tuple[str, set[str], Any]:
    """Address, names but the container's number, and published ports."""
    shown = stack.project._container(service).attrs["NetworkSettings"]
    (network,) = shown["Networks"].values()
    return network["IPAddress"], {service} & set(network["Aliases"]), shown["Ports"]


def test_a_session_that_was_open_goes_on_under_the_same_address(stack: ContainerStack) -> None:
    host, _, port = stack.links()["relay-api"].listen.rpartition(":")
    before = place(stack, "api")
    with closing(http.client.HTTPConnection(host, int(port), timeout=20)) as session:
        session.request("GET", "/healthz")
        assert session.getresponse().read()
        line = session.sock
        with cut_off(stack, "api"):
            session.request("GET", "/healthz")
            line.settimeout(1.0)
            with pytest.raises(TimeoutError):
                line.recv(1, socket.MSG_PEEK)
        line.settimeout(20)
        assert session.getresponse().status == 200
        assert session.sock is line
    assert place(stack, "api") == before


def test_every_service_can_be_cut_off_and_gets_its_place_back(stack: ContainerStack) -> None:
    for service in sorted(stack.capabilities().partitionable):
        before = place(stack, service)
        with cut_off(stack, service):
            assert not stack.services()[service].healthy
        assert place(stack, service) == before


def test_its_clock_is_this_machine_s(stack: ContainerStack) -> None:
    seen = clock.brackets(stack._stamp_inside)
    assert all(each.holds for each in seen)
    assert "CLOCK_MONOTONIC shared" in stack.engines()["clock"]


def test_another_clock_is_refused(stack: ContainerStack, monkeypatch: pytest.MonkeyPatch) -> None:
    from targets.target import TargetError

    real = stack._stamp_inside
    monkeypatch.setattr(stack, "_stamp_inside", lambda: real() + 3_600_000_000_000)
    with pytest.raises(TargetError, match="another clock than this machine"):
        stack.engines()


def test_where_its_addresses_lead_elsewhere_customers_stay_at_the_published_port(
    stack: ContainerStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(stack, ComposeTarget)
    monkeypatch.setattr(stack, "door", stack.door)
    before = stack.customers_url()
    monkeypatch.setattr("targets.containers.network.is_here", lambda network: False)
    stack._go_past_the_engine()
    assert (stack.door, stack.customers_url()) == (THROUGH_THE_ENGINE, before)


def test_what_does_not_show_the_token_is_not_taken_for_the_proxy(
    stack: ContainerStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(stack, ComposeTarget)
    monkeypatch.setattr(stack, "door", stack.door)
    monkeypatch.setattr(stack, "config", msgspec.structs.replace(stack.config, token="another"))
    stack._go_past_the_engine()
    assert stack.door == THROUGH_THE_ENGINE


def test_another_process_reaches_it_the_same_way(up: Any, stack: ContainerStack) -> None:
    other = up.way.attach(stack.intent())
    assert other.customers_url() == stack.customers_url()
    assert other.links() == stack.links()


def test_the_operators_tool_does_not_end_the_container_it_runs_in(stack: ContainerStack) -> None:
    before = stack.services()["pager"].pid
    for argv in (("host", "restart", "pager"), ("host", "kill", "--signal", "TERM", str(before))):
        refused = stack.run_command(("brokerctl", *argv), "operator", 20)
        assert refused.exit == 1, refused
        assert "brokerctl" in refused.says
    assert stack.services()["pager"].pid == before
    assert stack.services()["pager"].healthy


def test_a_command_in_a_container_that_is_paused_under_it_comes_to_an_end(stack: ContainerStack) -> None:
    def pause_once_it_runs() -> None:
        until(lambda: any(b"sleep" in words for words in commands()))
        stack.signal("mail", signal.SIGSTOP)

    def commands() -> Iterator[bytes]:
        for pid in stack.project._processes("mail"):
            with suppress(OSError):  # ended meanwhile
                yield Path(f"/proc/{pid}/cmdline").read_bytes()

    pausing = threading.Thread(target=pause_once_it_runs)
    pausing.start()
    try:
        with pytest.raises(EngineError, match="no end of a command"):
            stack.project.execute("mail", ["sleep", "5"], 2.0)
    finally:
        pausing.join(20)
        stack.signal("mail", signal.SIGCONT)
    stack.start("mail")


def test_what_others_have_on_the_engine_is_not_for_us_to_heal(
    stack: ContainerStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert stack.home in engine.stacks().values()
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path))
    assert CONTAINERS.abandoned() == []


KILLED_BRINGING_UP = """
import os, signal, sys
from pathlib import Path
import targets.compose
from drills.execution.reaper import guarded
from targets.registry import runtime
from targets.runtime import Request
run = Path(sys.argv[1])
(run / "logs").mkdir()
target = runtime("compose").make(Request("orphan", 7, "D3", None, 60, run / "logs"))

def journal(line):
    import json
    with (run / "rollback.jsonl").open("a") as file:
        print(json.dumps(line), file=file, flush=True)

up = targets.compose.ComposeTarget._up
def die_while_all_come_up(self, services, user):
    if not services:
        import threading
        threading.Timer(float(sys.argv[2]), os.kill, (os.getpid(), signal.SIGKILL)).start()
    up(self, services, user)
targets.compose.ComposeTarget._up = die_while_all_come_up
print(target.intent().stack, flush=True)
with guarded(run, journal, target), target:
    signal.pause()
"""


@pytest.mark.parametrize("after_s", [0.1, 0.6, 1.2])
def test_killed_while_compose_brings_it_up_it_leaves_nothing(
    stack: ContainerStack, after_s: float, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_BRINGING_UP, str(tmp_path), str(after_s)],
        capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    home = Path(done.stdout.strip())
    until(lambda: bool(list(tmp_path.glob("heal-*.json"))))
    assert home.name not in engine.stacks()
    assert not home.exists()
    assert Intent("compose", str(home)) not in CONTAINERS.abandoned()
    assert residuals(None, (tmp_path,)) == []
    assert stack.services()["api"].healthy
