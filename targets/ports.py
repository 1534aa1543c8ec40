"""TCP ports that stay a stack's own, while its services come and go and other stacks start beside it.

The kernel hands ports of its ephemeral range to outgoing connections, and a load opens thousands of those: a port from
that range can be taken the moment a service is killed or a proxy disabled. So ports are picked below the range, in
blocks, and a block is claimed by a name in the kernel's abstract socket namespace: the claim ends with its holder.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from targets.processes import words

LOWEST = 15_000
BLOCK = 32
"""Ports in a block; a stack needs fewer."""


@dataclass(frozen=True, slots=True)
class Block:
    """``ports`` on 127.0.0.1 on which nothing listened when they were claimed; the claim lasts until ``release``."""

    ports: tuple[int, ...]
    claim: socket.socket

    def release(self) -> None:
        """Let others have the ports."""
        self.claim.close()


def claim_block(rng: random.Random | None = None) -> Block:
    """A block of ``BLOCK`` free ports; OSError when there is none."""
    starts = list(range(LOWEST, _ephemeral_start() - BLOCK, BLOCK))
    (rng or random.SystemRandom()).shuffle(starts)
    for start in starts:
        claim = _claim(start)
        if claim is None:
            continue
        ports = tuple(range(start, start + BLOCK))
        if all(_is_free(port) for port in ports):
            return Block(ports, claim)
        claim.close()
    raise OSError(f"no {BLOCK} free ports in a row between {LOWEST} and {_ephemeral_start()}")


def _claim(start: int) -> socket.socket | None:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        sock.bind(f"\0kunren-ports-{start}")
    except OSError:
        sock.close()
        return None
    return sock


def _ephemeral_start() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768  # Linux's default


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def accepts(port: int) -> bool:
    """Whether something listens on the port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def holders(port: int) -> list[int]:
    """Process ids that listen on the port; none where they are another user's, and cannot be seen."""
    listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    found = {each.pid for each in listening if each.laddr and each.laddr.port == port}
    return sorted(pid for pid in found if pid is not None)


def answering(named: Iterable[tuple[str, int]], others: Callable[[int], bool]) -> Iterator[str]:
    """Which of these still accept (whose, port), a sentence each with who listens, as far as that can be seen.

    ``others`` says of a port that what listens there by now is somebody else's.
    """
    for name, port in named:
        if accepts(port) and not others(port):
            who = ", ".join(map(words, holders(port))) or "a process that cannot be seen from here"
            yield f"{who} still listens on port {port} of {name}: end it"


def claimed(port: int) -> bool:
    """Whether the port is in a block that somebody has claimed: what listens there now is theirs."""
    if port < LOWEST:
        return False
    claim = _claim(LOWEST + (port - LOWEST) // BLOCK * BLOCK)
    if claim is None:
        return True
    claim.close()
    return False
