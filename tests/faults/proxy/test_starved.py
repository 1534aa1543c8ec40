"""The real server short of descriptors: its log tells, and what its upstream does is not mistaken for it."""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from targets import proxy_engine
from targets.accounts import account
from targets.toxiproxy import ToxiproxyClient

from ..conftest import GUARD_S, Upstream
from ..test_proxy_own_errors import CLIENTS, LIMIT, answered
from .original import free_port

pytestmark = pytest.mark.real


@pytest.fixture
def start(original_program: Path, tmp_path: Path) -> Iterator[Callable[[int | None], ToxiproxyClient]]:
    """``start(limit)``: a server that may open so many descriptors; its log is ``tmp_path / "log"``."""
    with contextlib.ExitStack() as stack:

        def make(limit: int | None) -> ToxiproxyClient:
            port = free_port()
            log = stack.enter_context((tmp_path / "log").open("wb"))
            server = subprocess.Popen(proxy_engine.original_command(original_program, port), stdout=log, stderr=log)
            stack.callback(server.wait, GUARD_S)
            stack.callback(server.kill)
            client = ToxiproxyClient("127.0.0.1", port)
            client.wait_ready(GUARD_S, server.pid)
            if limit is not None:
                resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
            return client

        yield make


def ask(address: str) -> int:
    """Clients that came at once and stayed; how many of them were served."""
    with contextlib.ExitStack() as stack:
        served = [answered(address, within_s=2.0) for _ in range(CLIENTS)]
        return sum(stack.enter_context(client) is not None for client in served if client is not None)


def test_one_that_runs_out_of_descriptors_says_so(
    start: Callable[[int | None], ToxiproxyClient], upstream: Callable[..., Upstream], tmp_path: Path
) -> None:
    client = start(LIMIT)
    assert 0 < ask(client.create("link", "127.0.0.1:0", upstream().address)) < CLIENTS
    assert set(account(tmp_path / "log").counts) == {"too many open files"}


def test_one_whose_upstreams_refuse_or_reset_has_nothing_to_say(
    start: Callable[[int | None], ToxiproxyClient], upstream: Callable[..., Upstream], tmp_path: Path
) -> None:
    client = start(None)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = f"127.0.0.1:{gone.getsockname()[1]}"
    assert answered(client.create("nobody", "127.0.0.1:0", nobody)) is None
    assert ask(client.create("link", "127.0.0.1:0", upstream().address)) == CLIENTS
    client.reset()
    client.destroy("link")
    log = tmp_path / "log"
    assert "connection refused" in log.read_text()
    assert account(log).counts == {}
