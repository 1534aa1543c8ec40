"""The variables of ``compose.yaml``: what they are called, and what they are for one stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from targets.brokerage.config import Config
from targets.brokerage.topology import TOPOLOGY
from targets.containers import network

INSIDE = "inside"
"""The folder in a stack's own that its containers see as ``/stack``."""


def address(container: str) -> str:
    """The variable with the container's address in the stack's network."""
    return _variable("IP", container)


def port(name: str) -> str:
    """The variable with the number of a component's port."""
    return _variable("PORT", name)


def link(name: str) -> str:
    """The variable with the port at which the link's proxy listens."""
    return _variable("VIA", name)


def environment(config: Config, home: Path, user: str, tag: str) -> Iterator[tuple[str, str]]:
    """All of them, for a stack in ``home`` whose containers run as ``user`` (uid:gid) from the images with the tag."""
    yield from (
        ("KUNREN_STACK_ID", config.stack), ("KUNREN_TOKEN", config.token), ("KUNREN_HOME", str(home)),
        ("KUNREN_INSIDE", str(home / INSIDE)), ("KUNREN_USER", user), ("KUNREN_TAG", tag),
        ("KUNREN_SUBNET", config.network),
    )  # fmt: skip
    addresses = network.addresses(config.network, TOPOLOGY.containers)
    yield from ((address(name), each) for name, each in addresses.items())
    yield from ((port(name), str(number)) for name, number in config.ports.items())
    yield from ((link(name), str(number)) for name, number in config.via.items())


def _variable(prefix: str, name: str) -> str:
    return f"{prefix}_{name.upper().replace('-', '_')}"
