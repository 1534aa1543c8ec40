"""What only containers show: a real partition, and the clock that they share with this machine."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import msgspec
import pytest

from faults import FAULTS
from targets.compose import ComposeTarget
from targets.containers import clock
from targets.containers.stack import THROUGH_THE_ENGINE, ContainerStack

pytestmark = [pytest.mark.contract, pytest.mark.of("compose")]


@pytest.fixture
def stack(up: Any) -> ContainerStack:
    target = up.target
    assert isinstance(target, ContainerStack)
    return target


@contextmanager
def cut_off(stack: ContainerStack, service: str) -> Iterator[None]:
    fault = FAULTS["partition"](service=service)  # type: ignore[call-arg]
    assert fault.inject(stack).ok
    try:
        yield
    finally:
        assert fault.undo(stack).ok
        assert fault.gone(stack).ok


def place(stack: ContainerStack, service: str) -> tuple[str, set[str], Any]:
    """Address, names but the container's number, and published ports."""
    shown = stack.project._container(service).attrs["NetworkSettings"]
    (network,) = shown["Networks"].values()
    return network["IPAddress"], {service} & set(network["Aliases"]), shown["Ports"]


def test_a_session_that_was_open_goes_on_under_the_same_address(stack: ContainerStack) -> None:
    host, _, port = stack.links()["client-api"].listen.rpartition(":")
    before = place(stack, "api")
    with closing(http.client.HTTPConnection(host, int(port), timeout=20)) as session:
        session.request("GET", "/healthz")
        assert session.getresponse().read()
        line = session.sock
        with cut_off(stack, "api"):
            session.request("GET", "/healthz")
            line.settimeout(1.0)
            with pytest.raises(TimeoutError):
                line.recv(1, socket.MSG_PEEK)
        line.settimeout(20)
        assert session.getresponse().status == 200
        assert session.sock is line
    assert place(stack, "api") == before


def test_every_service_can_be_cut_off_and_gets_its_place_back(stack: ContainerStack) -> None:
    for service in sorted(stack.offer().partitionable):
        before = place(stack, service)
        with cut_off(stack, service):
            assert not stack.services()[service].healthy
        assert place(stack, service) == before


def test_its_clock_is_this_machine_s(stack: ContainerStack) -> None:
    seen = clock.brackets(stack._stamp_inside)
    assert all(each.holds for each in seen)
    assert "CLOCK_MONOTONIC shared" in stack.engines()["clock"]


def test_another_clock_is_refused(stack: ContainerStack, monkeypatch: pytest.MonkeyPatch) -> None:
    from targets.target import TargetError

    real = stack._stamp_inside
    monkeypatch.setattr(stack, "_stamp_inside", lambda: real() + 3_600_000_000_000)
    with pytest.raises(TargetError, match="another clock than this machine"):
        stack.engines()


def test_where_its_addresses_lead_elsewhere_customers_stay_at_the_published_port(
    stack: ContainerStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(stack, ComposeTarget)
    monkeypatch.setattr(stack, "door", stack.door)
    before = stack.customers_url()
    monkeypatch.setattr("targets.containers.network.is_here", lambda network: False)
    stack._go_past_the_engine()
    assert (stack.door, stack.customers_url()) == (THROUGH_THE_ENGINE, before)


def test_what_does_not_show_the_token_is_not_taken_for_the_proxy(
    stack: ContainerStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(stack, ComposeTarget)
    monkeypatch.setattr(stack, "door", stack.door)
    monkeypatch.setattr(stack, "config", msgspec.structs.replace(stack.config, token="another"))
    stack._go_past_the_engine()
    assert stack.door == THROUGH_THE_ENGINE


def test_another_process_reaches_it_the_same_way(up: Any, stack: ContainerStack) -> None:
    other = up.way.attach(stack.intent())
    assert other.customers_url() == stack.customers_url()
    assert other.links() == stack.links()
