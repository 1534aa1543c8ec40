"""One throw-away TCP connection that shows, from outside and for any protocol, whether a link is broken.

A witness compares two probes: one through the link, one directly to the upstream. The probe says what the link's far
end is known to answer; where that is not known, what no protocol knows, so that nearly every server answers or hangs up
at once. It goes only to a target that has shown that it is a drill target.
"""

from __future__ import annotations

import socket
import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

from targets.loopback import split
from targets.own_errors import raise_if_own
from targets.target import ProbeResult

ACCEPT_S = 2.0
LINES = b"kunren?\r\n\r\n"
"""The empty line ends a request, where that is what the server takes it for: some HTTP servers wait for one."""

MOST_BYTES = 64 * 1024

End = Literal["open", "closed", "reset", "refused", "unreachable"]


@dataclass(frozen=True, slots=True)
class Reaction:
    """How the other side reacted; ms since it was said, None where it did not happen while we looked."""

    end: End
    bytes: int = 0
    first_ms: float | None = None
    end_ms: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether the connection came about."""
        return self.end in ("open", "closed", "reset")

    @property
    def reacted(self) -> bool:
        """Whether anything came back, be it the end of the connection."""
        return self.first_ms is not None

    def plain(self) -> dict[str, Any]:
        """For a ProbeResult."""
        return asdict(self)


def probe(address: str, within_s: float, greeting: bytes = b"") -> Reaction:
    """Connect to ``host:port``, say ``greeting`` or our own lines, and look for ``within_s`` seconds what comes back.

    OSError where it is this process that cannot: that is no reaction.
    """
    link = _connect(address, within_s)
    if not isinstance(link, socket.socket):
        return link
    with link:
        return _watch(link, within_s, greeting or LINES)


def connects(address: str, within_s: float) -> Reaction:
    """Connect to ``host:port`` and say nothing."""
    link = _connect(address, within_s)
    if not isinstance(link, socket.socket):
        return link
    link.close()
    return Reaction("open")


def accepts(address: str, enabled: bool) -> ProbeResult:
    """Whether a link accepts connections: its proxy says it is open, and a TCP connection comes about."""
    if not enabled:
        return ProbeResult(False, f"{address}: its proxy is closed", {"enabled": False})
    seen = connects(address, ACCEPT_S)
    return ProbeResult(seen.accepted, f"{address} {'accepts' if seen.accepted else seen.end}", {"probe": seen.plain()})


def _connect(address: str, within_s: float) -> socket.socket | Reaction:
    try:
        return socket.create_connection(split(address), timeout=within_s)
    except ConnectionRefusedError:
        return Reaction("refused")
    except OSError as error:
        raise_if_own(error)
        return Reaction("unreachable")


def _watch(link: socket.socket, within_s: float, words: bytes) -> Reaction:
    began = time.monotonic()
    count, first_ms = 0, None
    end: End = "open"
    try:
        link.sendall(words)
        while end == "open" and count < MOST_BYTES:
            link.settimeout(max(0.001, began + within_s - time.monotonic()))
            received = len(link.recv(4096))
            first_ms = _ms(began) if first_ms is None else first_ms
            count += received
            end = "open" if received else "closed"
    except TimeoutError:
        return Reaction("open", count, first_ms)
    except OSError as error:
        raise_if_own(error)
        end = "reset"
        first_ms = _ms(began) if first_ms is None else first_ms
    return Reaction(end, count, first_ms, _ms(began) if end != "open" else None)


def _ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)
