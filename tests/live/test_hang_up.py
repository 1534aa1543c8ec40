"""A terminal that is closed while a drill runs: everything is undone, and the card lies where nobody had to see it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .rig import BIN, DRILL, Place, Process, card, wait_for

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """As below a terminal, also where these tests are run under nohup: what is ignored is inherited."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@contextmanager
def below_a_terminal(place: Place) -> Iterator[Process]:
    """A started drill whose controlling terminal is closed on leaving; what it prints there is read until then."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [BIN / "kunren", "run", DRILL, "--arm", "no-action", "--seed", "5"],
        cwd=place.home, env={**place.environment, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs,
        text=True, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    output = place.home / "output-terminal.txt"
    place.started.append(Process(process, output))
    done = threading.Event()

    def read() -> None:
        with output.open("wb") as file:
            while not done.is_set():
                if select.select([ours], [], [], 0.1)[0]:
                    file.write(os.read(ours, 65536))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield place.started[-1]
    finally:
        done.set()
        reader.join()
        os.close(ours)


def healed(place: Place, reason: str) -> Path:
    """The only run is sealed, its card void, its fault undone, and nothing of it is left."""
    (run,) = place.runs()
    assert json.loads((run / "run.json").read_text())["end"]["reason"] == reason
    assert card(run)["verdict"] == "invalid"
    assert [json.loads(line)["what"] for line in (run / "rollback.jsonl").read_text().splitlines()][-1] == "undone"
    assert place.noted("fault:0", "ok", "verify_removed")
    place.nothing_left()
    return run


def test_the_terminal_is_closed_while_the_fault_is_in_place(place: Place) -> None:
    with below_a_terminal(place) as harness:
        place.broken(harness)
    assert harness.ended() == 129
    healed(place, "hung-up")


def test_a_hang_up_of_the_harness_alone_says_where_the_card_lies(place: Place) -> None:
    harness = place.start("run", DRILL, "--arm", "no-action", "--seed", "5")
    place.broken(harness)
    os.kill(harness.pid, signal.SIGHUP)
    assert harness.ended() == 129, harness.said()
    run = healed(place, "hung-up")
    where = run.relative_to(place.home) / "scorecard.json"
    assert f"kunren: hung up; everything was undone and stopped; the card lies in {where}" in harness.said()
    assert "CANNOT JUDGE" in harness.said()


def test_nohup_goes_on(place: Place) -> None:
    output = place.home / "output-nohup.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            ["nohup", BIN / "kunren", "run", DRILL, "--arm", "no-action", "--seed", "5"],
            cwd=place.home, env=place.environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, text=True,
            start_new_session=True,
        )  # fmt: skip
    harness = Process(process, output)
    place.started.append(harness)
    place.reached(harness, "runner", "ok", "target")
    os.killpg(harness.pid, signal.SIGHUP)
    wait_for(lambda: process.poll() is not None, "the drill to end by itself")
    (run,) = place.runs()
    assert json.loads((run / "run.json").read_text())["end"]["reason"] in ("judged", "cap", "baseline")
    assert process.returncode in (1, 2), harness.said()  # nobody acts; a busy machine cannot judge
    assert len(json.loads((run / "samples" / "names.json").read_text())["name"]) > 0  # the customers came as well
