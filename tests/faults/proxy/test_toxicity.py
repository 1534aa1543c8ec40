"""The share of connections a toxic acts on. Neither server can be seeded, so shares are compared, not sequences.

By Hoeffding's inequality the share among N connections is further than ``MARGIN`` from the toxicity with a
probability of at most 2 exp(-2 N MARGIN²): below 1e-7 for each of the shares here, and they are few.
"""

from __future__ import annotations

import contextlib
import math
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from .engines import Engine
from .wire import GUARD_S

pytestmark = pytest.mark.real

N = 400
FALSE_ALARM = 1e-7
MARGIN = math.sqrt(math.log(2 / FALSE_ALARM) / (2 * N))
CUT = {"type": "limit_data", "stream": "downstream", "attributes": {"bytes": 3}}


@contextlib.contextmanager
def link(engine: Engine, upstream: str) -> Iterator[int]:
    made = engine.must("POST", "/proxies", {"name": "share", "listen": "127.0.0.1:0", "upstream": upstream})
    try:
        yield int(made["listen"].rpartition(":")[2])
    finally:
        engine.must("DELETE", "/proxies/share")


def join(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=GUARD_S)
    assert ask(client, b"!") == b"!"
    return client


def ask(client: socket.socket, data: bytes) -> bytes:
    """The echo, or as much of it as comes before the end."""
    got = b""
    with contextlib.suppress(ConnectionError):
        client.sendall(data)
        while len(got) < len(data) and (more := client.recv(100)):
            got += more
    return got


def share(answers: list[bytes]) -> float:
    """How many were cut; each was either cut or left alone, nothing else."""
    assert set(answers) <= {b"abc", b"abcdef"}
    return answers.count(b"abc") / len(answers)


@pytest.mark.parametrize("toxicity", [0.2, 0.5, 0.85])
def test_new_connections_get_it_in_its_share(engines: tuple[Engine, Engine], upstream: Any, toxicity: float) -> None:
    address = upstream().address
    for engine in engines:
        with link(engine, address) as port:
            engine.must("POST", "/proxies/share/toxics", {**CUT, "toxicity": toxicity})
            answers = []
            for _ in range(N):
                with socket.create_connection(("127.0.0.1", port), timeout=GUARD_S) as client:
                    answers.append(ask(client, b"abcdef"))
        assert abs(share(answers) - toxicity) < MARGIN, engine.name


def test_present_connections_get_it_in_its_share(engines: tuple[Engine, Engine], upstream: Any) -> None:
    address = upstream().address
    for engine in engines:
        with link(engine, address) as port, contextlib.ExitStack() as stack:
            clients = [stack.enter_context(join(port)) for _ in range(N)]
            engine.must("POST", "/proxies/share/toxics", {**CUT, "toxicity": 0.3})
            answers = [ask(client, b"abcdef") for client in clients]
        assert abs(share(answers) - 0.3) < MARGIN, engine.name


def test_a_connection_keeps_its_lot(engines: tuple[Engine, Engine], upstream: Any) -> None:
    """Half of them are silenced, each for good: an answer means that the next one comes too."""
    address = upstream().address
    silence = {"type": "timeout", "stream": "upstream", "toxicity": 0.5, "attributes": {"timeout": 1}}
    for engine in engines:
        with link(engine, address) as port:
            engine.must("POST", "/proxies/share/toxics", silence)
            lots = set()
            for _ in range(60):
                with socket.create_connection(("127.0.0.1", port), timeout=GUARD_S) as client:
                    lots.add(b"".join(ask(client, b"x") for _ in range(5)))
        assert lots == {b"", b"xxxxx"}, engine.name
