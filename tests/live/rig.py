"""Running the command line for real: in a folder and with a cache of its own, so that nothing else can be meant.

Every process of a run inherits ``KUNREN_CACHE``; that name in its environment, in its title or in its working folder
tells that a process is of this test.
Waiting is polling for a state, bounded by a hang guard that is no expectation.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

BIN = Path(sys.executable).parent
DRILL = "exchange-link-down"
GUARD_S = 90.0


@dataclass
class Process:
    """A started ``kunren``, the leader of a session and process group of its own, as below a terminal."""

    process: subprocess.Popen[str]
    output: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def run(self) -> psutil.Process:
        """The process of the run that it has begun: the harness."""
        (found,) = psutil.Process(self.pid).children()
        return found

    def interrupt(self) -> None:
        """Ctrl-C: the terminal sends it to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(GUARD_S)

    def said(self) -> str:
        return self.output.read_text()


@dataclass
class Place:
    """Where a test runs: ``runs/`` and the cache lie below ``home``."""

    home: Path
    started: list[Process] = field(default_factory=list)

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUNREN_CACHE": str(self.cache)}

    def start(self, *argv: str) -> Process:
        output = self.home / f"output-{len(self.started)}.txt"
        with output.open("w") as file:
            process = subprocess.Popen(
                [BIN / "kunren", *argv],
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                text=True,
                start_new_session=True,
            )
        self.started.append(Process(process, output))
        return self.started[-1]

    def kunren(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end."""
        return self._call("kunren", *argv)

    def brokerctl(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return self._call("brokerctl", *argv)

    def _call(self, program: str, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / program, *argv],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=GUARD_S,
            check=False,
        )

    def processes(self) -> list[psutil.Process]:
        """Everything alive that was started with this cache, whoever is its parent by now."""
        return [each for each in psutil.process_iter() if self._is_ours(each)]

    def _is_ours(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE:
                here = process.environ().get("KUNREN_CACHE") == str(self.cache)
                # servers write over both environment and title, and work where they were started
                return here or any(str(self.cache) in word for word in (*process.cmdline(), process.cwd()))
        return False

    def stacks(self) -> list[Path]:
        root = self.cache / "stacks"
        return sorted(root.iterdir()) if root.is_dir() else []

    def runs(self) -> list[Path]:
        return sorted(self.home.glob("runs/*/*"))

    def config(self) -> dict[str, Any]:
        """Of the only stack, once it is written."""
        wait_for(lambda: len(list(self.cache.glob("stacks/*/config.json"))) == 1, "a stack")
        (stack,) = self.stacks()
        config: dict[str, Any] = json.loads((stack / "config.json").read_text())
        return config

    def events(self, run: Path) -> list[dict[str, Any]]:
        """What the run has noted so far; whole lines only."""
        with contextlib.suppress(FileNotFoundError):
            lines = (run / "events.jsonl").read_text().split("\n")[:-1]
            return [json.loads(line) for line in lines]
        return []

    def noted(self, actor: str, kind: str, what: str) -> bool:
        return any(
            (event["actor"], event["kind"], event["what"]) == (actor, kind, what)
            for run in self.runs()
            for event in self.events(run)
        )

    def broken(self, harness: Process) -> None:
        """Wait until a fault of the only run is in place and was witnessed."""
        self.reached(harness, "fault:0", "ok", "verify_effect")

    def reached(self, harness: Process, actor: str, kind: str, what: str) -> None:
        """Wait until the run has noted this; a harness that has ended will not note it any more."""

        def there() -> bool:
            assert harness.process.poll() is None, harness.said()
            return self.noted(actor, kind, what)

        wait_for(there, f"{actor} {kind} {what}")

    def gone(self) -> bool:
        return not self.processes()

    def nothing_left(self) -> None:
        """No process, no stack folder; but for the runs, only the PostgreSQL template in the cache."""
        assert [str(each) for each in self.processes()] == []
        assert self.stacks() == []
        names = {path.name for path in self.home.iterdir()}
        assert {name for name in names if not name.startswith("output-")} <= {"runs", "cache"}

    def end_all(self) -> None:
        """Only after a test that failed half-way is there anything to end."""
        for each in self.started:
            if each.process.poll() is None:
                each.process.kill()
                each.process.wait(GUARD_S)
        left = self.processes()
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=10)


def kill_both(harness: Process, reaper: psutil.Process) -> None:
    """The process of a run and its reaper; that is held first, so that neither has the time to do anything."""
    run = harness.run()
    reaper.suspend()
    run.kill()
    wait_for(lambda: not run.is_running() or run.status() == psutil.STATUS_ZOMBIE, "the harness to be dead")
    reaper.kill()
    assert harness.ended() == 2, harness.said()


def card(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "scorecard.json").read_bytes())
    return found


def wait_for(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + GUARD_S
    while not there():
        assert time.monotonic() < deadline, f"waited {GUARD_S:g} s for {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def place(home: Path) -> Iterator[Place]:
    made = Place(home)
    try:
        yield made
    finally:
        made.end_all()
