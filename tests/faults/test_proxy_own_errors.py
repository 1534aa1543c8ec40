"""The embedded proxy tells its own errors from those of the two sides: with real wants of descriptors, on each side."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from faults.proxy.__main__ import told
from faults.proxy.connection import LINGER_0
from targets.accounts import counted
from targets.toxiproxy import ToxiproxyClient

from .conftest import GUARD_S, Handler, ProxyProcess, Upstream, echo

LIMIT, CLIENTS = 40, 60


@pytest.fixture
def proxy(start_proxy: Callable[[], ProxyProcess]) -> ProxyProcess:
    return start_proxy()


def errors(proxy: ProxyProcess) -> dict[str, int]:
    """What it has told of itself by its orderly end."""
    assert proxy.end() == 0
    return counted(proxy.said().splitlines()).counts


def limit(proxy: ProxyProcess, descriptors: int) -> None:
    hard = resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, (descriptors, hard))


def first_free(proxy: ProxyProcess) -> int:
    """The number that its next descriptor will have; once it has nothing to do with the API any more."""
    wait_for(lambda: psutil.Process(proxy.process.pid).net_connections() == listening(proxy))
    taken = {int(name) for name in os.listdir(f"/proc/{proxy.process.pid}/fd")}
    return min(set(range(len(taken) + 1)) - taken)


def listening(proxy: ProxyProcess) -> list[object]:
    found = psutil.Process(proxy.process.pid).net_connections()
    return [each for each in found if each.status == psutil.CONN_LISTEN]


def wait_for(there: Callable[[], bool]) -> None:
    until = time.monotonic() + GUARD_S
    while not there():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def answered(address: str, within_s: float = GUARD_S) -> socket.socket | None:
    """A client's connection through which an echo came; None where it ended before."""
    host, _, port = address.rpartition(":")
    client = socket.create_connection((host, int(port)), timeout=within_s)
    with contextlib.suppress(OSError):
        client.sendall(b"x")
        if client.recv(1) == b"x":
            return client
    client.close()
    return None


def test_more_clients_than_it_has_descriptors_for(proxy: ProxyProcess, upstream: Callable[..., Upstream]) -> None:
    address = proxy.client.create("link", "127.0.0.1:0", upstream().address)
    limit(proxy, LIMIT)
    with contextlib.ExitStack() as stack:
        served = 0
        for _ in range(CLIENTS):
            client = answered(address)
            served += client is not None
            if client is not None:
                stack.enter_context(client)
    assert 0 < served < CLIENTS

    def serves_again() -> bool:
        again = answered(address)
        if again is not None:
            again.close()
        return again is not None

    wait_for(serves_again)  # as soon as those who left have given theirs back
    assert errors(proxy)["too many open files"] >= CLIENTS - served


def test_a_client_that_cannot_even_be_accepted_is_told_of(
    proxy: ProxyProcess, upstream: Callable[..., Upstream]
) -> None:
    address = proxy.client.create("link", "127.0.0.1:0", upstream().address)
    limit(proxy, first_free(proxy))
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=GUARD_S) as client:
        client.sendall(b"x")
        wait_for(lambda: "own error" in proxy.said())
        assert "accept on link" in proxy.said()
        limit(proxy, 1024)
        assert client.recv(1) == b"x"  # it had only to wait
    assert set(errors(proxy)) == {"too many open files"}


def test_nothing_is_told_of_a_proxy_that_lacks_nothing(proxy: ProxyProcess, upstream: Callable[..., Upstream]) -> None:
    address = proxy.client.create("link", "127.0.0.1:0", upstream().address)
    for _ in range(CLIENTS):
        client = answered(address)
        assert client is not None
        client.close()
    proxy.client.destroy("link")
    assert errors(proxy) == {}


# -- the other side is guilty -----------------------------------------------------------------------------------------

STARVED = """
import resource, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
kept = []
while True:
    try:
        kept.append(listener.accept()[0])
        kept[-1].send(kept[-1].recv(9))
    except OSError as error:
        print("own error: too many open files:", error, file=sys.stderr, flush=True)
        listener.close()
        break
sys.stdin.read()
"""
"""A server that leaves when it is out of descriptors, and says so in our parts' own words."""


@pytest.fixture
def starved() -> Iterator[str]:
    argv = [sys.executable, "-c", STARVED]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        yield f"127.0.0.1:{int(server.stdout.readline())}"
        server.kill()


def test_an_upstream_out_of_descriptors_is_the_upstreams_trouble(proxy: ProxyProcess, starved: str) -> None:
    address = proxy.client.create("link", "127.0.0.1:0", starved)
    with contextlib.ExitStack() as stack:
        served = [answered(address) for _ in range(20)]
        for client in served:
            if client is not None:
                stack.enter_context(client)
    assert served[0] is not None
    assert served[-1] is None
    assert errors(proxy) == {}


def resets(connection: socket.socket) -> None:
    connection.recv(9)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)


def says_it(connection: socket.socket) -> None:
    connection.recv(9)
    connection.sendall(b"HTTP/1.1 500 X\r\n\r\nown error: too many open files\r\npanic: out of memory")


@pytest.mark.parametrize("handler", [resets, says_it])
def test_an_upstream_that_resets_or_says_that_it_lacks_something_is_the_upstreams_trouble(
    proxy: ProxyProcess, upstream: Callable[..., Upstream], handler: Handler
) -> None:
    address = proxy.client.create("link", "127.0.0.1:0", upstream(handler).address)
    assert [answered(address) for _ in range(5)] == [None] * 5
    assert errors(proxy) == {}


def test_an_upstream_that_refuses_and_a_client_that_resets_are_no_errors_of_the_proxy(
    proxy: ProxyProcess, upstream: Callable[..., Upstream]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = f"127.0.0.1:{gone.getsockname()[1]}"
    assert answered(proxy.client.create("nobody", "127.0.0.1:0", nobody)) is None
    client = answered(proxy.client.create("link", "127.0.0.1:0", upstream(echo).address))
    assert client is not None
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    client.close()
    proxy.client.add_toxic("link", "cut", "reset_peer", "downstream", 1.0, {"timeout": 0})
    assert answered(proxy.client.listen("link")) is None
    assert errors(proxy) == {}


# -- what nobody caught -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context", "kinds"),
    [
        ({"message": "toxic failed", "exception": KeyError("bytes")}, ["unhandled error"]),
        ({"message": "Task was destroyed but it is pending!"}, ["unhandled error"]),
        ({"message": "Fatal write error", "exception": OSError(errno.ENOBUFS, "x")}, ["no buffer space"]),
        ({"message": "Fatal read error", "exception": OSError(errno.ETIMEDOUT, "x")}, []),
        ({"message": "Fatal read error", "exception": OSError(errno.EHOSTUNREACH, "x")}, []),
    ],
)
def test_what_nobody_caught_is_ours_unless_a_far_end_did_it(
    context: dict[str, object], kinds: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    loop = asyncio.new_event_loop()
    try:
        told(loop, context)
    finally:
        loop.close()
    assert list(counted(capsys.readouterr().err.splitlines()).counts) == kinds


def test_a_killed_proxy_leaves_no_account_of_its_end_in_its_log(proxy: ProxyProcess) -> None:
    """Which is why whether it still runs is looked at as well (``targets.accounts``)."""
    proxy.process.send_signal(signal.SIGKILL)
    proxy.process.wait(GUARD_S)
    assert counted(proxy.said().splitlines()).counts == {}
    with pytest.raises(Exception, match="no answer"):
        ToxiproxyClient("127.0.0.1", proxy.port).proxies()
