"""What the harness and the load generator say to each other: JSON lines over pipes."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import msgspec

from loadprofiles.profiles import Profile

LONGEST_S = 120.0
"""No load runs longer than this, whatever is asked."""


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """Make the schedule, open the journal in ``folder``, log everybody in."""

    url: str
    profile: Profile
    seed: int
    world: str
    folder: str
    max_s: float
    passwords: dict[str, str]


class Go(msgspec.Struct, frozen=True, tag="go"):
    """Let customers come from this instant on (CLOCK_MONOTONIC, ns)."""

    t0: int


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """No more arrivals; end what is under way; the last round; then leave."""


class Reply(msgspec.Struct, frozen=True):
    """``says``: imported, progress (``done`` customers logged in), ready, stopped, failed (``why``)."""

    says: str
    done: int = 0
    why: str = ""


Command = Begin | Go | Stop


class NotLoopback(ValueError):
    """The address is not on this machine: no load goes there."""


def loopback(url: str) -> tuple[str, int, bool]:
    """Host, port and whether TLS, of an address in 127.0.0.0/8; NotLoopback for every other, names included."""
    parts = urlsplit(url)
    try:
        address = ipaddress.IPv4Address(parts.hostname or "")
        port = parts.port
    except ValueError:
        raise NotLoopback(f"{url}: load goes only to addresses of 127.0.0.0/8, written as numbers") from None
    if not address.is_loopback or parts.scheme not in ("http", "https") or port is None:
        raise NotLoopback(f"{url}: load goes only to http(s)://127.x.x.x:PORT")
    if parts.username is not None or parts.path not in ("", "/") or parts.query:
        raise NotLoopback(f"{url}: give scheme, address and port alone")
    return str(address), port, parts.scheme == "https"
