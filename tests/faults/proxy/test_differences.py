"""What is deliberately different, seen on both servers: the rows of the table in ``faults/proxy/README.md``.

When a later release of the original behaves as the embedded one does, the row's test says so.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from .engines import Engine
from .original import OriginalServer
from .test_api import A, swept
from .wire import BULK, GUARD_S, Case, Seen, Step, Toxic, watch

pytestmark = pytest.mark.real

PATIENCE_S = 0.4
Starter = Callable[[], OriginalServer]
Pair = tuple[Engine, Engine]


def ask(data: bytes = b"question") -> Step:
    return Step("client", "send", data)


def api(method: str, path: str, body: object = None) -> Step:
    return Step("api", "", (method, path, body))


def seen(engines: Pair, case: Case) -> tuple[Seen, Seen]:
    theirs, ours = (watch(engine, case, PATIENCE_S) for engine in engines)
    return theirs, ours


def down(kind: str, toxicity: float = 1, **attributes: int) -> Toxic:
    return Toxic(kind, "downstream", toxicity, attributes)


def up(kind: str, toxicity: float = 1, **attributes: int) -> Toxic:
    return Toxic(kind, "upstream", toxicity, attributes)


def test_half_close(engines: Pair) -> None:
    script = (ask(), Step("client", "finish"), Step("server", "send", b"answer"), Step("server", "close"))
    theirs, ours = seen(engines, Case("half-close", (), script))
    assert (theirs.client, theirs.client_end) == (b"", "FIN")
    assert (ours.client, ours.client_end) == (b"answer", "FIN")


def test_reset_peer_on_a_present_connection(engines: Pair) -> None:
    theirs, ours = seen(engines, Case("", (up("reset_peer"),), (ask(),), present=True))
    assert (theirs.client_end, theirs.server_end) == ("FIN", "FIN")
    assert (ours.client_end, ours.server_end) == ("RST", "RST")


@pytest.mark.parametrize("toxicity", [0, 1])
def test_reset_peer_that_did_not_act(engines: Pair, toxicity: float) -> None:
    script = (Step("server", "send", b"all"), Step("server", "close"))
    theirs, ours = seen(engines, Case("", (up("reset_peer", toxicity),), script))
    assert (theirs.client, theirs.client_end) == (b"all", "RST")
    assert (ours.client, ours.client_end) == (b"all", "FIN")


def test_reset_peer_removed_while_it_waits(engines: Pair) -> None:
    script = (ask(), api("DELETE", "/toxics/t0"), ask(b"again"))
    theirs, ours = seen(engines, Case("", (up("reset_peer", timeout=900),), script))
    assert (theirs.server, theirs.client_end) == (b"", "RST")
    assert (ours.server, ours.client_end) == (b"questionagain", "open")


def test_reset_peer_before_other_toxics(engines: Pair) -> None:
    toxics = (up("reset_peer"), up("slow_close", delay=600_000))
    theirs, ours = seen(engines, Case("", toxics, (ask(),)))
    assert (theirs.client_end, theirs.server_end) == ("open", "open")
    assert (ours.client_end, ours.server_end) == ("RST", "RST")


def test_removing_a_timeout_that_spared_a_connection(engines: Pair) -> None:
    script = (ask(), api("DELETE", "/toxics/t0"), Step("server", "idle"), ask(b"again"))
    theirs, ours = seen(engines, Case("", (up("timeout", 0),), script))
    assert (theirs.server, theirs.server_end) == (b"question", "FIN")
    assert (ours.server, ours.server_end) == (b"questionagain", "open")


@pytest.mark.parametrize("holding", [up("latency", latency=600_000), up("bandwidth", rate=0)])
def test_a_neighbour_of_a_toxic_that_holds_data(engines: Pair, holding: Toxic) -> None:
    neighbour = api("POST", "/toxics", {"type": "noop", "stream": "upstream"})
    theirs, ours = seen(engines, Case("", (holding,), (ask(), neighbour, Step("server", "idle"), ask(b"again"))))
    assert theirs.server == b"question"  # what was held goes on, what comes next is held
    assert ours.server == b""


def test_latency_behind_bandwidth(engines: Pair) -> None:
    toxics = (up("bandwidth", rate=100), up("latency", latency=350))  # 300 ms to pass on, then 350 ms under way
    script = (ask(BULK), Step("client", "close"))
    case = Case("", toxics, script, late_s=0.6)
    ours = watch(engines[1], case, 2.0)
    assert (ours.server, ours.effects[0]) == (BULK, "late")
    # A stall of the machine makes anything late: that it can come earlier is what shows the overlap.
    theirs = [watch(engines[0], case, 2.0) for _ in range(3)]
    assert {each.server for each in theirs} == {BULK}
    assert "came" in {each.effects[0] for each in theirs}


def test_a_refused_change_of_a_toxic(engines: Pair) -> None:
    """The original keeps those attributes of a refused change that were good."""
    left = []
    for engine in engines:
        with swept(engine):
            engine.must("POST", "/proxies", A)
            engine.must("POST", "/proxies/a/toxics", {"name": "t", "type": "latency"})
            body = b'{"attributes": {"latency": 7, "jitter": "x"}}'
            assert engine.call("POST", "/proxies/a/toxics/t", body).status == 400
            left.append(engine.must("GET", "/proxies/a/toxics/t")["attributes"]["latency"])
    assert left == [7, 0]


def test_text_after_a_body(engines: Pair) -> None:
    statuses = []
    for engine in engines:
        with swept(engine):
            body = b'{"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"} and more'
            statuses.append(engine.call("POST", "/proxies", body).status)
    assert statuses == [201, 400]


def test_toxicity_in_32_bits(engines: Pair) -> None:
    shown = []
    for engine in engines:
        with swept(engine):
            engine.must("POST", "/proxies", A)
            body = {"type": "noop", "toxicity": 0.123456789012}
            shown.append(engine.must("POST", "/proxies/a/toxics", body)["toxicity"])
    assert shown == [0.12345679, 0.123456789012]


def test_what_an_answer_looks_like(engines: Pair) -> None:
    replies = [engine.call("GET", "/proxies/no") for engine in engines]
    assert [reply.headers["content-type"] for reply in replies] == ["text/plain; charset=utf-8", "application/json"]
    assert [reply.json() for reply in replies] == [{"error": "proxy not found", "status": 404}] * 2
    assert all(re.fullmatch("[0-9a-v]{20}", reply.headers["x-toxiproxy-request-id"]) for reply in replies)
    assert [engine.must("GET", "/version")["version"] for engine in engines] == ["2.12.0", "2.12.0-kunren"]
    loggers = []
    for engine in engines:
        with swept(engine):
            loggers.append("Logger" in engine.must("POST", "/proxies", A))
    assert loggers == [True, False]


def counters(engine: Engine) -> dict[tuple[str, str], float]:
    """Kind and direction -> bytes of the proxy ``counted``."""
    lines = engine.call("GET", "/metrics").raw.decode().splitlines()
    return {
        (line.split("_")[2], line.partition('direction="')[2].partition('"')[0]): float(line.rpartition(" ")[2])
        for line in lines
        if 'proxy="counted"' in line
    }


def test_byte_counters(engines: Pair, upstream: Any) -> None:
    """The same names, labels and in the end the same numbers; the original counts when a connection has ended."""
    address = upstream().address
    for engine in engines:
        body = {"name": "counted", "listen": "127.0.0.1:0", "upstream": address}
        listen = engine.must("POST", "/proxies", body)["listen"]
        with contextlib.closing(socket.create_connection(("127.0.0.1", int(listen[10:])), GUARD_S)) as client:
            client.sendall(b"12345")
            assert client.recv(5, socket.MSG_WAITALL) == b"12345"
            during = counters(engine)
            assert all(value == 5 for value in during.values())
            assert bool(during) == (engine.name == "embedded")
        wanted = {(kind, way): 5.0 for kind in ("received", "sent") for way in ("upstream", "downstream")}
        until = time.monotonic() + GUARD_S
        while counters(engine) != wanted and time.monotonic() < until:
            time.sleep(0.02)
        assert counters(engine) == wanted
        engine.must("DELETE", "/proxies/counted")
        assert bool(counters(engine)) == (engine.name == "original")


KILLERS = {
    "a negative rate": up("bandwidth", rate=-1),
    "a variation larger than the size": up("slicer", average_size=1, size_variation=500),
}


@pytest.mark.parametrize("killer", KILLERS)
def test_attributes_that_end_the_original_server(embedded: Engine, start_original: Starter, killer: str) -> None:
    server = start_original()
    with contextlib.suppress(OSError):  # it is gone when the proxy is to be deleted
        watch(Engine("original", server.port), Case("", (KILLERS[killer],), (ask(BULK),)), 5.0)
    assert server.process.wait(GUARD_S) == 2  # a Go panic
    ours = watch(embedded, Case("", (KILLERS[killer],), (ask(BULK),)), PATIENCE_S)
    assert ours.client_end == ours.server_end == "open"
    assert ours.server == (b"" if "rate" in killer else BULK)


def test_slicer_without_a_size_passes_everything(embedded: Engine) -> None:
    """In the original its recursion has no end; not shown, since it takes a gigabyte of stack before it dies."""
    assert watch(embedded, Case("", (up("slicer"),), (ask(BULK),)), PATIENCE_S).server == BULK


def test_removing_a_toxic_before_a_peer_that_does_not_read(embedded: Engine, start_original: Starter) -> None:
    theirs = Engine("original", start_original().port)
    assert [removed(engine) for engine in (theirs, embedded)] == ["hangs", "removed"]


def removed(engine: Engine) -> str:
    """A toxic is removed while its queue is full; the deletion afterwards always works, and frees the rest."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        upstream = f"127.0.0.1:{listener.getsockname()[1]}"
        body = {"name": "full", "listen": "127.0.0.1:0", "upstream": upstream}
        port = int(engine.must("POST", "/proxies", body)["listen"].rpartition(":")[2])
        engine.must("POST", "/proxies/full/toxics", {"name": "t", "type": "latency", "stream": "upstream"})
        client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=0.5))
        stack.enter_context(listener.accept()[0])
        with contextlib.suppress(TimeoutError):
            for _ in range(5000):
                client.send(bytes(65536))
        try:
            reply = engine.call("DELETE", "/proxies/full/toxics/t", within_s=2.0)
        except TimeoutError:
            return "hangs"
        engine.must("DELETE", "/proxies/full")
        return "removed" if reply.status == 204 else str(reply.status)
