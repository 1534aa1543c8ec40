"""A small HTTP/1.1 client for calls between services: kept-alive connections, one try, a time-out.

What matters to its callers is one question: can the other side have received the request? ``NotSent`` means it cannot.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec

from targets.brokerage.config import Address
from targets.lengths import content_length

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

IDLE_LIMIT = 64


class NotSent(Exception):
    """No connection: the other side has received nothing."""


class Unanswered(Exception):
    """The request was sent and no whole answer came: it may or may not have been carried out."""


class Client:
    """Calls one service with the stack's token."""

    def __init__(self, where: Address, token: str) -> None:
        self._where = where
        self._token = token
        self._idle: list[Stream] = []

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None, within_s: float
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of the answer. NotSent, Unanswered."""
        stream = await self._stream(within_s)
        try:
            async with asyncio.timeout(within_s):
                stream[1].write(self._request(method, path, msgspec.json.encode(body or {})))
                answer = await _read(stream[0])
        except (OSError, EOFError, ValueError, LookupError) as error:
            stream[1].transport.abort()
            raise Unanswered(f"{method} {path}: {str(error) or type(error).__name__}") from error
        except BaseException:
            stream[1].transport.abort()  # cancelled: what comes late must not meet the next request
            raise
        self._give_back(stream)
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        for _, writer in self._idle:
            writer.transport.abort()
        self._idle.clear()

    async def _stream(self, within_s: float) -> Stream:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.transport.abort()
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.open_connection(*self._where)
        except OSError as error:
            raise NotSent(f"no connection to {self._where.host}:{self._where.port}: {error}") from error

    def _give_back(self, stream: Stream) -> None:
        if len(self._idle) < IDLE_LIMIT:
            self._idle.append(stream)
        else:
            with contextlib.suppress(OSError):
                stream[1].close()

    def _request(self, method: str, path: str, body: bytes) -> bytes:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._where.host}:{self._where.port}\r\n"
            f"X-Ops-Token: {self._token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("latin-1") + body


async def _read(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = [(name, value) for name, _, value in (line.partition(":") for line in head[1:] if line)]
    body = await reader.readexactly(content_length(fields))
    return int(head[0].split(" ")[1]), msgspec.json.decode(body, type=dict[str, Any])
