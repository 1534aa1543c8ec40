"""The exchange at work: two doors, one session per member, matching cycles.

Whoever logs on last is the member: a logon with the same identity supersedes the older connection. While the member is
away the exchange goes on executing; what it has to say is numbered, kept and sent on request. Before a logon a
TestRequest is answered, so that a member can ask whether a door works without disturbing the session.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage import serving
from targets.brokerage.config import Config
from targets.brokerage.exchange.book import Book, Change
from targets.brokerage.exchange.books import book_file
from targets.brokerage.exchange.journal import Journal
from targets.brokerage.exchange.market import Market
from targets.brokerage.exchange.marketbook import Ticker
from targets.brokerage.serving import Job
from targets.brokerage.session import Action, Deliver, HangUp, Send, Session
from targets.brokerage.wire import LINE_LIMIT, Garbled, Message, decode, encode

log = logging.getLogger("exchange")

TICK_S = 0.02
PRELOGON_S = 5.0
UNSENT_LIMIT = 4 * 1024 * 1024


class Exchange:
    """Implements ``serving.Service``; ``doors`` are the listening sockets of the links."""

    def __init__(self, config: Config, doors: Mapping[str, socket.socket]) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self._orders = Counter("exchange_orders_total", "Orders accepted", registry=self.registry)
        self._executions = Counter("exchange_executions_total", "Trades", registry=self.registry)
        up = Gauge("exchange_session_up", "Whether the member is logged on", registry=self.registry)
        up.set_function(lambda: float(self.session.active))
        self._doors = doors
        self._journal = Journal(book_file(Path(config.folder)))
        self._wire: asyncio.StreamWriter | None = None
        self._incoming: list[Deliver] = []
        self._servers: list[asyncio.Server] = []
        self._reserved = 0
        self.market = Market(config)
        self._ticker = Ticker(config, self.market)
        self.book = Book(config.exchange, config.seed, self.market.reached)
        self.session = self._restored_session()

    def jobs(self) -> Sequence[Job]:
        """Doors, matching and the session's clock."""
        return (self._listen, self._match, self._tick)

    def health(self) -> Mapping[str, Any]:
        """Matching goes on, member or not."""
        return {"session": "up" if self.session.active else "away", "orders": len(self.book.orders)}

    async def stop(self) -> None:
        """Close the member's connection and the files."""
        self._leave()
        self._journal.close()
        self._ticker.close()

    async def prices(self, _: Request) -> Response:
        """Of all instruments, for anybody."""
        return serving.answer(200, self.market.prices(time.monotonic_ns()))

    # -- jobs ---------------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        for name, sock in self._doors.items():
            self._servers.append(await asyncio.start_server(partial(self._guest, name), sock=sock, limit=LINE_LIMIT))

    async def _match(self) -> None:
        rng = random.Random(f"cycles:{self.config.seed}")
        settings = self.config.exchange
        while True:
            await asyncio.sleep(settings.cycle_s * (1 + rng.uniform(-settings.jitter, settings.jitter)))
            incoming, self._incoming = self._incoming, []
            now = time.monotonic_ns()
            self._ticker.look(now)
            for change in self.book.cycle(now, [each.message for each in incoming]):
                self._tell(change, now)
            self._note_numbers(bool(incoming))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._note_numbers(False)
            self._do(self.session.tick(time.monotonic_ns()))

    # -- connections --------------------------------------------------------------------------------------------------

    async def _guest(self, door: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            logon = await self._before_logon(reader, writer)
            if logon is not None and self._admit(door, logon, writer):
                while line := await reader.readline():
                    if self._wire is not writer:
                        break  # superseded: what an old connection still brings does not count
                    self._do(self.session.receive(decode(line), time.monotonic_ns()))
        except (Garbled, ValueError, ConnectionError, TimeoutError) as error:
            log.warning("%s: connection ended: %s", door, error)
        finally:
            if self._wire is writer:
                log.info("%s: the member is away", door)
                self._leave()
            writer.close()

    async def _before_logon(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Message | None:
        while line := await asyncio.wait_for(reader.readline(), PRELOGON_S):
            message = decode(line)
            if message["MsgType"] == "Logon":
                return message
            if message["MsgType"] != "TestRequest":
                raise Garbled(f"{message['MsgType']} before Logon")
            writer.write(encode({"MsgType": "Heartbeat", "TestReqID": message.get("TestReqID", "")}))
        return None

    def _admit(self, door: str, logon: Message, writer: asyncio.StreamWriter) -> bool:
        identity = self.config.gateway.identity
        if logon.get("SenderCompID") != identity:
            writer.write(encode({"MsgType": "Logout", "Text": f"unknown SenderCompID; this door is for {identity}"}))
            return False
        self._leave()
        if logon.get("ResetSeqNumFlag") == "Y":
            self._journal.reset(len(self.book.orders) + len(self.book.executions) + self._others())
        actions = self.session.accept(logon, time.monotonic_ns())
        if isinstance(actions[0], HangUp):
            log.error("%s: logon refused: %s", door, actions[0].reason)
            writer.write(encode({"MsgType": "Logout", "Text": actions[0].reason}))
            return False
        self._wire = writer
        self._reserve()
        log.info("%s: member logged on with %s, next expected %s", door, logon["MsgSeqNum"], self.session.next_in)
        self._do(actions)
        return True

    def _leave(self) -> None:
        self.session.lost()
        if self._wire is not None:
            self._wire.transport.abort()
            self._wire = None

    def _do(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send(message):
                    self._write(message)
                case Deliver():
                    self._incoming.append(action)
                case HangUp(reason):
                    log.warning("hanging up: %s", reason)
                    self._leave()

    def _write(self, message: Message) -> None:
        if self._wire is None:
            return
        if self._wire.transport.get_write_buffer_size() > UNSENT_LIMIT:
            log.warning("hanging up: the member does not read")
            self._leave()
        else:
            self._wire.write(encode(message))

    # -- what is written down -----------------------------------------------------------------------------------------

    def _tell(self, change: Change, now: int) -> None:
        if change.row is not None:
            self._journal.happened(change.row)
            self._orders.inc(change.row["kind"] == "exchange-order")
            self._executions.inc(change.row["kind"] == "exchange-execution")
        number = self.session.next_out
        actions = self.session.send(change.message, now, keep=change.keep)
        if change.keep:
            self._journal.keeps(self.session.store[number], change.row is not None)
        self._do(actions)

    def _note_numbers(self, moved: bool) -> None:
        if self.session.next_out > self._reserved - self.config.exchange.reserve // 2:
            self._reserve()
        elif moved:
            self._journal.numbers(self.session.next_in, self._reserved)

    def _reserve(self) -> None:
        self._reserved = self.session.next_out + self.config.exchange.reserve
        self._journal.numbers(self.session.next_in, self._reserved)

    def _others(self) -> int:
        """Rows of cancels, and of widths agreed on later."""
        return sum(order.cancelled for order in self.book.orders.values()) + len(self.book.widths) - 1

    def _restored_session(self) -> Session:
        settings, kept = self.config.exchange, self._journal.kept
        session = Session(
            int(self.config.gateway.heartbeat_s * 1e9),
            next_in=kept.next_in,
            next_out=kept.next_out,
            resend_per_s=settings.resend_per_s,
            give_up_ns=int(settings.silent_s * 1e9),
        )
        session.store = dict(kept.store)
        messages = [self.book.restore(row) for row in self._journal.rows]
        self.book.rested()
        for message in messages[kept.rows :]:
            number = session.next_out
            session.send(message, time.monotonic_ns(), keep=True)
            self._journal.keeps(session.store[number], True)
        self._reserved = session.next_out + settings.reserve
        self._journal.numbers(session.next_in, self._reserved)
        return session


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; sockets ``exchange_a``, ``exchange_b``, ``exchange_http``."""
    doors = {name: sockets[name] for name in ("exchange_a", "exchange_b")}
    exchange = Exchange(config, doors)
    prices = Route("/prices", exchange.prices, methods=["GET"])
    serving.serve(exchange, (prices,), sockets["exchange_http"])  # members use the doors
