"""The relay: writes each request into the transaction log, and only then passes it on to the api.

Fail-closed: a request whose line cannot be written is answered 503 and goes nowhere. What has gone on is never answered
503 any more: without an answer from the api it is unknown what became of it. SIGHUP makes it go on in new files, after
somebody has given the old ones other names. ``relay`` is where requests come in, ``relay_http`` is its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage import serving
from targets.brokerage.config import Config, customer_of
from targets.brokerage.forwarding import HEAD_LIMIT, Message, converse, pass_on, refusal
from targets.brokerage.relay.component import LOG_VOLUME, RELAY
from targets.brokerage.relay.housekeeping import ARCHIVE, tidy
from targets.brokerage.relay.log import HighWater, TransactionLog
from targets.brokerage.relay.wiretrace import WireTrace
from targets.brokerage.serving import Job, Unhealthy, answer, for_operators, read_body
from targets.brokerage.volumes.gauges import INTERVAL_S, VolumeGauges
from targets.http_async import Connections, Reply

log = logging.getLogger("relay")

LOG_UNAVAILABLE = "LOG_UNAVAILABLE"
KEY_LIMIT = 100
PATH_LIMIT = 200


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator sets."""

    level: Literal["info", "debug"]


class Relay:
    """Implements ``serving.Service``; ``door`` is where requests come in."""

    def __init__(self, config: Config, door: socket.socket) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        folder = Path(config.folder)
        self._folder = folder / LOG_VOLUME.name
        self._folder.mkdir(exist_ok=True)
        self._archive = folder / RELAY.volumes[0] / ARCHIVE
        self._log = TransactionLog(self._folder, HighWater(folder / RELAY.volumes[0]))
        self._trace = WireTrace(self._folder)
        self._volume = VolumeGauges(self.registry, self._folder)
        self._api = Connections(config.through("relay-api"))
        self._door = door
        self._why = ""
        """Why the last line could not be written; empty while they can."""
        self._refused = 0
        self._meter()
        self._mark_opened("started")

    def _meter(self) -> None:
        figures = {
            "relay_sequence": ("Number of the last whole line", lambda: self._log.sequence),
            "relay_level": ("0 info, 1 debug", lambda: self._trace.inode is not None),
            "relay_refusing": ("1 while the transaction log cannot be written", lambda: bool(self._why)),
            "relay_debug_dropped": ("Debug entries that could not be written", lambda: self._trace.dropped),
        }
        for name, (says, value) in figures.items():
            Gauge(name, says, registry=self.registry).set_function(value)
        self._lines = Counter("relay_lines", "Lines by outcome", ("outcome",), registry=self.registry)
        for outcome in ("written", "refused"):
            self._lines.labels(outcome)

    def routes(self) -> Sequence[Route]:
        """For operators."""
        token = self.config.token
        return (
            Route("/ops/status", for_operators(token, self.status), methods=["GET"]),
            Route("/ops/level", for_operators(token, self.set_level), methods=["POST"]),
        )

    def jobs(self) -> Sequence[Job]:
        """Serving, and looking after the log."""
        return (self._serve, self._look_after)

    def health(self) -> Mapping[str, Any]:
        """It can do its work while lines can be written."""
        if self._why:
            raise Unhealthy(f"the transaction log cannot be written: {self._why}")
        return {"sequence": self._log.sequence}

    async def stop(self) -> None:
        """Close files and connections."""
        await asyncio.sleep(0)
        self._api.close()
        self._trace.close()
        self._log.close()

    async def status(self, request: Request) -> Response:
        """Level, sequence, what was refused, the files that are written to, and the volume as the relay sees it."""
        return answer(200, self._facts())

    async def set_level(self, request: Request) -> Response:
        """Raise or lower the log level; 503 where the debug log cannot be opened."""
        wanted = await read_body(request, Level)
        try:
            self._trace.open() if wanted.level == "debug" else self._trace.close()
        except OSError as error:
            return answer(503, {"error": "NO_DEBUG_LOG", "says": f"the debug log cannot be opened: {error.strerror}"})
        return answer(200, {"level": self._level()})

    def _level(self) -> str:
        return "info" if self._trace.inode is None else "debug"

    def _facts(self) -> dict[str, Any]:
        opened = [self._log.inode, *([] if self._trace.inode is None else [self._trace.inode])]
        return {
            "level": self._level(), "sequence": self._log.sequence, "refused": self._refused,
            "refusing": bool(self._why), "dropped": self._trace.dropped, "inode": self._log.inode, "open": opened,
            "volumes": self._volume.facts(),
        }  # fmt: skip

    async def _serve(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reopen)
        server = await asyncio.start_server(self._talk, sock=self._door, limit=HEAD_LIMIT)
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await converse(reader, writer, self._pass)

    async def _pass(self, message: Message) -> Reply:
        try:
            sequence = self._write_down(message)
        except OSError as error:
            return self._refuse(error)
        reply = await pass_on(self._api, message, self.config.relay.answer_s)
        self._trace.note(sequence, message, reply)
        return reply

    def _write_down(self, message: Message) -> int:
        _, _, token = message.fields.get("authorization", "").partition(" ")
        account = customer_of(self.config.token, token) or ""
        key = message.fields.get("idempotency-key", "")[:KEY_LIMIT]
        what = f"{message.method} {message.path}"[:PATH_LIMIT]
        digest = hashlib.blake2b(message.body, digest_size=8).hexdigest()
        line = self._log.add(account, key, what, len(message.body), digest)
        self._lines.labels("written").inc()
        self._why = ""
        return line.seq

    def _refuse(self, error: OSError) -> Reply:
        self._refused += 1
        self._lines.labels("refused").inc()
        self._note_trouble(error)
        says = f"the transaction log cannot be written ({self._why}): nothing was passed on"
        return refusal(503, LOG_UNAVAILABLE, says)

    def _note_trouble(self, error: OSError) -> None:
        if not self._why:
            log.error("the transaction log cannot be written: %s", error)
        self._why = error.strerror or str(error)

    def _reopen(self) -> None:
        """SIGHUP: what cannot be opened stays as it was."""
        for file in (self._trace, self._log):
            try:
                file.reopen()
            except OSError as error:
                log.error("%s goes on in the file of before: %s", type(file).__name__, error)
                if file is self._log:
                    return
        self._mark_opened("opened anew")

    def _mark_opened(self, what: str) -> None:
        """A line of the log's own: whoever gave the old file another name sees at once that the new one is written."""
        try:
            self._log.add("", "", what)
        except OSError as error:
            self._note_trouble(error)
        else:
            self._why = ""

    async def _look_after(self) -> None:
        """Keep the volume's figures, and house; while lines are refused, find out when they can be written again."""
        while True:
            self._volume.look()
            if self._why:
                self._mark_opened(f"again after {self._refused} refused")
            elif self._log.size >= self.config.relay.rotate_bytes:
                await self._keep_house()
            await asyncio.sleep(INTERVAL_S)

    async def _keep_house(self) -> None:
        try:
            if self._log.put_aside():
                self._mark_opened("opened anew")
                await asyncio.to_thread(tidy, self._folder, self._archive)
        except OSError as error:
            log.error("housekeeping of the log: %s", error)


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; sockets ``relay`` (requests) and ``relay_http``."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it is served, so that an early one does not end the relay
    relay = Relay(config, sockets["relay"])
    serving.serve(relay, relay.routes(), sockets["relay_http"])
