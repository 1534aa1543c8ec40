"""The edge: takes customers' connections, ends TLS, turns away what is above the rate limit, passes on the rest.

Connections last as long as customers keep them; with a maximum age each is told to close after its own share of that,
so that they do not all come again at once. ``edge`` is the customers' port; the edge's own endpoints are on
``edge_http``. It serves several names, each with a certificate of its own. Certificates and keys are read at start and
when an operator asks for it, never by themselves.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage import serving
from targets.brokerage.config import Config
from targets.brokerage.edge import certificates, inventory, tls
from targets.brokerage.edge.handshakes import INTERVAL_S, Handshakes
from targets.brokerage.edge.limit import RateLimit
from targets.brokerage.edge.names import NAMES, USUAL
from targets.brokerage.forwarding import HEAD_LIMIT, Message, converse, pass_on, refusal
from targets.brokerage.serving import Job, answer, for_operators, read_body
from targets.http_async import Connections, Reply

log = logging.getLogger("edge")

YOUNGEST = 0.2
"""The first connections are closed at this share of the maximum age, the last at all of it."""
GOODBYE_S = 2.0
BETWEEN_TRIES_S = 0.1


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator sets: requests a second, 0 for no limit."""

    per_s: int


class Edge:
    """Implements ``serving.Service``; ``door`` is the customers' port."""

    def __init__(self, config: Config, door: socket.socket) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self.limit = RateLimit(config.edge.rate_limit)
        self._stack = Path(config.folder)
        self._tls = tls.load_all(self._stack, NAMES)
        self._door_context = tls.choosing(self._choose, config.edge.session_tickets)
        self._door = door
        self._relay = Connections(config.at("relay"))
        self._open: set[asyncio.Task[None]] = set()
        self._accepts = Counter("edge_accepts", "Connections accepted", registry=self.registry)
        self._good = Counter("edge_handshakes_good", "Handshakes that came to their end", registry=self.registry)
        self._requests = Counter("edge_requests", "Requests", ("outcome",), registry=self.registry)
        open_now = Gauge("edge_connections", "Connections that are open", registry=self.registry)
        open_now.set_function(lambda: len(self._open))
        self._handshakes = Handshakes(NAMES, self.registry)
        self._listed = Gauge(
            "edge_inventory_seconds_left", "Until a chain ends, by the inventory", ("name",), registry=self.registry
        )

    def routes(self) -> Sequence[Route]:
        """For operators."""
        token = self.config.token
        return (
            Route("/ops/status", for_operators(token, self.status), methods=["GET"]),
            Route("/ops/reload", for_operators(token, self.reload), methods=["POST"]),
            Route("/ops/limit", for_operators(token, self.set_limit), methods=["POST"]),
        )

    def jobs(self) -> Sequence[Job]:
        """Accepting, and looking after the figures."""
        return (self._accept, self._look_after)

    def health(self) -> Mapping[str, Any]:
        """It serves whoever comes."""
        return {"connections": len(self._open)}

    async def stop(self) -> None:
        """Let go of customers and of the relay."""
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        self._relay.close()

    async def status(self, request: Request) -> Response:
        """The chains in use and the limit."""
        return answer(200, {**self._certificate(USUAL), "per_s": self.limit.per_s, "connections": len(self._open)})

    async def reload(self, request: Request) -> Response:
        """Serve new handshakes from the files as they are; 409 where one makes no pair, and nothing has changed."""
        before = self._tls
        try:
            self._tls = tls.load_all(self._stack, NAMES)
        except tls.NotLoaded as error:
            return answer(409, {"error": "NOT_LOADED", "says": f"{error}; the chain of before is still served"})
        changed = [name for name in NAMES if self._tls[name].shown.fingerprint != before[name].shown.fingerprint]
        for name in changed:
            log.info("%s: certificate %s", name, self._tls[name].shown.fingerprint)
        replaced = before[USUAL].shown.fingerprint
        return answer(200, {**self._certificate(USUAL), "replaced": replaced, "names": changed})

    async def set_limit(self, request: Request) -> Response:
        """Another rate limit, until the edge is started anew."""
        wanted = await read_body(request, Limit)
        if wanted.per_s < 0:
            return answer(400, {"error": "BAD_REQUEST", "says": "a limit is 0 (none) or more requests a second"})
        self.limit.set(wanted.per_s)
        return answer(200, {"per_s": self.limit.per_s})

    def _certificate(self, name: str) -> dict[str, Any]:
        shown = self._tls[name].shown
        return {"fingerprint": shown.fingerprint, "seconds_left": shown.seconds_left(certificates.now())}

    def _choose(self, connection: ssl.SSLObject, asked: str | None) -> None:
        """The chain of the name that is asked for; the usual one where none is, or one that is not ours."""
        name = asked if asked in NAMES else USUAL
        self._handshakes.begun(name)
        connection.context = self._tls[name].context

    async def _look_after(self) -> None:
        """What the gauges show of handshakes and of the inventory."""
        while True:
            self._handshakes.look()
            self._look_at_inventory()
            await asyncio.sleep(INTERVAL_S)

    def _look_at_inventory(self) -> None:
        try:
            entries = inventory.read(self._stack)
        except (OSError, ValueError) as error:
            log.warning("the inventory cannot be read: %s", error)
            return
        for name, entry in entries.items():
            self._listed.labels(name).set(entry.seconds_left(certificates.now()))

    async def _accept(self) -> None:
        self._door.setblocking(False)
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._door)
            except OSError as error:  # no descriptor left: those who are in may leave some
                log.warning("no connection can be accepted: %s", error)
                await asyncio.sleep(BETWEEN_TRIES_S)
                continue
            self._accepts.inc()
            task = loop.create_task(self._serve(connection))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            reader, writer = await self._handshake(connection)
        except OSError as error:  # ssl.SSLError and TimeoutError are
            log.info("no handshake: %s", error)
            connection.close()
            return
        self._good.inc()
        resumed = bool(writer.get_extra_info("ssl_object").session_reused)
        self._handshakes.good(self._name_of(writer), resumed=resumed)
        await converse(reader, writer, self._answer, self._end_of_life())

    async def _handshake(self, connection: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=HEAD_LIMIT, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, connection, ssl=self._door_context,
            ssl_handshake_timeout=self.config.edge.handshake_s, ssl_shutdown_timeout=GOODBYE_S,
        )  # fmt: skip
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def _answer(self, message: Message) -> Reply:
        if not self.limit.admits():
            self._requests.labels("limited").inc()
            says = f"more than {self.limit.per_s:g} requests a second: try again in a moment"
            return refusal(429, "RATE_LIMITED", says, **{"Retry-After": "1"})
        self._requests.labels("passed").inc()
        return await pass_on(self._relay, message, self.config.edge.answer_s)

    def _name_of(self, writer: asyncio.StreamWriter) -> str:
        """Which name the connection has asked for, by the context that it was given."""
        context = writer.get_extra_info("ssl_object").context
        return next((name for name, each in self._tls.items() if each.context is context), USUAL)

    def _end_of_life(self) -> Callable[[], bool]:
        """Whether a connection that begins now has reached its age."""
        most = self.config.edge.max_connection_age_s
        if not most:
            return lambda: False
        ends = time.monotonic() + random.uniform(YOUNGEST * most, most)
        return lambda: time.monotonic() >= ends


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; sockets ``edge`` (customers) and ``edge_http``."""
    edge = Edge(config, sockets["edge"])
    serving.serve(edge, edge.routes(), sockets["edge_http"])
