"""The real toxiproxy-server: found or built with Go, and started. Nothing of it outlives who started it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from targets import proxy_engine
from targets.proxy_engine import RELEASE, listens
from targets.toxiproxy_build import BuildError, build

START_WITHIN_S = 20.0


class NotHereError(Exception):
    """There is no real server on this machine, and why."""


def program() -> Path:
    """``$KUNREN_TOXIPROXY``, ``toxiproxy-server`` on PATH if it is the release compared with, else built with Go."""
    named = os.environ.get("KUNREN_TOXIPROXY")
    found = shutil.which(named or "toxiproxy-server")
    if found is not None and proxy_engine.version_of(Path(found)) == RELEASE:
        return Path(found)
    if named:
        raise NotHereError(f"KUNREN_TOXIPROXY={named} is not toxiproxy-server {RELEASE}")
    try:
        return build()
    except BuildError as error:
        raise NotHereError(str(error)) from error


def program_or_skip() -> Path:
    """For tests. Where CI runs, its absence is a failure: what needs it must not vanish silently."""
    try:
        return program()
    except NotHereError as error:
        if os.environ.get("CI"):
            pytest.fail(f"no real Toxiproxy: {error}")
        pytest.skip(f"no real Toxiproxy: {error}")


class OriginalServer:
    """A running toxiproxy-server with its byte counters switched on."""

    def __init__(self, server: Path, log: Path) -> None:
        self._log = log.open("ab")
        for _ in range(3):  # it cannot choose its port: another program may take the one we found free
            self.port = free_port()
            self.process = self._start(server)
            if self._answers():
                return
            self.end()
        raise NotHereError(f"{server} does not listen: {log.read_text()[-500:]}")

    def _start(self, server: Path) -> subprocess.Popen[bytes]:
        # setpriv: the kernel ends it with us, also when we are killed.
        bound = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        argv = [*bound, *proxy_engine.original_command(server, self.port), "-proxy-metrics"]
        environment = {**os.environ, "LOG_LEVEL": "error"}
        return subprocess.Popen(argv, stdout=self._log, stderr=self._log, env=environment)

    def _answers(self) -> bool:
        until = time.monotonic() + START_WITHIN_S
        while time.monotonic() < until and self.process.poll() is None:
            if listens(self.process.pid, self.port):
                return True
            time.sleep(0.01)
        return False

    def end(self) -> None:
        """End it, also when it hangs."""
        self.process.kill()
        self.process.wait(20)

    def close(self) -> None:
        """End it and forget its log."""
        self.end()
        self._log.close()


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
