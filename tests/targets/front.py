"""Edge and relay as processes, on a real volume where this machine has one, before an api of the test's."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

from targets.brokerage import brokerctl
from targets.brokerage import config as brokerage
from targets.brokerage.books import read_book
from targets.brokerage.edge.certificates import authority
from targets.brokerage.furnishing import fill, furnish
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.outcome import CommandResult
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.volumes import keeping

from .ports import free_ports
from .stack import make_config

PARTS = ("relay", "edge", "vendor")
LAUNCH = """
import sys
from pathlib import Path
from targets.brokerage import launcher
from targets.brokerage.config import load
from targets.brokerage.topology import TOPOLOGY
TOPOLOGY.__dict__["programs"] = ("volumes",)
launcher._preload = lambda: None
launcher.run(load(Path(sys.argv[1])))
"""
"""The launcher, of these parts alone."""


@dataclass
class Api:
    """Answers each request 200 with its method and path; what begins with ``/die`` ends without an answer."""

    asked: list[str] = field(default_factory=list)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                api.asked.append(f"{self.command} {self.path}")
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path.startswith("/die"):
                    self.close_connection = True
                    return
                body = json.dumps({"what": f"{self.command} {self.path}"}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *args: Any) -> None: ...

        return Handler


@dataclass
class Front:
    """What a test sees of it."""

    config: brokerage.Config
    api: Api
    launcher: subprocess.Popen[bytes]

    @property
    def folder(self) -> Path:
        return Path(self.config.folder)

    @property
    def volume(self) -> Path:
        return keeping.reached(self.folder, "relay-log")

    def control(self, **request: Any) -> dict[str, Any]:
        return Stack(self.config).control(request)

    def start(self, *parts: str) -> None:
        for part in parts:
            self.control(verb="start", service=part)
            until(lambda part=part: self.healthy(part) is not None)

    def kill(self, part: str) -> None:
        """With SIGKILL, and until the launcher knows that it has ended."""
        self.control(verb="signal", service=part, signal=9)
        until(lambda: self.control(verb="status")["services"][part]["state"] == "exited")

    def healthy(self, part: str) -> bool | None:
        """None while nothing answers."""
        where = Stack(self.config).address(part)
        connection = http.client.HTTPConnection(*where, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        return None

    def metrics(self, part: str) -> dict[str, float]:
        connection = http.client.HTTPConnection(*Stack(self.config).address(part), timeout=2)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
        return {name: float(value) for name, value in (line.split(" ") for line in lines if line[0] != "#")}

    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=authority(self.folder))

    def connection(self, context: ssl.SSLContext | None = None) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(*self.config.at("edge"), context=context or self.trusted(), timeout=5)

    def ask(self, path: str = "/balances", method: str = "GET", **headers: str) -> tuple[int, dict[str, Any]]:
        """Over a connection of its own."""
        with contextlib.closing(self.connection()) as connection:
            return asked(connection, path, method, **headers)

    def ctl(self, *words: str, role: str = "operator") -> CommandResult:
        return brokerctl.run(["--stack", str(self.folder), "--role", role, "--env", "drill", *words])

    def done(self, *words: str) -> dict[str, Any]:
        outcome = self.ctl(*words)
        assert outcome.exit == 0, outcome.says
        return outcome.as_json()

    def book(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in read_book(self.config, "transactions") if row["kind"] == kind]

    def fill_up(self) -> None:
        """Until not a byte is free, as something else on the volume would."""
        with (self.volume / "ballast").open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)) == 4096:
                pass


def asked(
    connection: http.client.HTTPConnection, path: str = "/balances", method: str = "GET", **headers: str
) -> tuple[int, dict[str, Any]]:
    body = b"{}" if method == "POST" else None
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read())


def until(holds: Callable[[], Any], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)


@contextlib.contextmanager
def front(folder: Path, **changes: Any) -> Iterator[Front]:
    """Furnished, filled and running; ``changes`` are sections of its configuration."""
    api = Api()
    server = ThreadingHTTPServer(("127.0.0.1", 0), api.handler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    names = [*(port for part in PARTS for port in TOPOLOGY.components[part].ports), "launcher"]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    config = make_config(folder, ports, {"relay-api": server.server_address[1]})
    config = msgspec.structs.replace(config, **changes)
    furnish(config, [brokerage.LOOPBACK])
    brokerage.save(config)
    root = str(Path(__file__).parents[2])
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, str(folder)], stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    )
    try:
        until(lambda: keeping.kept(folder))
        fill(config)
        made = Front(config, api, launcher)
        until(lambda: _answers(made))
        made.start(*PARTS)
        yield made
    finally:
        assert launcher.stdin is not None
        launcher.stdin.close()
        launcher.wait(20)
        server.shutdown()
        server.server_close()
        thread.join()


def _answers(made: Front) -> bool:
    with contextlib.suppress(Exception):
        made.control(verb="status")
        return True
    return False
