"""Addresses of this very machine: ``127.x.x.x:PORT``, ``[::1]:PORT``, and ``localhost:PORT``, which may be either."""

from __future__ import annotations

import ipaddress
import re

IPV4, IPV6 = "127.0.0.1", "::1"

LOOPBACKS = (IPV4, IPV6)
"""What ``localhost`` may mean, in the order in which it is tried."""

ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]\s]+)):(?P<port>[0-9]{1,5})\Z")


def split(address: str) -> tuple[str, int]:
    """Host (an IPv6 one without its brackets) and port of ``host:port``; ValueError when it is none."""
    found = ADDRESS.match(address)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ValueError(f"{address!r} is no address such as 127.0.0.1:5432 or [::1]:5432")
    return found["six"] or found["host"], int(found["port"])


def joined(host: str, port: int) -> str:
    """``host:port``, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(address: str) -> bool:
    """Whether it is ``host:port`` of this machine alone; of names only ``localhost`` is."""
    try:
        host, _ = split(address)
        return host == "localhost" or _is_own(ipaddress.ip_address(host))
    except ValueError:
        return False


def _is_own(host: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return host == ipaddress.IPv6Address(IPV6) or (host.version == 4 and host.is_loopback)
