"""The real monitor and the real pager as processes, watching services that say what a test tells them."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from targets.brokerage import config as brokerage
from targets.brokerage.monitor.service import watched
from targets.brokerage.topology import TOPOLOGY

from .ports import free_ports

SERVE = """
import importlib, socket, sys
from pathlib import Path
from targets.brokerage import config
found = config.load(Path(sys.argv[1]))
importlib.import_module(sys.argv[2]).serve(found, {sys.argv[3]: socket.socket(fileno=int(sys.argv[4]))})
"""
MODULES = {"monitor": "targets.brokerage.monitor.service", "pager": "targets.brokerage.pager.service"}
PATIENCE_S = 30.0


@dataclass
class Scene:
    """``exposed`` maps a job to its exposition; None lets the request hang until the scene ends."""

    config: brokerage.Config
    exposed: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, service: str) -> None:
        port = self.config.ports[service]
        with socket.create_server(("127.0.0.1", port), backlog=64) as sock:
            argv = [sys.executable, "-c", SERVE, self.config.folder, MODULES[service], service, str(sock.fileno())]
            with (Path(self.config.logs) / f"{service}.log").open("ab") as log:
                self.processes[service] = subprocess.Popen(argv, pass_fds=[sock.fileno()], stdout=log, stderr=log)

    def ask(self, service: str, path: str) -> Any:
        url = f"http://127.0.0.1:{self.config.ports[service]}{path}"
        with urllib.request.urlopen(url, timeout=5) as reply:
            return json.load(reply)

    def pages(self) -> list[tuple[str, str]]:
        return [(row["labels"]["alertname"], row["status"]) for row in self.ask("pager", "/alerts")]

    def end(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(OSError, urllib.error.URLError):
            if found := condition():
                return found
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.02)


def _exposing(scene: Scene, job: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            data = scene.exposed[job].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None: ...

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    ports, via = TOPOLOGY.numbered(free_ports(TOPOLOGY.block))
    config = brokerage.Config(
        stack="s-1",
        token="t",
        seed=1,
        folder=str(tmp_path),
        logs=str(tmp_path),
        ports=ports,
        via=via,
        clock=brokerage.ClockConfig(anchor_ns=0, business="2026-11-20T09:00:00+09:00"),
        # a quarter of a second would do on a machine that is not shared with other tests
        monitor=brokerage.MonitorConfig(scrape_interval_s=0.25, timeout_s=2.0),
    )
    brokerage.save(config)
    scene = Scene(config, dict.fromkeys(watched(config), ""))
    with contextlib.ExitStack() as stack:
        stack.callback(scene.end)
        for job, where in watched(config).items():
            server = _Server(where, _exposing(scene, job))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
        yield scene


def test_pages_firing_and_resolved_and_says_nothing_otherwise(scene: Scene) -> None:
    scene.exposed["gateway"] = 'gateway_link_heartbeat_age_seconds{link="A"} 0.2\n'
    scene.start("pager")
    scene.start("monitor")
    until(lambda: scene.ask("monitor", "/heartbeat")["n"] >= 4)
    assert scene.pages() == []

    scene.exposed["gateway"] = 'gateway_link_heartbeat_age_seconds{link="A"} 1.2\n'
    (row,) = until(lambda: scene.ask("pager", "/alerts"))
    assert (
        row["labels"].items() >= {"alertname": "LinkSilent", "severity": "page", "link": "A", "job": "gateway"}.items()
    )
    assert row["annotations"]["runbook"] == "exchange-link-down"
    assert [alert["state"] for alert in scene.ask("monitor", "/api/v1/alerts")["data"]["alerts"]] == ["firing"]

    scene.exposed["gateway"] = ""
    until(lambda: len(scene.pages()) == 2)
    assert scene.pages() == [("LinkSilent", "firing"), ("LinkSilent", "resolved")]


def test_a_lock_alert_names_the_job_and_its_session_though_the_scrape_has_a_job_of_its_own(scene: Scene) -> None:
    scene.exposed["batch"] = 'db_root_blocker_seconds{job="mark-to-market",pid="4711"} 2.3\n'
    scene.start("pager")
    scene.start("monitor")
    (row,) = until(lambda: scene.ask("pager", "/alerts"))
    found = {"alertname": "LockWait", "job": "batch", "exported_job": "mark-to-market", "pid": "4711"}
    assert row["labels"].items() >= found.items()
    assert row["annotations"]["summary"].startswith("mark-to-market (pid 4711) has been blocking")
    assert row["annotations"]["runbook"] == "night-batch-lock"


def test_a_message_waits_for_a_pager_that_is_away(scene: Scene) -> None:
    scene.exposed["api"] = 'api_slo_burn{service="orders"} 50\n'
    scene.start("monitor")
    until(lambda: scene.ask("monitor", "/api/v1/alerts")["data"]["alerts"])
    scene.start("pager")
    assert until(scene.pages) == [("OrdersBurn", "firing")]


def test_a_paused_monitor_stops_beating_and_goes_on_afterwards(scene: Scene) -> None:
    scene.start("pager")
    scene.start("monitor")
    before = until(lambda: scene.ask("monitor", "/heartbeat")["n"])
    scene.processes["monitor"].send_signal(signal.SIGSTOP)
    with pytest.raises(OSError, match="timed out"):
        urllib.request.urlopen(f"http://127.0.0.1:{scene.config.ports['monitor']}/heartbeat", timeout=0.5)
    scene.processes["monitor"].send_signal(signal.SIGCONT)
    until(lambda: scene.ask("monitor", "/heartbeat")["n"] > before + 1)
    assert scene.pages() == []
    assert scene.ask("monitor", "/healthz")["ok"] is True


def test_both_end_cleanly_on_sigterm(scene: Scene) -> None:
    scene.start("pager")
    scene.start("monitor")
    until(lambda: scene.ask("monitor", "/heartbeat")["n"])
    until(lambda: scene.ask("pager", "/healthz")["ok"])
    for process in scene.processes.values():
        process.terminate()
    assert {name: process.wait(10) for name, process in scene.processes.items()} == {"monitor": 0, "pager": 0}
