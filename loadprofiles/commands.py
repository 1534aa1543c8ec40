"""What the harness and the load generator say to each other: JSON lines over pipes."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

import msgspec

from loadprofiles.profiles import Profile

LONGEST_S = 1800.0
"""No load runs longer than this, whatever is asked."""


TESTS = ipaddress.IPv4Network("198.18.0.0/15")
"""Set aside for tests of networks (RFC 2544) and routed nowhere: containers of a target have their addresses there."""


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """Make the schedule, open the journal in ``folder``, log everybody in."""

    url: str
    profile: Profile
    seed: int
    world: str
    folder: str
    max_s: float
    passwords: dict[str, str]
    own_hosts: list[str] = []
    authority: str = ""  # PEM of whom customers trust; empty: whomever this machine does


class Go(msgspec.Struct, frozen=True, tag="go"):
    """Let customers come from this instant on (CLOCK_MONOTONIC, ns)."""

    t0: int


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """No more arrivals; end what is under way; the last round; then leave."""


class Step(msgspec.Struct, frozen=True, tag="step"):
    """From now on and for so long, so many more arrivals a second of one service. ``name`` tells it from others."""

    name: str
    service: str
    per_s: float
    lasts_s: float


class LookAtStep(msgspec.Struct, frozen=True, tag="look-at-step"):
    """Say how far a step has come."""

    name: str


class EndStep(msgspec.Struct, frozen=True, tag="end-step"):
    """No more additional arrivals of this step; then say how far it has come."""

    name: str


class Stepped(msgspec.Struct, frozen=True):
    """How far a step has come: ``due`` of its arrivals were to have come by now, ``came`` did, ``dropped`` found
    nobody idle. ``first`` is when the first one came (ns; 0: not yet); nothing more comes once it is ``over``."""

    due: int = 0
    came: int = 0
    dropped: int = 0
    began: int = 0
    first: int = 0
    over: bool = True


class Reply(msgspec.Struct, frozen=True):
    """``says``: imported, progress (``done`` customers logged in), ready, step, stopped, failed (``why``)."""

    says: str
    done: int = 0
    why: str = ""
    step: Stepped | None = None


Command = Begin | Go | Step | LookAtStep | EndStep | Stop


class NotOurs(ValueError):
    """The address is neither of this machine alone nor of a container that the target has made: no load goes there."""


def permitted(url: str, own_hosts: Collection[str] = ()) -> tuple[str, int, bool]:
    """Host, port and whether TLS, of an address in 127.0.0.0/8 or ``[::1]``; NotOurs for every other, names included.

    ``own_hosts``: what the target says are addresses of its own containers; of these only such as are in ``TESTS``.
    """
    parts = urlsplit(url)
    try:
        address = ipaddress.ip_address(parts.hostname or "")
        port = parts.port
    except ValueError:
        raise NotOurs(f"{url}: load goes only to addresses of 127.0.0.0/8 and [::1], written as numbers") from None
    if not _is_ours(address, own_hosts) or parts.scheme not in ("http", "https") or port is None:
        raise NotOurs(
            f"{url}: load goes only to http(s)://127.x.x.x:PORT or [::1]:PORT, or the target's own containers"
        )
    if parts.username is not None or parts.path not in ("", "/") or parts.query:
        raise NotOurs(f"{url}: give scheme, address and port alone")
    return str(address), port, parts.scheme == "https"


def _is_ours(address: ipaddress.IPv4Address | ipaddress.IPv6Address, own_hosts: Collection[str]) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        return address == ipaddress.IPv6Address("::1")
    return address.is_loopback or (address in TESTS and str(address) in own_hosts)
