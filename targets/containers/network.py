"""The network of one stack of containers: which addresses it has, and whether this machine is on it.

Addresses are of 198.18.0.0/15, which is set aside for tests of networks (RFC 2544) and routed nowhere. Each stack has
32 of them, more where its parts take more, each part always the same one: a part that was taken off the network comes
back under its old address, and the connections it had go on.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from targets.ports import BLOCK, LOWEST
from targets.target import TargetError

RESERVED = ipaddress.IPv4Network("198.18.0.0/15")
LONGEST_PREFIX = 27
ROUTES = Path("/proc/net/route")
OWN, FIRST_PART = 1, 2
"""Places in a network: the engine gives the first address to its own end."""


def free(block_start: int, parts: int) -> str:
    """A network for so many parts of the stack whose ports begin there, in CIDR.

    TargetError when this machine has routes to all.
    """
    taking = FIRST_PART + parts + 1  # its last address is everybody's
    found = list(RESERVED.subnets(new_prefix=min(LONGEST_PREFIX, 32 - (taking - 1).bit_length())))
    begin = (block_start - LOWEST) // BLOCK % len(found)
    taken = list(_routes(ROUTES))
    for each in (*found[begin:], *found[:begin]):
        if not any(each.overlaps(route) for route in taken):
            return str(each)
    raise TargetError(f"this machine has routes to all of {RESERVED}: no network is left for containers")


def addresses(network: str, parts: Iterable[str]) -> dict[str, str]:
    """Part -> its address, by its place among the parts."""
    first = ipaddress.IPv4Network(network).network_address + FIRST_PART
    return {part: str(first + place) for place, part in enumerate(parts)}


def is_here(network: str) -> bool:
    """Whether the engine's own end of it is on this machine: then its containers can be reached by their addresses.

    It is not where the engine runs in a virtual machine, or without root in a network namespace of its own.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        try:
            own.bind((str(ipaddress.IPv4Network(network).network_address + OWN), 0))
        except OSError:
            return False
    return True


def _routes(table: Path) -> Iterator[ipaddress.IPv4Network]:
    """All routes of this machine but the default one; none where the kernel shows no table."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return
    for row in rows:
        target, mask = (int.from_bytes(bytes.fromhex(row[place]), "little") for place in (1, 7))
        if mask:
            yield ipaddress.IPv4Network((target, mask.bit_count()), strict=False)
