"""The generator tells its own errors from the brokerage's: with real wants, on each side."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from load_fake import Asked, FakeBrokerage, Says
from load_rig import Ran, make_load, run, wait_for

from loadprofiles import Patience, Url, by_url
from loadprofiles.own import OwnErrors
from loadprofiles.process import GeneratorDied, Load
from loadprofiles.samples import OutcomeCode
from targets.accounts import account, counted

MANY = "too many open files"


def told(folder: Path) -> dict[str, int]:
    return account(folder / "load.log").counts


def starve(load: Load, fake: FakeBrokerage) -> None:
    """Nothing more may be opened; who has a connection needs another one."""
    hard = resource.prlimit(load.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(load.pid, resource.RLIMIT_NOFILE, (12, hard))
    fake.drop_idle()


def test_a_generator_out_of_descriptors_says_so_and_still_hands_in_its_summary(tmp_path: Path) -> None:
    with FakeBrokerage() as fake:
        ran = run(tmp_path, fake, arrivals=200, meanwhile=lambda load: starve(load, fake))
    failed = ran.outcomes().count(OutcomeCode.ERROR)
    assert failed > 1
    assert set(ran.summary["own_errors"]) == {MANY}
    assert ran.summary["own_errors"][MANY] >= failed
    assert told(tmp_path) == ran.summary["own_errors"]


def test_a_generator_whose_customers_hold_every_descriptor_still_hands_in_its_summary(tmp_path: Path) -> None:
    def hold(load: Load) -> None:
        taken = set(map(int, os.listdir(f"/proc/{load.pid}/fd")))
        free = min(set(range(len(taken) + 1)) - taken)
        resource.prlimit(
            load.pid, resource.RLIMIT_NOFILE, (free, resource.prlimit(load.pid, resource.RLIMIT_NOFILE)[1])
        )

    with FakeBrokerage() as fake:
        ran = run(tmp_path, fake, meanwhile=hold)
    assert ran.summary["intended"] == len(ran.samples)


# -- the brokerage is guilty ------------------------------------------------------------------------------------------


def says_it(asked: Asked) -> Says | None:
    if asked.path == "/login":
        return None
    words = b"own error: too many open files: [Errno 24] out of memory"
    return Says(500, {"error": words.decode()}) if asked.connection % 2 else Says(body=words, how="raw")


def hangs_up(how: str) -> Any:
    return lambda asked: None if asked.path == "/login" else Says(how=how)


@pytest.mark.parametrize("script", [says_it, hangs_up("reset"), hangs_up("close"), hangs_up("half")])
def test_a_brokerage_in_trouble_is_no_error_of_the_generator(tmp_path: Path, script: Any) -> None:
    ran = guilty(tmp_path, FakeBrokerage(script))
    assert not {OutcomeCode.OK} & set(ran.outcomes())
    assert (ran.summary["own_errors"], told(tmp_path)) == ({}, {})


def guilty(folder: Path, fake: FakeBrokerage) -> Ran:
    with fake:
        return run(folder, fake)


def test_a_brokerage_that_refuses_is_no_error_of_the_generator(tmp_path: Path) -> None:
    with FakeBrokerage() as fake:
        ran = run(tmp_path, fake, meanwhile=lambda load: fake.stop_listening())
    assert OutcomeCode.REFUSED in ran.outcomes()
    assert (ran.summary["own_errors"], told(tmp_path)) == ({}, {})


STARVED = """
import http.server, os, resource
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(server.server_port, flush=True)
free = os.open(os.devnull, os.O_RDONLY)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
server.serve_forever()
"""
"""A web server that can accept nobody: who comes waits in the kernel's queue."""


def test_a_server_out_of_descriptors_is_no_error_of_the_generator(tmp_path: Path) -> None:
    profile = replace(by_url("r", {"pages": 40.0}, {"pages": Url("GET", "/", 200)}), patience=Patience(0.5, 0.5))
    world = tmp_path / "world.jsonl"
    world.write_text("")
    argv = [sys.executable, "-c", STARVED]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with make_load(tmp_path, profile, world=world) as load:
            load.start()
            load.prepare(f"http://127.0.0.1:{port}", within_s=60)
            load.go(time.monotonic_ns())
            wait_for(lambda: len(load.tail()))
            summary = load.stop(within_s=30)
        server.kill()
    assert summary["outcomes"]["pages"]["timeout"] > 0
    assert summary["outcomes"]["pages"]["ok"] == 0
    assert (summary["own_errors"], told(tmp_path)) == ({}, {})


# -- a generator that breaks ------------------------------------------------------------------------------------------


def test_one_that_cannot_write_its_journal_says_so(tmp_path: Path) -> None:
    (tmp_path / "customers.jsonl").symlink_to("/dev/full")  # never to be read: it has no end
    with FakeBrokerage() as fake, make_load(tmp_path) as load:
        load.start()
        load.prepare(fake.url, within_s=60)
        load.go(time.monotonic_ns())
        wait_for(lambda: "disk full" in told(tmp_path))
        wait_for(lambda: fake.paths("/orders"))  # something is left to be written at the end, and cannot be
        assert set(load.stop(within_s=30)["own_errors"]) == {"disk full"}


def test_one_with_a_bug_says_so_and_is_known_to_be_dead(tmp_path: Path) -> None:
    with make_load(tmp_path) as load:
        load.start()
        load.fail_if_dead()
        assert load._process is not None
        assert load._process.stdin is not None
        load._process.stdin.write(b"gibberish\n")
        wait_for(lambda: not load.alive)
        with pytest.raises(GeneratorDied, match="the load generator has died"):
            load.fail_if_dead()
    assert told(tmp_path) == {"unhandled error": 1}


def test_whatever_ends_a_greenlet_is_noted_and_still_shown(capsys: pytest.CaptureFixture[str]) -> None:
    class Hub:
        NOT_ERROR = (SystemExit,)
        shown: list[object] = []  # noqa: RUF012

        def handle_error(self, context: object, kind: object, value: object, trace: object) -> None:
            self.shown.append(value)

    hub, own = Hub(), OwnErrors()
    own.watch(hub)
    happened = [KeyError("x"), OSError(errno.EMFILE, "x"), MemoryError(), SystemExit()]
    for error in happened:
        hub.handle_error(None, type(error), error, None)
    assert hub.shown == happened
    assert own.counts == {"unhandled error": 1, MANY: 1, "out of memory": 1}
    assert counted(capsys.readouterr().err.splitlines()).counts == own.counts
