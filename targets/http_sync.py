"""The blocking HTTP client of the targets: one request, one answer, over a connection of its own.

It follows no redirect, knows no proxy and reads nothing from the environment: what answers is what listens there. What
a caller has to know of a failure is whether the other side can have received the request; ``NoReply`` says so.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered; of a longer body, the bytes that were asked for."""

    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes


class NoReply(Exception):
    """Nothing answered, or not in HTTP. ``cause`` is the OSError or HTTPException behind it.

    ``connected``: somebody accepted the connection, so the request may have been received.
    """

    def __init__(self, cause: Exception, connected: bool) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.connected = connected


def ask(
    where: tuple[str, int],
    method: str,
    path: str,
    within_s: float,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    longest: int | None = None,
    tls: ssl.SSLContext | None = None,
    name: str = "",
) -> Reply:
    """What answers at (host, port), over TLS where a context is given, then as ``name`` instead of the host; NoReply.

    ``within_s`` bounds each wait for it, ``longest`` the body, in bytes.
    """
    connection = http.client.HTTPConnection(*where, timeout=within_s)
    if tls is not None:
        connection = _Named(where, within_s, tls, name or where[0])
    connected = False
    try:
        connection.connect()
        connected = True
        connection.request(method, path, body, dict(headers or {}))
        reply = connection.getresponse()
        return Reply(reply.status, reply.reason, reply.headers, reply.read(longest))
    except (OSError, http.client.HTTPException) as error:
        raise NoReply(error, connected) from error
    finally:
        connection.close()


class _Named(http.client.HTTPConnection):
    """Over TLS, with whom ``name`` belongs to, whatever the address."""

    def __init__(self, where: tuple[str, int], within_s: float, tls: ssl.SSLContext, name: str) -> None:
        super().__init__(*where, timeout=within_s)
        self._tls, self._name = tls, name

    def connect(self) -> None:
        super().connect()
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)
