"""HTTP/1.1 between customers and the api, passed on byte for byte: what the edge and the relay have in common.

A connection is a conversation: one request, one answer, until either side ends it. What makes no sense, or has a body
of unstated length, is refused; what is refused here never went on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from targets.brokerage.serving import BODY_LIMIT
from targets.http_async import Connections, NotSent, Reply, Unanswered
from targets.lengths import content_length

HEAD_LIMIT = 16 * 1024
END = b"\r\n\r\n"

NOT_FORWARDED = "NOT_FORWARDED"
"""Nothing of the request has gone on: surely it had no effect."""
STATE_UNKNOWN = "STATE_UNKNOWN"
"""It has gone on and nothing came back: it may have had its effect, and 503 would say that it had not."""


class Malformed(ValueError):
    """No request that is understood; ``status`` is what it is answered."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status = status


@dataclass(frozen=True, slots=True)
class Message:
    """One request as it came. ``fields`` are those of its head, names in lower case; ``stays``: it may be followed."""

    method: str
    path: str
    fields: Mapping[str, str]
    head: bytes
    body: bytes
    stays: bool

    @property
    def raw(self) -> bytes:
        """As it goes on the wire."""
        return self.head + self.body


Serve = Callable[[Message], Awaitable[Reply]]


async def converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    serve: Serve,
    over: Callable[[], bool] = lambda: False,
) -> None:
    """Answer request after request, the last one once it is ``over``; then the connection is closed."""
    try:
        async for message in _messages(reader, writer):
            reply = await serve(message)
            last = not message.stays or closes(reply) or over()
            writer.write(_as_last(reply) if last else reply.head + reply.body)
            await writer.drain()
            if last:
                return
    except (OSError, EOFError):  # who asked is gone
        return
    except asyncio.CancelledError:
        return  # the service ends; asyncio's own callback would log a cancelled handler as an error
    finally:
        with contextlib.suppress(OSError):
            writer.close()


async def pass_on(upstream: Connections, message: Message, within_s: float) -> Reply:
    """The answer of who is next; where none came, what is certain about the request."""
    try:
        return await upstream.send(message.raw, within_s)
    except NotSent as error:
        return refusal(503, NOT_FORWARDED, f"it could not be passed on: {error}")
    except Unanswered as error:
        return refusal(504, STATE_UNKNOWN, f"it was passed on and not answered: {error}")


def refusal(status: int, error: str, says: str, **more: str) -> Reply:
    """An answer of our own: ``error`` for programs, ``says`` for people; ``more`` are fields of its head."""
    body = msgspec.json.encode({"error": error, "says": says})
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **more}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {each}" for name, each in fields.items())]
    return Reply(status, body, "\r\n".join([*lines, "", ""]).encode("latin-1"))


def closes(reply: Reply) -> bool:
    """Whether the answer itself ends the connection."""
    fields = (line.partition(b":") for line in reply.head.split(b"\r\n")[1:])
    return any(name.strip().lower() == b"connection" and said.strip().lower() == b"close" for name, _, said in fields)


def parse(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    """Method, path, version and fields of a request's head; Malformed."""
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        raise Malformed(400, "this is no request of HTTP/1.1")
    named = [line.partition(":") for line in lines]
    if not all(colon and name.strip() == name and name for name, colon, _ in named):
        raise Malformed(400, "a field of the head has no name")
    return words[0], words[1], words[2], {name.lower(): said.strip() for name, _, said in named}


async def _messages(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[Message]:
    """Requests as they come, until the other side ends; what is not understood is answered, and ends it too."""
    while True:
        try:
            message = await _read(reader)
        except Malformed as error:
            writer.write(_as_last(refusal(error.status, "BAD_REQUEST", str(error))))
            await writer.drain()
            return
        if message is None:
            return
        yield message


async def _read(reader: asyncio.StreamReader) -> Message | None:
    """The next request; None where the other side has ended. Malformed; EOFError within one."""
    try:
        head = await reader.readuntil(END)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    except asyncio.LimitOverrunError:
        raise Malformed(431, f"the head is longer than {HEAD_LIMIT} bytes") from None
    method, path, version, fields = parse(head)
    body = await reader.readexactly(_length(fields))
    stays = version == "HTTP/1.1" and fields.get("connection", "").lower() != "close"
    return Message(method, path, fields, head, body, stays)


def _length(fields: Mapping[str, str]) -> int:
    if "transfer-encoding" in fields or "expect" in fields:
        raise Malformed(411, "send the body at once, and its length with Content-Length")
    if "content-length" not in fields:
        return 0
    try:
        length = content_length(fields.items())
    except ValueError as error:
        raise Malformed(400, str(error)) from None
    if length > BODY_LIMIT:
        raise Malformed(413, f"the body is longer than {BODY_LIMIT} bytes")
    return length


def _as_last(reply: Reply) -> bytes:
    """The answer, saying that the connection ends with it."""
    if closes(reply):
        return reply.head + reply.body
    return reply.head.removesuffix(b"\r\n") + b"Connection: close\r\n\r\n" + reply.body
