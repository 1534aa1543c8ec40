"""HTTP/1.1 over one kept-alive connection: all the monitor needs, at little cost.

The monitor asks sixteen times a second and shares its cores with what it watches; a general client would cost more
than the scrape. Replies must carry Content-Length, as those of uvicorn do.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from targets.brokerage.config import Address
from targets.lengths import content_length

MAX_HEAD = 16_384
MAX_BODY = 4_000_000


class WireError(Exception):
    """No usable reply: refused, closed, too late or not understood; the message says which."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and body of one reply."""

    status: int
    body: bytes


class Connection:
    """Opened when first used, and again after any failure. One request at a time."""

    def __init__(self, where: Address) -> None:
        self._where = where
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, timeout_s: float) -> Reply:
        """GET ``path``; all of it, connecting included, within ``timeout_s``. Raises WireError."""
        return await self._ask(self._request("GET", path), timeout_s)

    async def post(self, path: str, body: bytes, timeout_s: float) -> Reply:
        """POST a JSON body; as ``get``. A failed POST may still have been received."""
        head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return await self._ask(self._request("POST", path, head) + body, timeout_s)

    def close(self) -> None:
        """Drop the connection, if there is one."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    async def _ask(self, request: bytes, timeout_s: float) -> Reply:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(request)
        except BaseException as error:
            self.close()  # whatever comes later on this connection would be taken for the next reply
            if isinstance(error, TimeoutError):
                raise WireError(f"no reply within {timeout_s:g} s") from error
            if isinstance(error, (OSError, EOFError, ValueError, asyncio.LimitOverrunError)):
                raise WireError(str(error) or type(error).__name__) from error
            raise

    async def _exchange(self, request: bytes) -> Reply:
        reused = self._open is not None
        try:
            return await self._once(request)
        except (ConnectionError, asyncio.IncompleteReadError):
            if not reused:
                raise
            self.close()  # the other side had closed while we were idle: that says nothing about it now
            return await self._once(request)

    async def _once(self, request: bytes) -> Reply:
        reader, writer = await self._usable()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status, length, keep = _read_head(head)
        body = await reader.readexactly(length)
        if not keep:
            self.close()
        return Reply(status, body)

    async def _usable(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._open is not None and (self._open[0].at_eof() or self._open[1].is_closing()):
            self.close()  # the other side was restarted since
        if self._open is None:
            self._open = await asyncio.open_connection(*self._where, limit=MAX_HEAD)
        return self._open

    def _request(self, method: str, path: str, head: str = "") -> bytes:
        return f"{method} {path} HTTP/1.1\r\nHost: {self._where.host}:{self._where.port}\r\n{head}\r\n".encode()


def _read_head(head: bytes) -> tuple[int, int, bool]:
    """Status, length of the body, and whether the connection stays open; ValueError when not understood."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status = first.split(" ")[:2]
    said = [(name, value) for name, _, value in (line.partition(":") for line in lines if line)]
    fields = {name.strip().lower(): value.strip() for name, value in said}
    length = content_length(said)
    if length > MAX_BODY:
        raise ValueError(f"reply of {length} bytes")
    return int(status), length, version == "HTTP/1.1" and fields.get("connection", "").lower() != "close"
