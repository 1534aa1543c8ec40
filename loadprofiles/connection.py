"""A customer's own keep-alive connection: one request, one try, one answer.

The parser is that of FastHttpUser (geventhttpclient), its client is not. That client sends a GET again when the
connection ends before the answer, which hides resets, and it looks at idle connections with select(2), which cannot see
descriptors from 1024 on: with 1,500 customers it takes most connections for dead and opens a new one each time.
Here a connection that the server closed while it was idle is opened again *before* sending; after sending, nothing is
ever repeated. Imports gevent: for the generator's process alone.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from select import POLLIN

import gevent
import gevent.monkey
import gevent.socket
import gevent.ssl
from geventhttpclient.response import HTTPConnectionClosed, HTTPSocketResponse

from loadprofiles.heads import SingleLength
from loadprofiles.profiles import Patience
from loadprofiles.samples import OutcomeCode

# gevent replaces poll by one that may switch greenlets; looking at an idle connection must not
_poll = gevent.monkey.get_original("select", "poll")

FAILURES: tuple[tuple[type[BaseException], OutcomeCode], ...] = (
    (gevent.Timeout, OutcomeCode.TIMEOUT),
    (TimeoutError, OutcomeCode.TIMEOUT),
    (ConnectionRefusedError, OutcomeCode.REFUSED),
    (ssl.SSLCertVerificationError, OutcomeCode.REFUSED),  # the customer's own refusal: nothing was asked
    (ssl.SSLEOFError, OutcomeCode.RESET),
    (ssl.SSLZeroReturnError, OutcomeCode.RESET),
    (ConnectionResetError, OutcomeCode.RESET),
    (BrokenPipeError, OutcomeCode.RESET),
    (HTTPConnectionClosed, OutcomeCode.RESET),
    (Exception, OutcomeCode.ERROR),
)
"""What an exception of ``Connection.ask`` means; the first match counts."""


def failure_of(error: BaseException) -> OutcomeCode:
    """The outcome of a request that ended in ``error``."""
    return next(outcome for kind, outcome in FAILURES if isinstance(error, kind))


@dataclass(frozen=True, slots=True)
class Server:
    """Where the brokerage is; with ``tls`` its certificate is checked, against ``root`` (PEM) where one is named.

    The certificate must be for ``name``, which is asked for; without one, for the host. With ``resumes`` the session of
    the connection before is offered, where the server has given a ticket for it. Where it is taken nothing is shown and
    so nothing is checked, not even when what was shown first has ended: neither OpenSSL nor Python asks.
    """

    host: str
    port: int
    tls: bool = False
    root: str = ""
    name: str = ""
    resumes: bool = False

    @property
    def authority(self) -> str:
        """``host:port``, an IPv6 host in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@cache
def _tls(root: str) -> ssl.SSLContext:
    """One context for all customers: loading the authorities takes 20 ms each time."""
    context: ssl.SSLContext = gevent.ssl.create_default_context(cadata=root or None)
    return context


class Response(HTTPSocketResponse):  # type: ignore[misc]  # it has no types
    """The parser's, fed with a head that says its length once; ``leaving`` is told of the socket before it lets it go.

    Where the server ends the connection with its answer, the parser itself closes the socket.
    """

    def __init__(
        self, connected: gevent.socket.socket, method: str, leaving: Callable[[gevent.socket.socket], None]
    ) -> None:
        self._single, self._leaving = SingleLength(), leaving  # before what follows, which reads
        super().__init__(connected, method=method)

    def feed(self, data: bytes) -> None:
        """The bytes that came."""
        super().feed(self._single.pass_on(data))

    def release(self) -> None:
        """The answer is whole, or there will be none."""
        if self._sock is not None:
            self._leaving(self._sock)
        super().release()


class Connection:
    """Opened when first needed. Not for use by two greenlets at once."""

    def __init__(self, server: Server, patience: Patience) -> None:
        self._server = server
        self._patience = patience
        self._socket: gevent.socket.socket | None = None
        self._session: ssl.SSLSession | None = None

    def ask(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], within_s: float | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the answer; raises what ``FAILURES`` lists. ``within_s`` shortens the total time-out."""
        request = self._request(method, path, body, headers)
        try:
            with gevent.Timeout(self._patience.total_s if within_s is None else within_s):
                if self._socket is None or _ended(self._socket):
                    self.close()
                    self._socket = self._open()
                self._socket.sendall(request)
                response = Response(self._socket, method, self._keep_session)
                content = response.read()
        except BaseException:  # a time-out too: whatever is under way on this connection must not meet the next request
            self.close()
            raise
        if response.should_close():
            self.close()
        return response.status_code, content

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._server.authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if method == "POST":
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def _open(self) -> gevent.socket.socket:
        address = (self._server.host, self._server.port)
        plain = gevent.socket.socket(gevent.socket.AF_INET6 if ":" in self._server.host else gevent.socket.AF_INET)
        try:
            plain.settimeout(self._patience.connect_s)
            plain.connect(address)
            plain.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
            plain.settimeout(self._patience.total_s)
            opened = self._secured(plain) if self._server.tls else plain
        except (
            BaseException
        ):  # gevent's time-out and the end of the load are no Exceptions; the socket must not stay open
            plain.close()
            raise
        return opened

    def _secured(self, plain: gevent.socket.socket) -> gevent.socket.socket:
        """After a handshake, in which the certificate was found to be good, or that of a session before.

        A session is offered once: after a handshake that fails the next one is whole.
        """
        session, self._session = self._session, None
        name = self._server.name or self._server.host
        return _tls(self._server.root).wrap_socket(plain, server_hostname=name, session=session)

    def _keep_session(self, sock: gevent.socket.socket) -> None:
        """For the next connection; its tickets have come with the answer, if the server gives any."""
        if self._server.tls and self._server.resumes:
            session = sock.session
            self._session = session if session is not None and session.has_ticket else None


def _ended(sock: gevent.socket.socket) -> bool:
    """Whether the server closed an idle connection, or said something unasked."""
    poll = _poll()
    poll.register(sock.fileno(), POLLIN)
    return bool(poll.poll(0))
