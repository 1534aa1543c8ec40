"""Addresses of this machine in both families: written, read, found, and ports that are free in both."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest

from faults import probe
from targets.loopback import is_loopback, joined, split
from targets.ports import BLOCK, accepts, answering, claim_block, claimed, resolved

from .ipv6 import needs_ipv6


@pytest.fixture
def six() -> Iterator[int]:
    """A port on which something listens at ::1 alone."""
    needs_ipv6()
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:5432", "::1", 5432), ("localhost:1", "localhost", 1)],
)
def test_an_address_is_taken_apart_and_put_together(address: str, host: str, port: int) -> None:
    assert split(address) == (host, port)
    assert joined(host, port) == address


@pytest.mark.parametrize("address", ["", "80", "::1:80", "[::1]", "[::1]:", "a b:80", "127.0.0.1:0", "[::1]:65536"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="is no address such as"):
        split(address)
    assert not is_loopback(address)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("127.0.0.1:80", True), ("127.9.9.9:80", True), ("[::1]:80", True), ("localhost:80", True),
        ("10.0.0.1:80", False), ("[::]:80", False), ("[::2]:80", False), ("[fe80::1]:80", False),
        ("[::ffff:127.0.0.1]:80", False), ("[::ffff:10.0.0.1]:80", False), ("0.0.0.0:80", False), ("db:80", False),
    ],
)  # fmt: skip
def test_of_this_machine_are_both_loopbacks_and_localhost(address: str, own: bool) -> None:
    assert is_loopback(address) is own


def test_who_listens_at_the_other_loopback_is_found(six: int) -> None:
    assert (accepts(six), accepts(six, "::1")) == (False, True)
    assert answering(six) == "::1"
    assert resolved(f"localhost:{six}") == f"[::1]:{six}"
    assert probe.connects(f"[::1]:{six}", 5.0).accepted
    assert probe.connects(f"127.0.0.1:{six}", 5.0).end == "refused"


def test_localhost_where_nothing_answers_is_nowhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert resolved(f"localhost:{port}") == f"127.0.0.1:{port}"
    assert answering(port) is None
    assert resolved(f"localhost:{port}") is None
    assert resolved(f"127.0.0.1:{port}") == f"127.0.0.1:{port}"


def test_more_ports_than_a_block_has_claim_the_next_one_too() -> None:
    found = claim_block(BLOCK + 1)
    try:
        assert found.ports == tuple(range(found.ports[0], found.ports[0] + BLOCK + 1))
        assert claimed(found.ports[0])
        assert claimed(found.ports[-1])
    finally:
        found.release()
    assert not claimed(found.ports[-1])


def test_a_port_that_is_taken_at_the_other_loopback_is_not_free() -> None:
    """The same draw twice: the second time something listens on ::1 in the block that came first."""
    needs_ipv6()
    first = claim_block(BLOCK, random.Random(7))
    first.release()
    with socket.create_server(("::1", first.ports[BLOCK // 2]), family=socket.AF_INET6):
        second = claim_block(BLOCK, random.Random(7))
    second.release()
    assert not set(first.ports) & set(second.ports)
