"""Requests to the API while a connection stands: both servers do the same to it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from .engines import Engine
from .test_toxics import differing
from .wire import Case, Step, Toxic

pytestmark = pytest.mark.real

LONG = 600_000


def api(method: str, path: str = "", body: object = None) -> Step:
    return Step("api", "", (method, path, body))


def up(kind: str, attributes: dict[str, int]) -> Toxic:
    return Toxic(kind, "upstream", 1, attributes)


def change(**attributes: int) -> Step:
    """Of the first toxic."""
    return api("POST", "/toxics/t0", {"attributes": attributes})


def add(kind: str, name: str) -> Step:
    return api("POST", "/toxics", {"type": kind, "name": name, "stream": "upstream"})


SAY = Step("client", "send", b"held?")
MORE = Step("client", "send", b"and more")
ANSWER = Step("server", "send", b"answer")
END = Step("client", "close")
LOOK = Step("server", "idle")  # gives the other end time to see what comes
REMOVE = api("DELETE", "/toxics/t0")
CLOSES = {
    "a proxy is disabled": api("PATCH", "", {"enabled": False}),
    "a proxy is deleted": api("DELETE"),
    "a proxy gets another upstream": api("PATCH", "", {"upstream": "127.0.0.1:9"}),
    "a proxy listens elsewhere": api("PATCH", "", {"listen": "127.0.0.1:0"}),
    "a proxy is changed to what it was": api("PATCH", "", {"enabled": True}),
}
HOLDING = {
    "latency": up("latency", {"latency": LONG}),
    "bandwidth": up("bandwidth", {"rate": 0}),
    "timeout": up("timeout", {"timeout": 0}),
    "late timeout": up("timeout", {"timeout": LONG}),
}
RELEASING = {
    "latency": change(latency=0),
    "bandwidth": change(rate=1000),
    "timeout": change(timeout=50),
    "late timeout": change(timeout=50),
}
LATE = up("latency", {"latency": 150})
LIMIT = up("limit_data", {"bytes": 3})
CASES = [
    *(Case(what, (), (SAY, ANSWER, step, LOOK)) for what, step in CLOSES.items()),
    *(Case(f"{what}, with data held", (HOLDING["latency"],), (SAY, step, LOOK)) for what, step in CLOSES.items()),
    *(Case(f"{kind} holds and is removed", (toxic,), (SAY, REMOVE, LOOK, MORE)) for kind, toxic in HOLDING.items()),
    *(
        Case(f"{kind} holds, a proxy is deleted", (toxic,), (SAY, api("DELETE"), LOOK))
        for kind, toxic in HOLDING.items()
    ),
    *(
        Case(f"{kind} holds and is changed", (toxic,), (SAY, RELEASING[kind], LOOK, MORE))
        for kind, toxic in HOLDING.items()
    ),
    *(
        Case(f"{kind} holds and gets toxicity 0", (toxic,), (SAY, api("PATCH", "/toxics/t0", {"toxicity": 0}), MORE))
        for kind, toxic in HOLDING.items()
    ),
    *(Case(f"{kind} holds, the client ends", (toxic,), (SAY, END, LOOK)) for kind, toxic in HOLDING.items()),
    Case("slow_close is removed while it waits", (up("slow_close", {"delay": LONG}),), (SAY, END, REMOVE, LOOK)),
    Case("limit_data is removed in time", (up("limit_data", {"bytes": 8}),), (SAY, REMOVE, MORE, MORE)),
    Case("limit_data is raised", (up("limit_data", {"bytes": 8}),), (SAY, change(bytes=99), MORE)),
    Case("limit_data is lowered", (up("limit_data", {"bytes": 99}),), (SAY, change(bytes=7), MORE)),
    Case("slicer is removed while it waits", (up("slicer", {"average_size": 2, "delay": 10**8}),), (SAY, REMOVE, MORE)),
    Case("two latencies add up", (LATE, LATE), (SAY,), False, 0.29),
    Case("a limit before a latency", (LIMIT, LATE), (SAY, LOOK)),
    Case("a latency before a limit", (LATE, LIMIT), (SAY, LOOK)),
    Case("a slow close after a limit", (LIMIT, up("slow_close", {"delay": 250})), (SAY,), False, 0.24),
    Case("one of two is removed", (LATE, HOLDING["bandwidth"]), (SAY, api("DELETE", "/toxics/t1"), MORE)),
    Case("a toxic is added and removed in use", (), (SAY, add("latency", "x"), MORE, api("DELETE", "/toxics/x"), SAY)),
    Case("a toxic on the other stream changes nothing", (Toxic("timeout", "downstream", 1, {}),), (SAY, ANSWER, MORE)),
]


@pytest.mark.parametrize("present", [False, True])
def test_requests_do_the_same_to_a_standing_connection(engines: tuple[Engine, Engine], present: bool) -> None:
    found = differing(engines, [case._replace(present=present) for case in CASES])
    assert not found, "\n".join(found)


def comes_to(engine: Engine, upstream: str, *requests: tuple[str, str, object]) -> str:
    """A new client of a proxy after these requests: refused, ended, or what the upstream greeted with."""
    made = engine.must("POST", "/proxies", {"name": "new", "listen": "127.0.0.1:0", "upstream": upstream})
    try:
        for method, path, body in requests:
            engine.must(method, path, body)
        with socket.create_connection(("127.0.0.1", int(made["listen"].rpartition(":")[2])), timeout=20) as client:
            return client.recv(100).decode() or "ended"
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "reset"
    finally:
        engine.call("DELETE", "/proxies/new")


OFF, ON = {"enabled": False}, {"enabled": True}
NEW_CLIENTS: dict[str, list[tuple[str, str, object]]] = {
    "as it was made": [],
    "disabled": [("PATCH", "/proxies/new", OFF)],
    "disabled and enabled": [("PATCH", "/proxies/new", OFF), ("PATCH", "/proxies/new", ON)],
    "disabled and reset": [("PATCH", "/proxies/new", OFF), ("POST", "/reset", None)],
    "deleted": [("DELETE", "/proxies/new", None)],
    "with an upstream that refuses": [("PATCH", "/proxies/new", {"upstream": "127.0.0.1:1", "enabled": True})],
    "with an upstream that is none": [("PATCH", "/proxies/new", {"upstream": "nonsense", "enabled": True})],
    "with a port that is none": [("PATCH", "/proxies/new", {"upstream": "127.0.0.1:99999", "enabled": True})],
    "silenced": [("POST", "/proxies/new/toxics", {"type": "timeout", "attributes": {"timeout": 50}})],
    "silenced and reset": [("POST", "/proxies/new/toxics", {"type": "timeout"}), ("POST", "/reset", None)],
}


def greet(connection: socket.socket) -> None:
    connection.sendall(b"welcome")
    connection.recv(1)


@pytest.mark.parametrize("name", NEW_CLIENTS)
def test_a_new_client_comes_to_the_same(engines: tuple[Engine, Engine], upstream: Any, name: str) -> None:
    address = upstream(greet).address
    theirs, ours = (comes_to(engine, address, *NEW_CLIENTS[name]) for engine in engines)
    assert ours == theirs
