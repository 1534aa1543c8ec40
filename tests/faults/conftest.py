"""A proxy server in a process of its own, and upstreams in threads. Everything on 127.0.0.1, nothing waits for ever."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from targets import silence
from targets.target import Capabilities, Cut, Link, ServiceState, TargetError
from targets.toxiproxy import ToxiproxyClient, engine_command

GUARD_S = 20.0  # a hang guard, never an expectation

Handler = Callable[[socket.socket], None]


class Upstream:
    """A TCP server that runs ``handler`` for each connection in a thread."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.connections: list[socket.socket] = []
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(GUARD_S)
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(GUARD_S)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(GUARD_S)
                self.connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                thread.start()
                self._threads.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._handler(connection)


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


class ProxyProcess:
    """``python -m faults.proxy``."""

    def __init__(self, folder: Path) -> None:
        self.port_file = folder / "port"
        argv = engine_command("embedded", 0, self.port_file)
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(argv, stdout=self.log, stderr=self.log)
        self.port = self._port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.client = ToxiproxyClient("127.0.0.1", self.port)
        self.client.wait_ready(GUARD_S, self.process.pid)

    def _port(self) -> int:
        until = time.monotonic() + GUARD_S
        while not self.port_file.exists():
            assert self.process.poll() is None, Path(self.log.name).read_text()
            assert time.monotonic() < until, "no port file"
            time.sleep(0.01)
        return int(self.port_file.read_text())

    def said(self) -> str:
        return Path(self.log.name).read_text()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(GUARD_S)
        finally:
            self.process.kill()
            self.log.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyProcess]:
    process = ProxyProcess(tmp_path_factory.mktemp("proxy"))
    yield process
    assert process.end() == 0
    assert "Traceback" not in process.said()


@pytest.fixture
def client(server: ProxyProcess) -> Iterator[ToxiproxyClient]:
    yield server.client
    for name in server.client.proxies():
        server.client.destroy(name)


@pytest.fixture
def upstream() -> Iterator[Callable[[Handler], Upstream]]:
    made: list[Upstream] = []

    def make(handler: Handler = echo) -> Upstream:
        made.append(Upstream(handler))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def link(client: ToxiproxyClient, upstream: Callable[..., Upstream]) -> Callable[..., str]:
    """``link(handler)``: the listening address of the proxy ``link`` before a new upstream."""

    def make(handler: Handler = echo) -> str:
        return client.create("link", "127.0.0.1:0", upstream(handler).address)

    return make


@pytest.fixture
def connect() -> Iterator[Callable[[str], socket.socket]]:
    with contextlib.ExitStack() as stack:

        def make(address: str) -> socket.socket:
            host, _, port = address.rpartition(":")
            return stack.enter_context(socket.create_connection((host, int(port)), timeout=GUARD_S))

        yield make


@pytest.fixture
def start_proxy(tmp_path: Path) -> Iterator[Callable[[], ProxyProcess]]:
    made: list[ProxyProcess] = []

    def make() -> ProxyProcess:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(ProxyProcess(folder))
        return made[-1]

    yield make
    for each in made:
        each.process.kill()
        each.process.wait(GUARD_S)
        each.log.close()


class SmallTarget:
    """A target with one real link and one real process (which only sleeps); what the faults need of the contract."""

    name = "small"

    def __init__(self, client: ToxiproxyClient, address: str) -> None:
        self._client = client
        self.address = address
        self.listen = client.create("link", "127.0.0.1:0", address)
        self.process: subprocess.Popen[bytes] | None = None
        self.start("service")

    def capabilities(self) -> Capabilities:
        able = frozenset({"service"})
        return Capabilities(frozenset({"link"}), able, (), operator=None, alerts=False, partitionable=able)

    def links(self) -> dict[str, Link]:
        return {"link": Link("link", self.listen, self.address, ("client", "service"))}

    def proxies(self) -> ToxiproxyClient:
        return self._client

    def services(self) -> dict[str, ServiceState]:
        runs = self.process is not None and self.process.poll() is None
        pid = self.process.pid if runs and self.process else None
        healthy = pid is not None and psutil.Process(pid).status() != psutil.STATUS_STOPPED
        return {"service": ServiceState("service", pid, healthy)}

    def signal(self, service: str, number: int) -> None:
        if self.process is None or self.process.poll() is not None:
            raise TargetError(f"{service} does not run")
        self.process.send_signal(number)

    def start(self, service: str) -> None:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])

    @property
    def partitioning(self) -> SmallTarget:
        return self

    def cut(self, service: str) -> Cut:
        return silence.cut(self.links(), self._client, service, ("somebody -> service",))

    def disconnect(self, service: str) -> None:
        silence.disconnect(self.links(), self._client, service)

    def connect(self, service: str) -> None:
        silence.connect(self.links(), self._client, service)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(GUARD_S)


@pytest.fixture
def target(client: ToxiproxyClient, upstream: Callable[..., Upstream]) -> Iterator[Callable[..., SmallTarget]]:
    """``target(handler)``: a small target whose link leads to that upstream."""
    made: list[SmallTarget] = []

    def make(handler: Handler = echo) -> SmallTarget:
        made.append(SmallTarget(client, upstream(handler).address))
        return made[-1]

    yield make
    for each in made:
        each.close()
