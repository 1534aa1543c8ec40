"""Bytes through the proxy: exact, in order, in both directions, with back-pressure, half-close and refusals."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
import requests

from targets.keeper import stat

MB = 1_000_000


def read_all(sock: socket.socket) -> bytes:
    parts = []
    while data := sock.recv(65536):
        parts.append(data)
    return b"".join(parts)


def ask(sock: socket.socket, data: bytes) -> bytes:
    sock.sendall(data)
    got = b""
    while len(got) < len(data):
        more = sock.recv(65536)
        assert more, f"closed after {got!r}"
        got += more
    return got


def is_closed(sock: socket.socket) -> bool:
    """Waits (guarded by the socket's time-out) until the other side closed or reset; no data may come first."""
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def fill(sock: socket.socket, most: int) -> int:
    """Send until nobody takes any more; how much was taken."""
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < most:
            sent += sock.send(bytes(65536))
    return sent


def test_small_messages_there_and_back(link: Any, connect: Any) -> None:
    sock = connect(link())
    for number in range(200):
        assert ask(sock, b"%d;" % number) == b"%d;" % number


def test_fifty_megabytes_both_ways_byte_exact(link: Any, connect: Any) -> None:
    sock = connect(link())
    block = os.urandom(MB)
    sent, got = hashlib.sha256(), hashlib.sha256()

    def send() -> None:
        for _ in range(50):
            sock.sendall(block)
            sent.update(block)
        sock.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    count = 0
    while data := sock.recv(1 << 20):
        got.update(data)
        count += len(data)
    sender.join()
    assert count == 50 * MB
    assert sent.digest() == got.digest()


@pytest.mark.parametrize("toxic", [None, "latency", "slicer", "timeout-late"])
def test_a_reader_that_does_not_read_stops_the_sender(link: Any, connect: Any, client: Any, toxic: str | None) -> None:
    go = threading.Event()
    got: list[int] = []

    def late_reader(connection: socket.socket) -> None:
        go.wait(20)
        got.append(len(read_all(connection)))

    sock = connect(link(late_reader))
    if toxic == "latency":
        client.add_toxic("link", "t", "latency", "upstream", 1, {"latency": 1})
    if toxic == "slicer":
        client.add_toxic("link", "t", "slicer", "upstream", 1, {"average_size": 60000, "delay": 0})
    sock.settimeout(1.0)
    sent = fill(sock, 300 * MB)
    assert sent < 100 * MB  # kernel buffers and ours, not the whole
    sock.settimeout(20)
    if toxic == "timeout-late":
        client.add_toxic("link", "t", "timeout", "upstream", 1, {})
        client.remove_toxic("link", "t")
        assert is_closed(sock)
        go.set()
        return
    go.set()
    sock.shutdown(socket.SHUT_WR)
    assert is_closed(sock)
    assert got == [sent]


def test_half_close_is_passed_on_and_the_answer_still_comes(link: Any, connect: Any) -> None:
    def answer_at_the_end(connection: socket.socket) -> None:
        connection.sendall(b"got %d" % len(read_all(connection)))

    sock = connect(link(answer_at_the_end))
    sock.sendall(b"x" * 100)
    sock.shutdown(socket.SHUT_WR)
    assert read_all(sock) == b"got 100"


def test_the_server_may_half_close_first(link: Any, connect: Any) -> None:
    heard: list[bytes] = []
    done = threading.Event()

    def greet_and_listen(connection: socket.socket) -> None:
        connection.sendall(b"hello")
        connection.shutdown(socket.SHUT_WR)
        heard.append(read_all(connection))
        done.set()

    sock = connect(link(greet_and_listen))
    assert read_all(sock) == b"hello"
    sock.sendall(b"still here")
    sock.shutdown(socket.SHUT_WR)
    assert done.wait(20)
    assert heard == [b"still here"]


def test_what_is_sent_before_the_upstream_answers_is_kept(link: Any, connect: Any) -> None:
    address = link()
    for number in range(50):
        sock = connect(address)
        sock.sendall(b"early %d" % number)
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == b"early %d" % number


def test_a_reset_from_the_client_reaches_the_server_as_an_end(link: Any, connect: Any) -> None:
    ended = threading.Event()

    def until_end(connection: socket.socket) -> None:
        connection.sendall(b"!")
        connection.recv(1)
        ended.set()

    sock = connect(link(until_end))
    assert sock.recv(1) == b"!"
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
    assert ended.wait(20)


def test_no_upstream_closes_the_client(client: Any, connect: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"127.0.0.1:{gone.getsockname()[1]}"
    assert is_closed(connect(client.create("link", "127.0.0.1:0", address)))


def test_a_silent_upstream_of_one_connection_does_not_hold_up_others(link: Any, connect: Any) -> None:
    def only_even(connection: socket.socket) -> None:
        if connection.recv(1) == b"e":
            connection.sendall(b"ok")
        connection.recv(1)

    address = link(only_even)
    silent = connect(address)
    silent.sendall(b"o")
    other = connect(address)
    other.sendall(b"e")
    assert other.recv(2) == b"ok"


def test_hundreds_of_connections_at_once(link: Any, connect: Any) -> None:
    address = link()
    socks = [connect(address) for _ in range(300)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda pair: ask(pair[1], b"%d" % pair[0]), enumerate(socks)))
    assert answers == [b"%d" % number for number in range(300)]


def test_disable_drops_and_refuses_and_enable_listens_on_the_same_port(link: Any, connect: Any, client: Any) -> None:
    address = link()
    sock = connect(address)
    assert ask(sock, b"x") == b"x"
    for _ in range(20):
        client.set_enabled("link", False)
        with pytest.raises(ConnectionRefusedError):
            connect(address)
        client.set_enabled("link", True)
        assert ask(connect(address), b"y") == b"y"
    assert is_closed(sock)
    assert client.listen("link") == address


def test_a_new_upstream_drops_connections_and_keeps_the_port(
    link: Any, connect: Any, client: Any, server: Any, upstream: Any
) -> None:
    address = link()
    sock = connect(address)
    assert ask(sock, b"x") == b"x"
    other = upstream(lambda connection: connection.sendall(b"other"))
    requests.patch(server.base + "/proxies/link", json={"upstream": other.address}, timeout=10).raise_for_status()
    assert is_closed(sock)
    assert read_all(connect(address)) == b"other"


def test_a_deleted_proxy_drops_and_refuses(link: Any, connect: Any, client: Any) -> None:
    address = link()
    sock = connect(address)
    assert ask(sock, b"x") == b"x"
    client.destroy("link")
    assert is_closed(sock)
    with pytest.raises(ConnectionRefusedError):
        connect(address)


def test_metrics_count_the_bytes(link: Any, connect: Any, server: Any) -> None:
    sock = connect(link())
    assert ask(sock, b"x" * 1000) == b"x" * 1000
    text = requests.get(server.base + "/metrics", timeout=10).text
    lines = [line for line in text.splitlines() if 'proxy="link"' in line]
    assert len(lines) == 4
    assert all(line.endswith(" 1000.0") for line in lines)


def test_no_connection_is_left_open_after_all_have_closed(link: Any, connect: Any, server: Any) -> None:
    address = link()
    for _ in range(20):
        connect(address).close()
    last = connect(address)
    assert ask(last, b"x") == b"x"  # connections are accepted in order: nobody is still to come
    last.close()
    until = time.monotonic() + 20
    process = psutil.Process(server.process.pid)
    api = server.port

    def left() -> list[Any]:
        return [c for c in process.net_connections("tcp") if c.status != psutil.CONN_LISTEN and c.laddr.port != api]

    while left() and time.monotonic() < until:
        time.sleep(0.02)
    assert left() == []


def test_sigterm_ends_it_and_closes_everything(start_proxy: Any, connect: Any, upstream: Any) -> None:
    proxy = start_proxy()
    address = proxy.client.create("link", "127.0.0.1:0", upstream().address)
    sock = connect(address)
    assert ask(sock, b"x") == b"x"
    assert proxy.end() == 0
    assert is_closed(sock)
    with pytest.raises(ConnectionRefusedError):
        connect(address)
    assert "Traceback" not in proxy.said()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux's")
def test_it_dies_with_the_process_that_started_it(start_proxy: Any) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'faults.proxy', '--port', '0'], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait(20)
        parent.stdout.close() if parent.stdout else None
    deadline = time.monotonic() + 20
    while stat(child) is not None:  # an orphan, whom nobody may collect
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_occupied_api_port_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        argv = [sys.executable, "-m", "faults.proxy", "--port", port]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr.strip() == f"cannot listen on 127.0.0.1:{port}: Address already in use"
