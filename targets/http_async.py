"""The HTTP/1.1 client of the targets' event loops: kept connections to one address, and a limit in time.

What matters to its callers is one question: can the other side have received the request? ``NotSent`` means it cannot.
Answers must carry Content-Length, as those of uvicorn do. A general client would cost the monitor, which asks many
times a second and shares its cores with what it watches, more than what it asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from targets.lengths import content_length

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

MOST_IDLE = 64
LONGEST_BODY = 4_000_000
BODILESS = frozenset({"204", "304"})


class NoAnswer(Exception):
    """No whole answer came; the message says why."""


class NotSent(NoAnswer):
    """No connection: the other side has received nothing."""


class Unanswered(NoAnswer):
    """The request was sent and no whole answer came: it may or may not have been carried out."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and body of one answer; ``head`` is all before the body as it came, with its blank line."""

    status: int
    body: bytes
    head: bytes = b""


class Connections:
    """To one address, opened when needed and kept while they are good. ``headers`` go with each request.

    A server may close a kept connection while it is idle, and then nobody knows whether it received what was sent on
    it: with ``repeat`` such a request is sent once more, on a new connection. Only for what may be received twice.
    """

    def __init__(self, where: tuple[str, int], headers: Mapping[str, str] | None = None, repeat: bool = False) -> None:
        self._where = where
        self._head = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._repeat = repeat
        self._idle: list[Stream] = []

    async def ask(self, method: str, path: str, body: bytes | None, within_s: float) -> Reply:
        """What is answered, all of it within that time, connecting included. NotSent, Unanswered.

        A body is JSON; None is none.
        """
        return await self.send(self._request(method, path, body), within_s)

    async def send(self, request: bytes, within_s: float) -> Reply:
        """The same for a whole request as it goes on the wire, head and body."""
        deadline = asyncio.get_running_loop().time() + within_s
        kept = self._kept()
        try:
            return await self._exchange(kept or await self._connected(deadline), request, deadline)
        except Unanswered as error:
            ended = isinstance(error.__cause__, ConnectionError | asyncio.IncompleteReadError)
            if not (kept and self._repeat and ended):
                raise
        return await self._exchange(await self._connected(deadline), request, deadline)

    def close(self) -> None:
        """Close the idle connections."""
        for _, writer in self._idle:
            writer.transport.abort()
        self._idle.clear()

    def _kept(self) -> Stream | None:
        """An idle connection that the other side has not closed, as far as that is known by now."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.transport.abort()
        return None

    async def _connected(self, deadline: float) -> Stream:
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.open_connection(*self._where)
        except OSError as error:
            host, port = self._where
            raise NotSent(f"no connection to {host}:{port}: {error}") from error

    async def _exchange(self, stream: Stream, request: bytes, deadline: float) -> Reply:
        reader, writer = stream
        try:
            async with asyncio.timeout_at(deadline):
                writer.write(request)
                reply, stays_open = await _read(reader, request.startswith(b"HEAD "))
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            writer.transport.abort()
            what = request.partition(b" HTTP/")[0].decode("latin-1")
            raise Unanswered(f"{what}: {str(error) or type(error).__name__}") from error
        except BaseException:
            writer.transport.abort()  # cancelled: what comes late must not meet the next request
            raise
        self._give_back(stream, stays_open)
        return reply

    def _give_back(self, stream: Stream, stays_open: bool) -> None:
        if stays_open and len(self._idle) < MOST_IDLE:
            self._idle.append(stream)
        else:
            with contextlib.suppress(OSError):
                stream[1].close()

    def _request(self, method: str, path: str, body: bytes | None) -> bytes:
        host, port = self._where
        content = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{self._head}{content}\r\n"
        return head.encode("latin-1") + (body or b"")


async def _read(reader: asyncio.StreamReader, head_alone: bool) -> tuple[Reply, bool]:
    """An answer, and whether the connection stays open; ValueError when it is not understood."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status = first.split(" ")[:2]
    fields = [(name, value) for name, _, value in (line.partition(":") for line in lines if line)]
    length = 0 if head_alone or status in BODILESS else content_length(fields)
    if length > LONGEST_BODY:
        raise ValueError(f"answer of {length} bytes")
    reply = Reply(int(status), await reader.readexactly(length), head)
    closes = any(name.strip().lower() == "connection" and value.strip().lower() == "close" for name, value in fields)
    return reply, version == "HTTP/1.1" and not closes
