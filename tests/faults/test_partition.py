"""A service that is cut off: by its links on a real proxy, or wholly, as a target says that it can."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from faults.partition import Partition, _felt
from faults.scope import from_intent
from targets import silence
from targets.target import Capabilities, Cut, Link, ServiceState, TargetError

FAULT = Partition(service="service")


def replies(connection: socket.socket) -> None:
    while connection.recv(100):
        connection.sendall(b"what was that supposed to mean\r\n")


def says_nothing(connection: socket.socket) -> None:
    while connection.recv(100):
        pass


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faults.service.eventually.__defaults__", (0.1,))
    monkeypatch.setattr("faults.partition.BACK_S", 0.1)


def test_its_links_go_silent_and_speak_again(target: Any, connect: Callable[[str], socket.socket]) -> None:
    system = target(replies)
    before = FAULT.verify_effect(system)
    assert (before.ok, before.says) == (False, "service is not cut off")
    open_before = connect(system.listen)
    open_before.sendall(b"x")
    assert open_before.recv(100)
    injected = FAULT.inject(system)
    assert injected.ok
    assert injected.data["links"] == ["link"]
    assert injected.data["not_cut"] == ["somebody -> service"]
    assert "a real partition leaves the SYN unanswered" in injected.says
    open_before.sendall(b"x")
    open_before.settimeout(0.3)
    with pytest.raises(TimeoutError):
        open_before.recv(100)
    seen = FAULT.verify_effect(system)
    assert (seen.ok, seen.data["effect_seen"]) == (True, True)
    assert "not cut: somebody -> service" in seen.says
    assert seen.data["probes"]["link"]["through"]["bytes"] == 0
    assert FAULT.verify_removed(system).data["left"] == [
        "link/" + name for name in sorted(system.proxies().toxics("link"))
    ]
    assert from_intent({"kind": "partition", "service": "service"}).rollback(system).ok
    assert FAULT.verify_removed(system).ok
    assert FAULT.rollback(system).ok
    assert system.proxies().toxics("link") == {}
    assert not FAULT.verify_effect(system).ok


def test_a_far_end_that_never_says_anything_shows_nothing(target: Any) -> None:
    system = target(says_nothing)
    FAULT.inject(system)
    seen = FAULT.verify_effect(system)
    assert (seen.ok, seen.data["effect_seen"]) == (True, None)


def test_half_of_it_is_not_it_but_is_undone(target: Any) -> None:
    system = target(replies)
    FAULT.inject(system)
    system.proxies().remove_toxic("link", "kunren-partition-service-upstream")
    assert not FAULT.verify_effect(system).ok
    assert not FAULT.verify_removed(system).ok
    assert FAULT.rollback(system).ok
    assert FAULT.verify_removed(system).ok


def test_toxics_that_do_nothing_are_no_partition(target: Any) -> None:
    system = target(replies)
    for stream in silence.STREAMS:
        name = f"kunren-partition-service-{stream}"
        system.proxies().add_toxic("link", name, "timeout", stream, 0, {"timeout": 0})
    seen = FAULT.verify_effect(system)
    assert (seen.ok, seen.data["effect_seen"]) == (False, False)


def test_both_ends_of_a_link_may_be_cut_off_and_mended_one_by_one(target: Any) -> None:
    system = target(replies)
    silence.disconnect(system.links(), system.proxies(), "client")
    FAULT.inject(system)
    FAULT.rollback(system)
    assert silence.cut(system.links(), system.proxies(), "client", ()).there
    left = {f"kunren-partition-client-{stream}" for stream in silence.STREAMS}
    assert set(system.proxies().toxics("link")) == left


def test_what_does_not_run_is_not_cut_off(target: Any) -> None:
    system = target(replies)
    system.signal("service", signal.SIGKILL)
    system.process.wait(20)
    assert not FAULT.inject(system).ok
    assert system.proxies().toxics("link") == {}
    assert FAULT.verify_removed(system).ok  # that it is dead is no matter of this fault


def test_what_no_link_leads_to_cannot_be_cut_off(target: Any) -> None:
    system = target(replies)
    with pytest.raises(TargetError, match="at the end of no link"):
        silence.disconnect(system.links(), system.proxies(), "nobody")


def test_what_the_target_cannot_cut_off_is_missing() -> None:
    capabilities = Capabilities(
        frozenset(), frozenset({"api", "mail"}), (), None, False, partitionable=frozenset({"api"})
    )
    assert Partition(service="api").missing(capabilities) is None
    assert Partition(service="mail").missing(capabilities) == "a way to cut mail off (it can: api)"
    assert Partition(service="web").missing(capabilities) == "service web (it has: api, mail)"
    assert "it can: none" in str(Partition(service="mail").missing(replace(capabilities, partitionable=frozenset())))


@dataclass
class Whole:
    """A target that cuts wholly; ``leaks`` when the service answers all the same."""

    off: bool = False
    leaks: bool = False

    def services(self) -> dict[str, ServiceState]:
        return {"service": ServiceState("service", 1, self.leaks or not self.off)}

    def links(self) -> dict[str, Link]:
        return {}

    @property
    def partitioning(self) -> Whole:
        return self

    def cut(self, service: str) -> Cut:
        wanted = frozenset({"off"})
        return Cut("the cable is pulled", (), (), wanted, wanted if self.off else frozenset())

    def disconnect(self, service: str) -> None:
        self.off = True

    def connect(self, service: str) -> None:
        self.off = False


def test_a_whole_one_is_seen_by_what_does_not_answer() -> None:
    system: Any = Whole()
    assert FAULT.inject(system).says == "service cut off: the cable is pulled"
    assert FAULT.verify_effect(system).data["effect_seen"] is True
    assert FAULT.rollback(system).ok
    assert FAULT.verify_removed(system).ok


def test_a_whole_one_that_still_answers_is_none() -> None:
    system: Any = Whole(leaks=True)
    FAULT.inject(system)
    seen = FAULT.verify_effect(system)
    assert (seen.ok, seen.data["effect_seen"]) == (False, False)


@pytest.mark.parametrize(
    ("each", "felt"),
    [([], None), ([None], None), ([True, None], True), ([True, False], False), ([False], False)],
)
def test_all_that_can_tell_must_be_silent(each: list[bool | None], felt: bool | None) -> None:
    assert _felt(each) is felt
