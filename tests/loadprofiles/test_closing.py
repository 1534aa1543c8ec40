"""Once the load is closing nobody comes any more: what they would do is in no journal by then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import gevent.socket
import pytest
from load_rig import SMALL

from loadprofiles.arrivals import schedule
from loadprofiles.client import Client
from loadprofiles.journal import Journal
from loadprofiles.open_model import OpenModel
from loadprofiles.own import OwnErrors

HELD_UP_S = 0.05


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Journal(tmp_path) as journal:
        yield Client(SMALL, 7, [], journal, 1, OwnErrors())


def held_up_while_told(then: Callable[[], None]) -> None:
    """A line comes from outside, as the command to stop does, while the process is held up.

    When it goes on, the line and the end of all short waits are there at once; and the line is looked at first.
    """
    ours, theirs = gevent.socket.socketpair()

    def listen() -> None:
        theirs.recv(1)
        then()

    with ours, theirs:
        listening = gevent.spawn(listen)
        gevent.sleep(0)
        ours.send(b"x")
        until = time.monotonic() + HELD_UP_S
        while time.monotonic() < until:
            pass
        listening.get(timeout=5)


def test_a_wait_whose_time_is_up_sees_that_the_load_is_closing(client: Client) -> None:
    waiting = gevent.spawn(client.pause, HELD_UP_S / 2)
    gevent.sleep(0)
    held_up_while_told(client.closing.set)
    assert waiting.get(timeout=5) is False
    assert client.pause(0) is False


def test_nobody_is_let_in_after_the_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    model = OpenModel(client, [], schedule(SMALL, 7, 5.0, {}))
    came: list[int] = []
    monkeypatch.setattr(model, "_admit", lambda number, *_: came.append(number))
    first = int(model._arrivals.offset[0])
    opened = gevent.spawn(model.open, time.monotonic_ns() - first + int(HELD_UP_S / 2 * 1e9))
    gevent.sleep(0)
    held_up_while_told(model.close)
    opened.join(timeout=5)
    assert (came, opened.dead) == ([], True)
