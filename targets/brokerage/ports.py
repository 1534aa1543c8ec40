"""Free TCP ports that stay ours while a service is down.

The kernel hands ports of its ephemeral range to outgoing connections, and a load opens thousands of those: a port from
that range can be taken the moment a service is killed or a proxy disabled. So ports are picked below the range.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 15_000


def free_ports(count: int, rng: random.Random | None = None) -> list[int]:
    """``count`` distinct ports on 127.0.0.1 that nothing listens on now; OSError when there are not enough."""
    rng = rng or random.SystemRandom()
    candidates = rng.sample(range(LOWEST, _ephemeral_start()), k=min(2_000, _ephemeral_start() - LOWEST))
    found: list[int] = []
    for port in candidates:
        if len(found) == count:
            break
        if _is_free(port):
            found.append(port)
    if len(found) < count:
        raise OSError(f"only {len(found)} of {count} ports are free between {LOWEST} and {_ephemeral_start()}")
    return found


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
