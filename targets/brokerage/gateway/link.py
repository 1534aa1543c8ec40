"""Keeps the exchange session alive over one of two links: the thin asyncio side of ``session.py``.

The gateway reconnects by itself on the *same* link only; changing the link is an operator's decision. While the wire is
silent it stays the wire, and a fresh logon is tried beside it: whatever was put on a silent wire may have arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Protocol

from targets.brokerage.config import Config
from targets.brokerage.session import Action, Deliver, HangUp, Send, Session
from targets.brokerage.wire import LINE_LIMIT, Message, decode, encode

log = logging.getLogger("gateway.link")

TICK_S = 0.02
RETRY_NS = 250_000_000
UNSENT_LIMIT = 4 * 1024 * 1024


class LinkError(Exception):
    """The exchange could not be logged on to; the message says how it failed."""


class Listener(Protocol):
    """Who is told what comes about on the session."""

    def delivered(self, delivery: Deliver) -> None:
        """An application message, in order."""

    def was_reset(self) -> None:
        """Both sides have started their numbers again; called before what follows is delivered."""

    def logged_on(self) -> None:
        """There is a wire again."""


class Links:
    """``number_limit``: no outgoing number from here on may be used (it would not survive a restart)."""

    def __init__(self, config: Config, session: Session, link: str, number_limit: int, listener: Listener) -> None:
        self.session = session
        self.link = link
        self.number_limit = number_limit
        self.heard_ns = time.monotonic_ns()  # the last byte on this link; before the first, when we began to listen
        self.attempted = asyncio.Event()
        self._config = config
        self._doors = {"A": config.through("exchange-a"), "B": config.through("exchange-b")}
        self._listener = listener
        self._wire: asyncio.StreamWriter | None = None
        self._reader: asyncio.Task[None] | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._attempt_at = 0
        self._reset = False
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Heartbeats, and a logon whenever one is needed; for ever."""
        while True:
            self._do(self.session.tick(time.monotonic_ns()))
            if self.session.next_out >= self.number_limit:
                self._hang_up("no outgoing numbers are left that would survive a restart")
            elif self._attempt is None and self._logon_is_due(time.monotonic_ns()):
                self._attempt = asyncio.ensure_future(self._try_again())
            await asyncio.sleep(TICK_S)

    def send(self, message: Message) -> None:
        """Put an application message on the wire; the session must be active."""
        self._do(self.session.send(message, time.monotonic_ns()))

    async def use(self, link: str, reset: bool) -> None:
        """Drop the session and log on over ``link``. LinkError when that failed; the gateway then goes on trying there.

        ``reset`` has both sides start their numbers at 1: what was not received by then is never sent again.
        """
        if self._attempt is not None:
            self._attempt.cancel()
        async with self._turn:
            self._hang_up("the operator changes the link")
            self.link, self._reset = link, reset
            self.heard_ns = time.monotonic_ns()
            await self._log_on()

    async def probe(self, link: str) -> bool:
        """Whether the exchange answers a TestRequest on ``link``, over a connection of its own, without a logon."""
        try:
            async with asyncio.timeout(self._config.gateway.logon_s):
                reader, writer = await self._connect(link)
                try:
                    writer.write(encode({"MsgType": "TestRequest", "TestReqID": "probe"}))
                    return bool(decode(await reader.readline())["MsgType"] == "Heartbeat")
                finally:
                    writer.transport.abort()
        except (OSError, ValueError):
            return False

    async def close(self) -> None:
        """Close the connection without a word, as a dying process would."""
        for task in (self._attempt, self._reader):
            if task is not None:
                task.cancel()
        self._hang_up("closing")

    # -- logon --------------------------------------------------------------------------------------------------------

    def _logon_is_due(self, now: int) -> bool:
        if not self.session.active:
            return now - self._attempt_at >= RETRY_NS
        patience = int(self._config.gateway.reconnect_s * 1e9)
        quiet_since = max(self.session.heard_ns, self._attempt_at)
        return self.session.silent(now) and now - quiet_since >= patience

    async def _try_again(self) -> None:
        try:
            async with self._turn:
                await self._log_on()
        except LinkError as error:
            log.warning("%s", error)
        finally:
            self._attempt = None

    async def _log_on(self) -> None:
        self._attempt_at = time.monotonic_ns()
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(self._config.gateway.logon_s):
                reader, writer = await self._connect(self.link)
                logon = self.session.logon(time.monotonic_ns(), self._config.gateway.identity, self._reset)
                writer.write(encode(logon))
                reply = decode(await reader.readline())
            if reply["MsgType"] != "Logon":
                raise LinkError(
                    f"the exchange refused the logon on link {self.link}: {reply.get('Text', reply['MsgType'])}"
                )
        except (OSError, ValueError, LinkError) as error:
            if writer is not None:
                writer.transport.abort()
            if isinstance(error, LinkError):
                raise
            raise LinkError(f"no logon on link {self.link}: {str(error) or type(error).__name__}") from error
        except asyncio.CancelledError:
            if writer is not None:
                writer.transport.abort()
            raise
        finally:
            self.attempted.set()
        self._take_over(reader, writer, reply)

    def _take_over(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: Message) -> None:
        if self._wire is not None:
            self._wire.transport.abort()
        self._wire = writer
        self.heard_ns = time.monotonic_ns()
        was_reset, self._reset = self._reset, False
        log.info("logged on over link %s, number %s, expected %s", self.link, reply["MsgSeqNum"], self.session.next_in)
        if was_reset:
            self._listener.was_reset()
        self._do(self.session.established(reply, self.heard_ns))
        self._listener.logged_on()
        self._reader = asyncio.ensure_future(self._read(reader, writer))

    async def _connect(self, link: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self._doors[link], limit=LINE_LIMIT)

    # -- the wire -----------------------------------------------------------------------------------------------------

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (line := await reader.readline()) and self._wire is writer:
                self.heard_ns = time.monotonic_ns()
                self._do(self.session.receive(decode(line), self.heard_ns))
        except (OSError, ValueError) as error:
            log.warning("link %s: %s", self.link, error)
        if self._wire is writer:
            self._hang_up("the connection ended")

    def _do(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send(message):
                    self._write(message)
                case Deliver():
                    self._listener.delivered(action)
                case HangUp(reason):
                    self._hang_up(reason)

    def _write(self, message: Message) -> None:
        if self._wire is None:
            return
        if self._wire.transport.get_write_buffer_size() > UNSENT_LIMIT:
            self._hang_up("the exchange does not read")
        else:
            self._wire.write(encode(message))

    def _hang_up(self, reason: str) -> None:
        if self._wire is not None:
            log.warning("link %s: hanging up: %s", self.link, reason)
            with contextlib.suppress(OSError):
                self._wire.transport.abort()
            self._wire = None
        self.session.lost()
