"""Each fault against a real proxy and a real process: what it does, what its witness sees, and that it goes away."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from faults import FAULTS
from faults.probe import Reaction, connects, probe
from faults.scope import from_intent
from faults.toxic import clear
from targets.target import Capabilities, ProbeResult

CLOSED = Reaction("closed", 0, 2.0, 2.0)
REPLIED = Reaction("closed", 50, 2.0, 3.0)
SILENT = Reaction("open")


def hangs_up(connection: socket.socket) -> None:
    connection.recv(100)


def replies(connection: socket.socket) -> None:
    connection.recv(100)
    connection.sendall(b"400 what was that supposed to mean\r\n")


def waits_for_a_whole_request(connection: socket.socket) -> None:
    said = b""
    while b"\r\n\r\n" not in said:
        if not (more := connection.recv(100)):
            return
        said += more
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def says_nothing(connection: socket.socket) -> None:
    while connection.recv(100):
        pass


SEEN = [
    ({"kind": "timeout"}, replies, True),
    ({"kind": "timeout"}, hangs_up, True),
    ({"kind": "timeout"}, waits_for_a_whole_request, True),
    ({"kind": "timeout"}, says_nothing, None),
    ({"kind": "timeout", "timeout": 100}, replies, True),
    ({"kind": "timeout", "stream": "upstream"}, hangs_up, True),
    ({"kind": "timeout", "stream": "downstream"}, replies, True),
    ({"kind": "timeout", "stream": "downstream"}, hangs_up, None),
    ({"kind": "latency", "latency": 100}, replies, True),
    ({"kind": "latency", "latency": 100, "stream": "upstream"}, hangs_up, True),
    ({"kind": "latency", "latency": 100, "stream": "downstream"}, waits_for_a_whole_request, True),
    ({"kind": "latency", "latency": 100, "jitter": 100}, replies, None),
    ({"kind": "bandwidth", "rate": 0}, replies, True),
    ({"kind": "bandwidth", "rate": 1}, replies, None),
    ({"kind": "slow-close", "delay": 150}, replies, True),
    ({"kind": "slow-close", "delay": 150}, says_nothing, None),
    ({"kind": "reset-peer"}, replies, True),
    ({"kind": "reset-peer", "timeout": 100}, says_nothing, True),
    ({"kind": "slicer", "average_size": 2}, replies, None),
    ({"kind": "limit-data", "bytes": 3, "stream": "downstream"}, replies, True),
    ({"kind": "limit-data", "bytes": 3}, hangs_up, None),
]


@pytest.mark.parametrize(("fields", "handler", "seen"), SEEN)
def test_a_toxic_is_injected_witnessed_undone_and_gone(
    target: Any, fields: dict[str, Any], handler: Callable[[socket.socket], None], seen: bool | None
) -> None:
    system = target(handler)
    fault = from_intent({"link": "link", **fields})
    before = fault.verify_effect(system)
    assert not before.ok
    injected = fault.inject(system)
    assert injected.ok
    assert injected.data["engine"] == "embedded 2.12.0"
    assert all(name.startswith("kunren-") for name in injected.data["toxics"])
    witnessed = fault.verify_effect(system)
    assert witnessed.ok, witnessed
    assert witnessed.data["effect_seen"] is seen, witnessed
    assert ("judged from the samples" in witnessed.says) == (seen is None)
    assert not fault.verify_removed(system).ok
    assert fault.rollback(system).data["removed"] == sorted(injected.data["toxics"])
    assert fault.verify_removed(system).ok
    assert fault.rollback(system).data["removed"] == []
    assert system.proxies().toxics("link") == {}


def test_what_was_set_is_in_the_evidence(target: Any) -> None:
    fault = from_intent({"kind": "latency", "link": "link", "stream": "upstream", "latency": 7, "toxicity": 0.5})
    shown = {"type": "latency", "stream": "upstream", "toxicity": 0.5, "attributes": {"latency": 7, "jitter": 0}}
    assert fault.inject(target()).data["toxics"] == {"kunren-latency-upstream": shown}


def test_a_toxic_that_does_nothing_is_no_effect(target: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    system = target(replies)
    fault = from_intent({"kind": "timeout", "link": "link"})
    for stream in ("upstream", "downstream"):  # there, by name and type, but sparing every connection
        system.proxies().add_toxic("link", f"kunren-timeout-{stream}", "timeout", stream, 0, {"timeout": 0})
    witnessed = fault.verify_effect(system)
    assert (witnessed.ok, witnessed.data["effect_seen"]) == (False, False)
    assert "no effect" in witnessed.says


def test_half_of_a_fault_is_not_the_fault(target: Any) -> None:
    system = target(replies)
    from_intent({"kind": "timeout", "link": "link", "stream": "upstream"}).inject(system)
    assert not from_intent({"kind": "timeout", "link": "link"}).verify_effect(system).ok


def test_other_toxics_are_left_alone(target: Any) -> None:
    system = target(replies)
    system.proxies().add_toxic("link", "somebody-elses", "latency", "upstream", 1, {})
    fault = from_intent({"kind": "timeout", "link": "link"})
    fault.inject(system)
    fault.rollback(system)
    assert list(system.proxies().toxics("link")) == ["somebody-elses"]


def test_clear_removes_whatever_is_ours(target: Any) -> None:
    system = target(replies)
    system.proxies().add_toxic("link", "somebody-elses", "latency", "upstream", 1, {})
    from_intent({"kind": "timeout", "link": "link"}).inject(system)
    from_intent({"kind": "bandwidth", "link": "link", "rate": 1}).inject(system)
    assert len(clear(system).data["removed"]) == 4
    assert list(system.proxies().toxics("link")) == ["somebody-elses"]
    assert clear(system).says == "removed nothing"


def test_down(target: Any) -> None:
    system = target(replies)
    fault = from_intent({"kind": "down", "link": "link"})
    assert not fault.verify_effect(system).ok
    assert fault.verify_removed(system).ok
    assert fault.inject(system).ok
    assert fault.verify_effect(system).ok
    assert connects(system.listen, 1.0).end == "refused"
    assert not fault.verify_removed(system).ok
    assert fault.rollback(system).data == {"changed": True}
    assert fault.rollback(system).data == {"changed": False}
    assert fault.verify_removed(system).ok
    assert probe(system.listen, 10.0).bytes > 0


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faults.service.eventually.__defaults__", (0.1,))


def test_kill(target: Any, quick: None) -> None:
    system = target()
    fault = from_intent({"kind": "kill", "service": "service"})
    first = system.process
    assert fault.verify_removed(system).ok
    assert not fault.verify_effect(system).ok
    assert fault.inject(system).data["pid"] == first.pid
    assert first.wait(20) == -signal.SIGKILL
    assert fault.verify_effect(system).ok
    assert not fault.verify_removed(system).ok
    assert not fault.inject(system).ok
    assert fault.rollback(system).data["changed"] is True
    assert fault.verify_removed(system).ok
    assert fault.rollback(system).data["changed"] is False
    assert system.process.pid != first.pid


def test_pause(target: Any, quick: None) -> None:
    system = target()
    fault = from_intent({"kind": "pause", "service": "service"})
    assert not fault.verify_effect(system).ok
    assert fault.inject(system).ok
    witnessed = from_intent({"kind": "pause", "service": "service"}).verify_effect(system)
    assert witnessed.data["process"] == "stopped"
    assert witnessed.ok
    assert not fault.verify_removed(system).ok
    assert fault.rollback(system).data["changed"] is True
    assert fault.rollback(system).ok
    assert fault.verify_removed(system).ok
    system.process.kill()
    system.process.wait(20)
    assert fault.rollback(system).data["changed"] is False
    assert not fault.inject(system).ok


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "gremlin"}, "unknown fault kind 'gremlin'; known: latency, bandwidth"),
        ({"kind": "timeout"}, "missing required field `link`"),
        ({"kind": "timeout", "link": "a", "times": 3}, "unknown field `times`"),
        ({"kind": "timeout", "link": "a", "stream": "sideways"}, "Invalid enum value 'sideways'"),
        ({"kind": "timeout", "link": "a", "timeout": -1}, ">= 0"),
        ({"kind": "timeout", "link": "a", "toxicity": 1.5}, "<= 1"),
        ({"kind": "timeout", "link": "a", "toxicity": 0}, "> 0"),
        ({"kind": "latency", "link": "a"}, "missing required field `latency`"),
        ({"kind": "latency", "link": "a", "latency": 1.5}, "Expected `int`"),
        ({"kind": "latency", "link": "a", "latency": 600_001}, "<= 600000"),
        ({"kind": "slicer", "link": "a", "average_size": 3, "size_variation": 3}, "must be less than average_size 3"),
        ({"kind": "slicer", "link": "a", "average_size": 0}, ">= 1"),
        ({"kind": "kill"}, "missing required field `service`"),
    ],
)
def test_bad_fields_are_refused_with_words(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011  the words are checked below
        from_intent(fields)
    assert says in str(error.value)


@pytest.mark.parametrize("kind", [kind for kind in FAULTS if kind not in ("planted", "slip", "load-step")])
def test_each_kind_is_registered_under_its_own_name_and_says_what_is_missing(kind: str) -> None:
    fault = FAULTS[kind]
    assert kind == fault.KIND
    fields = {field.name for field in msgspec.structs.fields(fault)}
    needs = "service" if "service" in fields else "link"
    examples = {"latency": 1, "rate": 1, "delay": 1, "average_size": 1, "bytes": 1}
    made = from_intent({"kind": kind, needs: "x", **{name: examples[name] for name in fields & set(examples)}})
    empty = Capabilities(frozenset({"l"}), frozenset({"s"}), (), operator=None, alerts=False)
    assert made.missing(empty) == f"{needs} x (it has: {needs[0]})"
    able = frozenset({"x"})
    full = Capabilities(able, able, (), operator=None, alerts=False, partitionable=able)
    assert made.missing(full) is None
    with pytest.raises(AttributeError):
        made.link = "y"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("fields", "direct", "through", "seen"),
    [
        ({"kind": "timeout"}, REPLIED, REPLIED, False),
        ({"kind": "timeout"}, CLOSED, CLOSED, False),
        ({"kind": "timeout", "timeout": 500}, CLOSED, Reaction("closed", 0, 501, 501), True),
        ({"kind": "timeout", "timeout": 500}, CLOSED, Reaction("closed", 0, 3, 3), False),
        ({"kind": "latency", "latency": 100}, CLOSED, SILENT, True),
        ({"kind": "latency", "latency": 100}, CLOSED, Reaction("closed", 0, 30, 30), False),
        ({"kind": "latency", "latency": 100, "stream": "downstream"}, CLOSED, CLOSED, None),
        ({"kind": "slow-close", "delay": 100}, CLOSED, CLOSED, False),
        ({"kind": "slow-close", "delay": 100}, CLOSED, SILENT, True),
        ({"kind": "slow-close", "delay": 100, "stream": "upstream"}, CLOSED, CLOSED, None),
        ({"kind": "reset-peer"}, CLOSED, CLOSED, False),
        ({"kind": "reset-peer"}, Reaction("reset", 0, 1, 1), Reaction("reset", 0, 1, 1), None),
        ({"kind": "reset-peer", "timeout": 60_000}, CLOSED, SILENT, None),
        ({"kind": "reset-peer", "stream": "downstream"}, SILENT, SILENT, None),
        ({"kind": "limit-data", "bytes": 10}, REPLIED, REPLIED, False),
        ({"kind": "limit-data", "bytes": 100}, REPLIED, REPLIED, None),
        ({"kind": "bandwidth", "rate": 0}, REPLIED, REPLIED, False),
    ],
)
def test_what_two_probes_show(fields: dict[str, Any], direct: Reaction, through: Reaction, seen: bool | None) -> None:
    fault = from_intent({"link": "link", **fields})
    assert fault.seen(direct, through) is seen  # type: ignore[attr-defined]


def test_an_upstream_that_cannot_be_reached_shows_nothing(target: Any) -> None:
    system = target(replies)
    fault = from_intent({"kind": "timeout", "link": "link"})
    fault.inject(system)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        system.address = f"127.0.0.1:{gone.getsockname()[1]}"
    witnessed = fault.verify_effect(system)
    assert isinstance(witnessed, ProbeResult)
    assert (witnessed.ok, witnessed.data["effect_seen"], witnessed.data["direct"]["end"]) == (True, None, "refused")
