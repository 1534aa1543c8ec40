"""TCP ports that stay a stack's own, while its services come and go and other stacks start beside it.

The kernel hands ports of its ephemeral range to outgoing connections, and a load opens thousands of those: a port from
that range can be taken the moment a service is killed or a proxy disabled. So ports are picked below the range, in
blocks, and a block is claimed by a name in the kernel's abstract socket namespace: the claim ends with its holder.
"""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from targets.loopback import IPV4, LOOPBACKS, joined, split
from targets.own_errors import raise_if_own
from targets.processes import words

LOWEST = 15_000
BLOCK = 32
"""Ports in a block; who needs more claims several in a row."""

NO_SUCH_FAMILY = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT})
"""On a machine without IPv6: nothing can be in the way there."""


@dataclass(frozen=True, slots=True)
class Block:
    """``ports`` of 127.0.0.1 and ::1 on which nothing listened when claimed; the claims last until ``release``."""

    ports: tuple[int, ...]
    claims: tuple[socket.socket, ...]

    def release(self) -> None:
        """Let others have the ports."""
        for claim in self.claims:
            claim.close()


def claim_block(count: int, rng: random.Random | None = None) -> Block:
    """So many free ports in a row; OSError when there are none."""
    size = -(-count // BLOCK) * BLOCK
    starts = list(range(LOWEST, _ephemeral_start() - size, BLOCK))
    (rng or random.SystemRandom()).shuffle(starts)
    for start in starts:
        claims = _claim_all(range(start, start + size, BLOCK))
        ports = tuple(range(start, start + count))
        if claims and all(_is_free(port) for port in ports):
            return Block(ports, claims)
        for claim in claims:
            claim.close()
    raise OSError(f"no {count} free ports in a row between {LOWEST} and {_ephemeral_start()}")


def _claim_all(starts: Iterable[int]) -> tuple[socket.socket, ...]:
    """The claims of these blocks; none where one of them is somebody else's."""
    claims: list[socket.socket] = []
    for start in starts:
        claim = _claim(start)
        if claim is None:
            for each in claims:
                each.close()
            return ()
        claims.append(claim)
    return tuple(claims)


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
    """On both loopback addresses: what is started there may take either for ``localhost``."""
    return all(_binds(host, port) for host in LOOPBACKS)


def _binds(host: str, port: int) -> bool:
    try:
        with _socket(host) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error.errno in NO_SUCH_FAMILY
    return True


def accepts(port: int, host: str = IPV4) -> bool:
    """Whether something listens on the port of that loopback address."""
    try:
        with _socket(host) as probe:
            probe.settimeout(0.5)
            return probe.connect_ex((host, port)) == 0
    except OSError as error:
        raise_if_own(error)
        return False  # a machine without IPv6


def answering(port: int) -> str | None:
    """The first loopback address on which something accepts connections to the port; None when there is none."""
    return next((host for host in LOOPBACKS if accepts(port, host)), None)


def resolved(address: str) -> str | None:
    """``localhost:PORT`` as the address that accepts connections there, None when none does; others as they are."""
    host, port = split(address)
    if host != "localhost":
        return address
    found = answering(port)
    return None if found is None else joined(found, port)


def _socket(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)


def holders(port: int) -> list[int]:
    """Process ids that listen on the port; none where they are another user's, and cannot be seen."""
    listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    found = {each.pid for each in listening if each.laddr and each.laddr.port == port}
    return sorted(pid for pid in found if pid is not None)


def still_listening(named: Iterable[tuple[str, int]], others: Callable[[int], bool]) -> Iterator[str]:
    """Which of these still accept (whose, port), a sentence each with who listens, as far as that can be seen.

    ``others`` says of a port that what listens there by now is somebody else's.
    """
    for name, port in named:
        if answering(port) and not others(port):
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
