"""A client's connection and the one to the upstream that belongs to it.

::

    client ◄── Side ──upstream stream────► Side ──► upstream
               Side ◄──downstream stream── Side

A half-close is passed on; both sides close when both directions have ended.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import Protocol, cast

from faults.proxy.stream import Meter, Stream
from faults.proxy.toxics import Attached
from targets import own_errors

log = logging.getLogger(__name__)

DIAL_TIMEOUT_S = 10.0
LINGER_0 = struct.pack("ii", 1, 0)
WRITE_BUFFER = 256 * 1024


class Owner(Protocol):
    """The proxy a connection belongs to."""

    name: str
    enabled: bool
    upstream: str
    connections: set[Connection]
    toxics: dict[str, list[Attached]]
    meters: dict[str, Meter]


class Side(asyncio.Protocol):
    """One of the two sockets: what it receives goes ``out``, what arrives ``into`` it is written."""

    __slots__ = ("connected", "connection", "ended", "into", "lost", "out", "transport")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.transport: asyncio.Transport | None = None
        self.connected = False
        self.ended = False
        self.lost = False
        self.out: Stream
        self.into: Stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self.connected = True
        self.connection.made(self)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop; the only hot path."""
        stream = self.out
        stream.meter.received += len(data)
        if stream.direct is not None:
            stream.meter.sent += len(data)
            stream.direct(data)
        else:
            stream.take(data)

    def eof_received(self) -> bool:
        """Pass the half-close on and keep the other direction open."""
        self.ended = True
        self.out.take(b"")
        return True

    def pause_writing(self) -> None:
        """Called by the event loop: the write buffer is full."""
        self.into.fill(True)

    def resume_writing(self) -> None:
        """Called by the event loop: there is room again."""
        self.into.fill(False)

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the event loop, once, when the socket is closed for whatever reason."""
        self.lost = True
        self.connected = False
        if error is not None and (kind := own_errors.kind_of(error)) is not None:
            own_errors.tell(kind, f"connection of {self.connection.proxy.name}: {error}")
        self.connection.lost(self)

    def read(self, wanted: bool) -> None:
        """Start or stop reading."""
        if self.transport is None or self.ended or self.transport.is_closing():
            return
        if wanted:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def close(self) -> None:
        """Close after writing what waits."""
        if self.transport is not None:
            self.transport.close()

    def finish(self) -> None:
        """Half-close after writing what waits."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write_eof()

    def abort(self, reset: bool = False) -> None:
        """Close at once, with a RST if asked for."""
        if self.transport is None or self.lost:
            return
        if reset and (sock := self.transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        self.transport.abort()


class Connection:
    """Both sides, both directions."""

    def __init__(self, proxy: Owner) -> None:
        self.proxy = proxy
        self.client = Side(self)
        self.upstream = Side(self)
        meters, toxics = proxy.meters, proxy.toxics
        self.up = Stream(self.client, self.upstream, meters["upstream"], toxics["upstream"])
        self.down = Stream(self.upstream, self.client, meters["downstream"], toxics["downstream"])
        self.client.out = self.upstream.into = self.up
        self.client.into = self.upstream.out = self.down
        self._dial: asyncio.Task[None] | None = None

    def stream(self, direction: str) -> Stream:
        """The stream of a direction, ``upstream`` or ``downstream``."""
        return self.up if direction == "upstream" else self.down

    def made(self, side: Side) -> None:
        """Dial when the client has come; deliver what waited when the upstream answers."""
        if not self.proxy.enabled or self.up.over:  # closed or given up while it was being connected
            side.abort()
            return
        side.into.opened()
        if side is self.client:
            self.proxy.connections.add(self)
            self._dial = asyncio.get_running_loop().create_task(self._connect())

    def lost(self, side: Side) -> None:
        """Let what the lost side sent reach the other, then close that too."""
        side.into.discard()
        if side.out.over:
            side.out.dest.close()
        else:
            side.out.take(b"")
        if all(each.lost or each.transport is None for each in (self.client, self.upstream)):
            self._forget()

    def ended(self, stream: Stream, severed: bool) -> None:
        """Tell the destination that its source has ended; close it altogether if a toxic ended the stream."""
        other = self.down if stream is self.up else self.up
        if severed:
            stream.dest.close()
            # Not left to the destination's end: it may never take what was written to it.
            other.take(b"")
        elif stream.source.lost or other.over:
            stream.dest.close()
            stream.source.close()
        else:
            stream.dest.finish()

    def reset(self) -> None:
        """RST on both sides, at once."""
        self._abort(reset=True)

    def abort(self) -> None:
        """Close both sides at once."""
        self._abort(reset=False)

    def _abort(self, reset: bool) -> None:
        for stream in (self.up, self.down):
            stream.discard()
        for side in (self.client, self.upstream):
            side.abort(reset)
        self._forget()

    def _forget(self) -> None:
        self.proxy.connections.discard(self)
        if self._dial is not None:
            self._dial.cancel()

    async def _connect(self) -> None:
        host, _, port = self.proxy.upstream.rpartition(":")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DIAL_TIMEOUT_S):
                await loop.create_connection(lambda: self.upstream, host.strip("[]"), int(port))
        except (OSError, ValueError, TimeoutError, MemoryError) as error:
            where = f"proxy {self.proxy.name}: no connection to {self.proxy.upstream}"
            if (kind := own_errors.kind_of(error)) is None:
                log.warning("%s: %s", where, error)
            else:
                own_errors.tell(kind, f"{where}: {error}")
            self.abort()
