"""The same requests to both servers get the same status codes and bodies, and leave the same state behind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from .engines import Engine, comparable

pytestmark = pytest.mark.real


class Request(NamedTuple):
    """``body``: bytes as they are, anything else as JSON; ``{P1}`` in it stands for a free port."""

    method: str
    path: str
    body: Any = None
    agent: str = "differential"


A = {"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"}
MAKE_A = Request("POST", "/proxies", A)
MAKE_B = Request("POST", "/proxies", {**A, "name": "b"})
OFF_A = Request("POST", "/proxies", {**A, "enabled": False})
T = {"name": "t", "type": "latency", "toxicity": 0.5, "attributes": {"latency": 10, "jitter": 2}}
MAKE_T = Request("POST", "/proxies/a/toxics", T)
TOXICS = ("latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data")


def post(body: Any) -> Request:
    return Request("POST", "/proxies", body)


def change(body: Any, method: str = "POST") -> Request:
    return Request(method, "/proxies/a", body)


def toxic(body: Any) -> Request:
    return Request("POST", "/proxies/a/toxics", body)


def change_toxic(body: Any, method: str = "POST") -> Request:
    return Request(method, "/proxies/a/toxics/t", body)


def populate(body: Any) -> Request:
    return Request("POST", "/populate", body)


BODIES = (b"", b"{", b"nonsense", b"[]", b"{}", b"null", b"3", b'"text"', b"[null]", b"[{}]", b"[3]")
UNKNOWN = [
    *(Request(method, "/proxies/no", {}) for method in ("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD")),
    *(Request(method, "/proxies/no/toxics", {}) for method in ("GET", "POST", "DELETE", "PATCH")),
    *(Request(method, "/proxies/no/toxics/t", {}) for method in ("GET", "POST", "PATCH", "DELETE")),
    *(Request(method, "/proxies/a/toxics/no", {}) for method in ("GET", "POST", "PATCH", "DELETE", "PUT")),
    *(Request("GET", path) for path in ("/", "/nonsense", "/proxies/", "/proxies/a/", "/proxies/a/nonsense", "/reset")),
    *(Request("GET", path) for path in ("/populate", "/proxies/a%2Fb", "/proxies/%61", "/proxies/a?x=1")),
    *(Request("DELETE", path) for path in ("/proxies", "/version", "/reset", "/populate")),
    *(Request("HEAD", path) for path in ("/proxies", "/version", "/proxies/a")),
]

CASES: dict[str, list[Request]] = {
    "the life of a proxy": [
        MAKE_A,
        Request("GET", "/proxies/a"),
        Request("GET", "/proxies"),
        change({"enabled": False}),
        change({"enabled": False}, "PATCH"),
        change({"enabled": True}, "PATCH"),
        change({"enabled": None}),
        change({"upstream": "127.0.0.1:10"}),
        change({"listen": "127.0.0.1:{P1}"}),
        change({"listen": "localhost:{P1}"}),
        change({"name": "other", "nonsense": 1}),
        Request("DELETE", "/proxies/a"),
        Request("DELETE", "/proxies/a"),
    ],
    "a proxy that is made closed": [OFF_A, change({}), change({"upstream": "x"}), change({"enabled": True})],
    "a proxy that is made twice": [MAKE_A, MAKE_A, post({**A, "listen": "nonsense"})],
    "names of other shapes": [
        post({**A, "name": "with space"}),
        Request("GET", "/proxies/with%20space"),
        post({**A, "name": "日本"}),
        Request("GET", "/proxies/%E6%97%A5%E6%9C%AC"),
    ],
    "fields of a proxy that are missing": [
        post({"upstream": "127.0.0.1:9"}),
        post({"name": "b"}),
        post({"name": "", "upstream": ""}),
        post({"name": None, "upstream": "127.0.0.1:9"}),
        post({"name": "b", "upstream": None}),
        post({**A, "enabled": None}),
    ],
    "fields of a proxy of the wrong type": [
        *(post({**A, field: value}) for field in ("name", "listen", "upstream") for value in (3, True, [], {}, 1.5)),
        *(post({**A, "enabled": value}) for value in ("true", 1, 0, [], {})),
    ],
    "fields in other letters": [
        post({"Name": "a", "LISTEN": "127.0.0.1:0", "upStream": "127.0.0.1:9", "Enabled": False}),
        toxic({"Name": "t", "Type": "latency", "Toxicity": 0.5, "Attributes": {"Latency": 3}}),
        change_toxic({"ATTRIBUTES": {"JITTER": 4}}),
    ],
    "wrong bodies for a proxy": [post(body) for body in BODIES],
    "wrong bodies for a change": [MAKE_A, *(change(body) for body in BODIES), change({"enabled": "no"})],
    "wrong bodies for a toxic": [MAKE_A, *(toxic(body) for body in BODIES)],
    "wrong bodies for a toxic's change": [MAKE_A, MAKE_T, *(change_toxic(body) for body in BODIES)],
    "wrong bodies for populate": [populate(body) for body in BODIES],
    "text after the body": [post(b'{"name": "a", "upstream": "x:1", "enabled": false}   \n')],
    "addresses that are none": [
        *(
            post({**A, "listen": listen})
            for listen in ("nonsense", "127.0.0.1:x", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1", ":::", "[::1:0")
        ),
        post({**A, "name": "u", "upstream": "nonsense"}),
        post({**A, "name": "v", "upstream": "127.0.0.1:99999"}),
        post({**A, "listen": "nonsense", "enabled": False}),
        change({"upstream": "other"}),
        change({"enabled": True}),
        change({"listen": "127.0.0.1:0", "enabled": True}),
        change({"listen": "nonsense"}),
    ],
    "an address that is taken": [
        post({**A, "listen": "127.0.0.1:{TAKEN}"}),
        MAKE_A,
        change({"listen": "127.0.0.1:{TAKEN}"}),
        Request("GET", "/proxies/a"),
        change({"listen": "127.0.0.1:{TAKEN}"}),
        change({"enabled": True}),
        Request("POST", "/reset"),
        change({"listen": "127.0.0.1:{P1}"}),
        change({"enabled": True}),
        Request("POST", "/reset"),
    ],
    "listening at localhost": [
        post({**A, "listen": "localhost:{P1}"}),
        change({"listen": "localhost:{P1}"}),
        populate([{**A, "listen": "localhost:{P1}"}]),
    ],
    "a proxy without listen, closed": [
        post({"name": "a", "upstream": "x:1", "enabled": False}),
        MAKE_T,
        populate([{"name": "a", "upstream": "x:1", "enabled": False}]),
        change({"listen": "127.0.0.1:{P1}"}),
        MAKE_T,
        populate([{"name": "a", "upstream": "x:1", "enabled": False}]),
        change({"listen": ""}),
    ],
    "toxics with their defaults": [MAKE_A, *(toxic({"type": kind}) for kind in TOXICS), Request("GET", "/proxies/a")],
    "the life of a toxic": [
        MAKE_A,
        MAKE_T,
        MAKE_T,
        toxic({"type": "latency", "stream": "upstream"}),
        toxic({"type": "latency", "stream": "upstream"}),
        toxic({"name": "t", "type": "timeout", "stream": "upstream"}),
        toxic({"name": "last", "type": "slicer", "attributes": {"average_size": 3, "unknown": 1}}),
        Request("GET", "/proxies/a/toxics"),
        Request("GET", "/proxies/a/toxics/t"),
        change_toxic({"attributes": {"jitter": 3}}),
        change_toxic({"toxicity": 0.25}, "PATCH"),
        change_toxic({"toxicity": 0.75, "name": "x", "type": "timeout", "stream": "upstream"}),
        change_toxic({}),
        Request("DELETE", "/proxies/a/toxics/t"),
        Request("DELETE", "/proxies/a/toxics/t"),
        Request("GET", "/proxies/a"),
    ],
    "the hidden toxic": [MAKE_A, toxic({"type": "noop"}), toxic({"type": "noop", "attributes": {"x": 1}})],
    "streams": [
        MAKE_A,
        *(
            toxic({"type": "latency", "stream": stream})
            for stream in ("UPSTREAM", "Downstream", "sideways", "", None, 3, "upstream ")
        ),
        Request("GET", "/proxies/a/toxics"),
    ],
    "toxicities": [
        MAKE_A,
        *(
            toxic({"type": "latency", "name": f"n{number}", "toxicity": toxicity})
            for number, toxicity in enumerate((0, 1, 5, -1, 0.5, None, "1", True, [], 1e-3))
        ),
        Request("GET", "/proxies/a/toxics"),
    ],
    "attributes of the wrong type": [
        MAKE_A,
        *(toxic({"type": "latency", "attributes": attributes}) for attributes in (3, "x", [], True)),
        *(
            toxic({"type": "latency", "attributes": {"latency": value}})
            for value in ("1", 1.5, 1.0, True, [], 10**30, 2**63, -(2**63) - 1)
        ),
        *(
            toxic({"type": "latency", "name": f"n{number}", "attributes": attributes})
            for number, attributes in enumerate((None, {"latency": None}, {"latency": -5}, {"latency": 2**63 - 1}, {}))
        ),
        toxic(b'{"type": "latency", "attributes": {"latency": 1e2}}'),
    ],
    "attributes of the wrong type in a change": [
        MAKE_A,
        MAKE_T,
        *(change_toxic({"attributes": attributes}) for attributes in (3, "x", [], True, None, {"latency": None})),
        *(change_toxic({"attributes": {"latency": value}}) for value in ("1", 1.5, True, [], 2**63)),
        *(change_toxic({"toxicity": value}) for value in (None, "1", True, [], 2, -1)),
        Request("GET", "/proxies/a/toxics/t"),
    ],
    "types of toxics": [
        MAKE_A,
        *(toxic({"type": kind}) for kind in ("gremlin", "", None, 3, "Latency")),
        toxic({"type": "gremlin", "stream": "sideways"}),
        toxic({"type": "gremlin", "attributes": 3}),
        toxic({"name": "only"}),
    ],
    "populate": [
        populate([]),
        populate([A, {**A, "name": "b", "enabled": False}]),
        Request("GET", "/proxies"),
        MAKE_T,
        populate([{**A, "listen": "127.0.0.1:{P1}"}]),
        MAKE_T,
        populate([{**A, "listen": "127.0.0.1:{P1}", "enabled": False}]),
        populate([{**A, "listen": "127.0.0.1:{P1}", "upstream": "127.0.0.1:10", "enabled": False}]),
        populate([{**A, "listen": "127.0.0.1:{P1}"}, {**A, "listen": "127.0.0.1:{P2}"}]),
    ],
    "populate that fails": [
        populate([A, {"name": "b"}]),
        populate([A, {"upstream": "127.0.0.1:9"}]),
        populate([A, {**A, "name": 3}]),
        Request("GET", "/proxies"),
        populate([A, {**A, "name": "b", "listen": "nonsense"}]),
        populate([{**A, "name": "c", "listen": "127.0.0.1:{TAKEN}"}]),
        populate([{**A, "listen": "127.0.0.1:{TAKEN}"}]),
        Request("GET", "/proxies"),
        populate([{**A, "listen": "nonsense"}]),
    ],
    "reset": [
        Request("POST", "/reset"),
        MAKE_A,
        MAKE_B,
        MAKE_T,
        toxic({"type": "timeout", "stream": "upstream"}),
        change({"enabled": False}),
        Request("POST", "/reset"),
        Request("GET", "/proxies"),
        Request("POST", "/reset", b"nonsense"),
    ],
    "paths and methods that are not there": [MAKE_A, *UNKNOWN],
    "browsers": [
        Request("GET", "/version", agent="Mozilla/5.0"),
        Request("GET", "/proxies", agent="Mozilla/5.0"),
        Request("GET", "/proxies", agent="Mozilla"),
        Request("GET", "/nonsense", agent="Mozilla/5.0"),
    ],
}


@pytest.fixture(scope="module")
def addresses(ports: Callable[[], dict[str, int]]) -> dict[str, int]:
    """The same for both servers: they are asked one after the other."""
    return ports()


def filled(body: Any, ports: Mapping[str, int]) -> Any:
    """The body with port numbers in it."""
    if isinstance(body, str):
        for name, port in ports.items():
            body = body.replace(f"{{{name}}}", str(port))
        return body
    if isinstance(body, dict):
        return {key: filled(value, ports) for key, value in body.items()}
    return [filled(each, ports) for each in body] if isinstance(body, list) else body


@contextlib.contextmanager
def swept(engine: Engine) -> Iterator[None]:
    """No proxies before and after."""
    try:
        yield
    finally:
        for name in engine.must("GET", "/proxies"):
            engine.call("DELETE", "/proxies/" + quoted(name))


def quoted(name: str) -> str:
    """A proxy's name in a path."""
    return "".join(f"%{byte:02X}" for byte in name.encode())


def answers(engine: Engine, requests: list[Request], ports: Mapping[str, int]) -> list[tuple[int, Any]]:
    """What each request got, and the state at the end."""
    with swept(engine):
        replies = [
            engine.call(each.method, each.path, filled(each.body, ports), headers={"User-Agent": each.agent})
            for each in [*requests, Request("GET", "/proxies")]
        ]
    return [comparable(reply, ports) for reply in replies]


@pytest.mark.parametrize("name", CASES)
def test_both_answer_alike(engines: tuple[Engine, Engine], addresses: dict[str, int], name: str) -> None:
    requests = CASES[name]
    theirs, ours = (answers(engine, requests, addresses) for engine in engines)
    asked = [*requests, Request("GET", "/proxies")]
    differing = [
        f"{each.method} {each.path} {each.body!r}\n  original: {his}\n  embedded: {mine}"
        for each, his, mine in zip(asked, theirs, ours, strict=True)
        if his != mine
    ]
    assert not differing, "\n".join(differing)
