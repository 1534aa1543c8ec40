"""Whether a service of a described system is healthy, and if not, what answered and what to do about it.

Asked at both loopback addresses: what a program takes ``localhost`` for is its own affair.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from targets import http_sync
from targets.logs import tail
from targets.loopback import IPV4, LOOPBACKS, joined
from targets.own_errors import raise_if_own
from targets.ports import accepts
from targets.target import StartFailed, TargetError

WITHIN_S = 0.5
"""For one answer."""

TLS_WITHIN_S = 1.0
LOOK_S = 0.05

NOTABLE = ("Location", "WWW-Authenticate", "Retry-After", "Server")
"""Headers that tell why a service does not answer 200."""

MOST_SHOWN = 80
"""Characters of a header or a body in a message."""

LONGEST_BODY = 1 << 20

NOT_READY = "see its log; where it only needs longer, a longer within"
FOREIGN = "where it speaks no HTTP write health: tcp"


@dataclass(frozen=True, slots=True)
class Reply:
    """What answered a GET: ``headers`` and ``body`` as text."""

    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: str

    def words(self) -> str:
        """Status, the headers of interest, the first characters of the body."""
        found = [f"{name}: {self.headers[name][:MOST_SHOWN]}" for name in NOTABLE if name in self.headers]
        notable = f" ({', '.join(found)})" if found else ""
        body = f", body {_shown(self.body)}" if self.body else ""
        return f"{self.status} {self.reason[:MOST_SHOWN]}".rstrip() + notable + body


class NoReply(TargetError):
    """Nothing answered a GET. ``connected``: something listens; ``foreign``: it answered, but not in HTTP."""

    def __init__(self, says: str, *, connected: bool, foreign: bool = False) -> None:
        super().__init__(says)
        self.connected, self.foreign = connected, foreign


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a service: ``host`` is the loopback address at which something accepted, None where nothing did."""

    healthy: bool
    host: str | None
    says: str
    fix: str
    maybe_tls: bool = False


def look(port: int, health: str, hosts: Sequence[str] = LOOPBACKS) -> Look:
    """Ask for ``health``, a path or ``tcp``, at the first of these addresses at which something accepts."""
    for host in hosts:
        seen = _connects(host, port) if health == "tcp" else _asked(host, port, health)
        if seen.host is not None:
            return seen
    where = " or ".join(joined(host, port) for host in hosts)
    return Look(False, None, f"nothing accepts connections at {where}", f"it must listen on port {port} ({{port}})")


def wait(service: str, port: int, health: str, within_s: float, log: Path, look_for_it: Callable[[], None]) -> str:
    """Until it is healthy; the loopback address at which it is. StartFailed with the last answer if it is not in time.

    ``look_for_it`` raises when there is nothing left to wait for.
    """
    deadline = time.monotonic() + within_s
    while not (seen := look(port, health)).healthy:
        look_for_it()
        if time.monotonic() > deadline:
            says = f"{service} did not get healthy within {within_s:g} s: {explained(seen, port)}"
            raise StartFailed(says, tail(log), log)
        time.sleep(LOOK_S)
    return seen.host or IPV4


def explained(seen: Look, port: int) -> str:
    """What the last look showed and what to do about it; asks once more where the service may speak TLS."""
    tls = _tls(seen.host, port) if seen.host is not None and seen.maybe_tls else None
    if tls is not None:
        fix = "it is asked in plain HTTP, and so is the load to be: let it serve plain HTTP in drills"
        seen = replace(seen, says=f"{seen.says}; it speaks TLS ({tls})", fix=fix)
    return f"{seen.says}; fix: {seen.fix}"


def get(port: int, path: str, within_s: float, host: str = IPV4) -> Reply:
    """What answers on the port of that loopback address; NoReply if nothing does, or not in HTTP."""
    try:
        reply = http_sync.ask((host, port), "GET", path, within_s, longest=LONGEST_BODY)
    except http_sync.NoReply as error:
        cause, connected = error.cause, error.connected
        raise_if_own(cause)
        says = f"GET {path} at {joined(host, port)}: {_trouble(cause, connected, within_s)}"
        foreign = isinstance(cause, http.client.BadStatusLine) and not isinstance(cause, OSError)
        raise NoReply(says, connected=connected, foreign=foreign) from error
    return Reply(reply.status, reply.reason, reply.headers, reply.body.decode(errors="replace"))


def _trouble(error: Exception, connected: bool, within_s: float) -> str:
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(error, http.client.BadStatusLine):
        return f"it answered {_shown(str(error))}, which is no HTTP"
    if isinstance(error, TimeoutError):
        return f"it {'accepted, but did not answer' if connected else 'did not accept'} within {within_s:g} s"
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return why.lower() if why else type(error).__name__


def _connects(host: str, port: int) -> Look:
    there = accepts(port, host)
    return Look(there, host if there else None, f"{joined(host, port)} {'accepts' if there else 'does not accept'}", "")


def _asked(host: str, port: int, path: str) -> Look:
    try:
        reply = get(port, path, WITHIN_S, host)
    except NoReply as error:
        fix = FOREIGN if error.foreign else NOT_READY
        return Look(False, host if error.connected else None, str(error), fix, maybe_tls=error.connected)
    says = f"GET {path} at {joined(host, port)} answered {reply.words()}"
    return Look(reply.status == 200, host, says, _fix(reply, host, port, path), maybe_tls=reply.status == 400)


def _fix(reply: Reply, host: str, port: int, path: str) -> str:
    """What to write for a service that answers so."""
    status = reply.status
    if 300 <= status < 400:
        return _redirected(reply.headers.get("Location", ""), host, port, path)
    if status >= 500:
        return NOT_READY
    if status in (401, 403, 407):
        return "health must answer 200 to anybody: name a path that asks for no log-in, or write health: tcp"
    return f"health must answer 200, not {status}: name a path that does, or write health: tcp"


def _redirected(location: str, host: str, port: int, path: str) -> str:
    target = urlsplit(urljoin(f"http://{joined(host, port)}{path}", location))
    wanted = target.path + (f"?{target.query}" if target.query else "")
    if location and target.scheme == "https":
        return "it leads to HTTPS, and both health and load are asked in plain HTTP: let it serve that in drills"
    if location and wanted != path and target.hostname in (*LOOPBACKS, "localhost") and target.port == port:
        return f"health must answer 200 itself: write health: {wanted}"
    return "health must answer 200 itself: name a path that does not lead elsewhere, or write health: tcp"


def _tls(host: str, port: int) -> str | None:
    """The version of TLS that is spoken there, or what its own alert says; None where it is no TLS.

    A handshake and no request: what is asked in plain HTTP is to be asked in nothing else.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), TLS_WITHIN_S) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as spoken,
        ):
            return spoken.version()
    except ssl.SSLError as error:
        return error.reason if "ALERT" in (error.reason or "") else None
    except OSError:
        return None


def _shown(text: str) -> str:
    """The beginning of foreign text, quoted, on one line."""
    return repr(text[:MOST_SHOWN]) + ("…" if len(text) > MOST_SHOWN else "")
