"""Ports for tests: claimed like a stack's own, until the test process ends."""

from __future__ import annotations

from targets.brokerage.config import LOOPBACK, Address
from targets.ports import Block, claim_block

_CLAIMED: list[Block] = []


def free_ports(count: int) -> tuple[int, ...]:
    block = claim_block(count)
    _CLAIMED.append(block)
    return block.ports


def here(port: int) -> Address:
    return Address(LOOPBACK, port)
