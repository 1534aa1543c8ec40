"""What a stack is served with at the beginning: an authority, a chain for each name, and the inventory of them.

The inventory was taken when there was one name. The other one came later, with the vendor's own management; nobody
added it (fsa-27).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from targets.brokerage.edge import certificates, inventory
from targets.brokerage.edge.names import NAMES, USUAL
from targets.brokerage.vendor import authority


def furnish(stack: Path, addresses: Sequence[str]) -> None:
    """Into the stack's folder; ``addresses`` are those at which customers may come."""
    register: dict[str, Sequence[str]] = {name: list(addresses) if name == USUAL else [] for name in NAMES}
    signing = authority.create(stack / authority.FOLDER, register)
    for name in NAMES:
        put(stack, name, signing.issue(name))
    certificates.write(stack / certificates.FOLDER / certificates.AUTHORITY, authority.pem(signing.root.certificate))
    inventory.add(stack, USUAL, certificates.in_file(certificates.place(stack, USUAL) / certificates.CHAIN))


def put(stack: Path, name: str, delivered: authority.Delivery) -> None:
    """Have these files lie where the edge takes them from when it is started or told to."""
    folder = certificates.place(stack, name)
    folder.mkdir(parents=True, exist_ok=True)
    certificates.write(folder / certificates.CHAIN, delivered.chain)
    certificates.write_key(folder / certificates.KEY, delivered.key)
