"""The valuation service: says what lots are worth on a business date. Asked over a kept TCP connection, a line a call.

Request ``{"id", "day", "lots": [[code, quantity], …]}``, answer ``{"id", "marks": [yen, …]}`` or ``{"id", "error"}``.
Calls are collected and answered together in short cycles, as pricing engines do. A call may hold one lot or hundreds:
what costs is the round trip.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from prometheus_client import CollectorRegistry, Counter

from targets.brokerage import database, serving
from targets.brokerage.config import Config
from targets.brokerage.database import Connection, Line
from targets.brokerage.serving import Job, Unhealthy

log = logging.getLogger("valuation")

CLOSES = "SELECT code, day::text, close FROM closes"
WITHIN_S = 5.0
RETRY_S = 0.2
LINE_LIMIT = 1 << 20


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question: the marks of ``lots`` (code, shares) for ``day``."""

    id: int
    day: str
    lots: list[tuple[str, int]]


class Valuation:
    """Implements ``serving.Service``; ``door`` is where the calls come in."""

    def __init__(self, config: Config, door: socket.socket) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter("valuation_calls", "Calls answered", registry=self.registry)
        self._lots = Counter("valuation_lots", "Lots valued", registry=self.registry)
        self._door = door
        self._line = Line(database.dsn(config.at("postgres"), "valuation"))
        self._closes: dict[tuple[str, str], int] = {}
        self._decoder = msgspec.json.Decoder(Call)
        self._cycle_s = config.valuation.cycle_s
        self._waiting: list[tuple[bytes, asyncio.StreamWriter]] = []

    def jobs(self) -> Sequence[Job]:
        """Answering."""
        return (self._serve,)

    def health(self) -> Mapping[str, Any]:
        """It needs the day's prices."""
        if not self._closes:
            raise Unhealthy("prices have not been read from the database yet")
        return {"prices": len(self._closes)}

    async def stop(self) -> None:
        """Close the database connection."""
        await self._line.close()

    async def _serve(self) -> None:
        while not self._closes:
            try:
                self._closes = await self._line.run(_read_closes, WITHIN_S)
            except psycopg.OperationalError as error:
                log.warning("prices cannot be read: %s", str(error).strip())
            await asyncio.sleep(0 if self._closes else RETRY_S)
        server = await asyncio.start_server(self._talk, sock=self._door, limit=LINE_LIMIT)
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                if not self._waiting:
                    asyncio.get_running_loop().call_later(self._cycle_s, self._cycle)
                self._waiting.append((line, writer))
                await writer.drain()
        except (OSError, ValueError) as error:  # ValueError: a line longer than the limit
            log.info("a caller is gone: %s", error)
        except asyncio.CancelledError:
            return  # the service ends; asyncio's own callback would log a cancelled handler as an error
        finally:
            writer.close()

    def _cycle(self) -> None:
        """Answer all that has come in since the last cycle."""
        waiting, self._waiting = self._waiting, []
        for line, writer in waiting:
            if not writer.is_closing():
                writer.write(msgspec.json.encode(self.answer(line)) + b"\n")

    def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one line, an error included."""
        try:
            call = self._decoder.decode(line)
            marks = [self._closes[code, call.day] * quantity for code, quantity in call.lots]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return {"id": 0, "error": f"not a call: {error}"}
        except KeyError as error:
            return {"id": call.id, "error": f"no price for {error}"}
        self._calls.inc()
        self._lots.inc(len(marks))
        return {"id": call.id, "marks": marks}


async def _read_closes(connection: Connection) -> dict[tuple[str, str], int]:
    rows = await (await connection.execute(CLOSES)).fetchall()
    return {(code, day): close for code, day, close in rows}


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; sockets ``valuation`` (calls) and ``valuation_http``."""
    serving.serve(Valuation(config, sockets["valuation"]), (), sockets["valuation_http"])
