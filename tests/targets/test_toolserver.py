"""The robot operator's commands, run by a process that is already there: the same as if each had been typed."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from targets import children
from targets.brokerage import toolserver
from targets.brokerage.toolserver import NotServed, OwnTrouble, Reply, ask
from targets.keeper import stat

from .test_brokerctl import TOKEN, Fake, fake, make_config
from .test_keeper import until

__all__ = ["fake"]

WORDS = ["--role", "operator", "--env", "drill", "--json"]


@contextmanager
def serving(folder: Path) -> Iterator[psutil.Popen]:
    server = psutil.Popen(children.python("targets.brokerage.service", "brokerctl", str(folder)))
    try:
        while not toolserver.serves(folder):
            assert server.poll() is None
            time.sleep(0.01)
        yield server
    finally:
        server.kill()
        server.wait(5)


def at_work(server: psutil.Popen) -> list[psutil.Process]:
    """The commands that run; one that has ended and was not yet waited for does not."""
    return [each for each in server.children() if each.status() != psutil.STATUS_ZOMBIE]


def typed(folder: Path, *words: str) -> tuple[int, Any, str]:
    argv = children.python("targets.brokerage.brokerctl", "--stack", str(folder), *WORDS, *words)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("words", [
    ["status"], ["service", "close", "orders"], ["service", "close", "everything"], ["gateway", "resolve"], [],
])  # fmt: skip
def test_a_command_does_and_says_what_it_does_and_says_when_typed(fake: Fake, words: list[str]) -> None:
    by_hand, asked = typed(fake.folder, *words), list(fake.asked)
    fake.asked.clear()
    with serving(fake.folder):
        before = time.monotonic_ns()
        reply = ask(fake.folder, TOKEN, [*WORDS, *words], 10)
    assert (reply.exit, json.loads(reply.out), reply.err) == by_hand
    assert fake.asked == asked
    assert before < reply.began_ns < time.monotonic_ns()
    rows = [json.loads(line) for line in (fake.folder / "audit.jsonl").read_text().splitlines()]
    half = len(rows) // 2
    assert [row["argv"] for row in rows[:half]] == [row["argv"] for row in rows[half:]]


def test_each_is_a_process_of_its_own(fake: Fake) -> None:
    with serving(fake.folder) as server:
        replies = [ask(fake.folder, TOKEN, [*WORDS, "status"], 10) for _ in range(50)]
        assert {reply.exit for reply in replies} == {0}
        until(lambda: not at_work(server))


@contextmanager
def hanging_api(folder: Path) -> Iterator[threading.Event]:
    """A stack whose api takes connections and never answers; the event says that it took one."""
    config, took = make_config(folder), threading.Event()
    with socket.create_server(("127.0.0.1", config.ports["api"])) as listener:
        held: list[socket.socket] = []

        def take() -> None:
            held.append(listener.accept()[0])
            took.set()

        thread = threading.Thread(target=take)
        thread.start()
        yield took
        thread.join()
        held[0].close()


CLOSE = [*WORDS, "service", "close", "orders"]


def test_one_that_takes_too_long_is_ended_and_when_it_was_begun_is_known(tmp_path: Path) -> None:
    with hanging_api(tmp_path), serving(tmp_path) as server:
        before = time.monotonic_ns()
        reply = ask(tmp_path, TOKEN, CLOSE, 1.0)
        assert (reply.exit, reply.out) == (None, "")
        assert before < reply.began_ns < time.monotonic_ns() - 900_000_000
        until(lambda: not at_work(server))


def test_they_die_with_the_server_and_are_not_repeated(tmp_path: Path) -> None:
    with hanging_api(tmp_path) as took, serving(tmp_path) as server:
        replies: list[Reply] = []
        thread = threading.Thread(target=lambda: replies.append(ask(tmp_path, TOKEN, CLOSE, 20)))
        thread.start()
        assert took.wait(10)
        command = server.children()[0]
        server.kill()
        thread.join()
        until(lambda: stat(command.pid) is None)  # an orphan, whom nobody may collect
    assert replies[0].exit == 2
    assert "ended without an answer; check: brokerctl status" in replies[0].err


def test_without_a_server_that_is_said(tmp_path: Path) -> None:
    make_config(tmp_path)
    with pytest.raises(NotServed):
        ask(tmp_path, TOKEN, [*WORDS, "status"], 1.0)
    with serving(tmp_path):
        pass
    with pytest.raises(NotServed):  # its socket is still there
        ask(tmp_path, TOKEN, [*WORDS, "status"], 1.0)
    assert not toolserver.serves(tmp_path)
    with serving(tmp_path):
        assert ask(tmp_path, TOKEN, [*WORDS, "status"], 10).exit == 2  # there is no launcher


def test_who_has_not_the_token_gets_nothing(fake: Fake) -> None:
    with serving(fake.folder), pytest.raises(NotServed, match="before the command was begun"):
        ask(fake.folder, "another", [*WORDS, "status"], 5.0)
    assert fake.asked == []
    assert not (fake.folder / "audit.jsonl").exists()


def test_a_server_that_can_make_no_process_says_so_as_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    with toolserver._Server(make_config(tmp_path)) as server:
        monkeypatch.setattr(os, "fork", none)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(OwnTrouble, match="no new process"):
            ask(tmp_path, TOKEN, [*WORDS, "status"], 5.0)
        thread.join()


def test_a_frozen_server_is_waited_for_no_longer_than_the_command_may_take(fake: Fake) -> None:
    with serving(fake.folder) as server:
        server.send_signal(signal.SIGSTOP)
        before = time.monotonic_ns()
        reply = ask(fake.folder, TOKEN, [*WORDS, "status"], 0.5)
        assert reply.exit is None
        assert reply.began_ns - before > 500_000_000  # all of it was spent waiting for the command to be begun
        server.send_signal(signal.SIGCONT)
