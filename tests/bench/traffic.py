"""What goes through a proxy that is measured: a server of small replies and of bulk, and who asks it.

    python tests/bench/traffic.py HTTP_PORT BULK_PORT     serve both until killed; prints ``ready``

The server is a process of its own. Who asks is cheap: one event loop for requests and no parser, for a reply is
compared as bytes; a blocking socket where one connection is timed.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections import deque
from typing import cast

BODY = b"x" * 200
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + BODY
REQUEST = b"GET /quote?code=7203 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CHUNK = b"x" * 65536
TIMEOUT_S = 30
TICK_S = 0.001


class Answer(asyncio.Protocol):
    """One reply for each request; a request comes whole here, it is smaller than any segment."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(REPLY * data.count(b"\r\n\r\n"))


class Caller(asyncio.Protocol):
    """One connection that asks and notes how long each answer took, in seconds."""

    def __init__(self, again: bool) -> None:
        self.again = again  # ask as soon as it is answered
        self.times: list[float] = []
        self.sent: deque[float] = deque()
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self) -> None:
        self.sent.append(time.perf_counter())
        self.transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        while len(data) >= len(REPLY):
            assert data.startswith(REPLY), f"unexpected reply {data[:80]!r}"
            data = data[len(REPLY) :]
            self.times.append(time.perf_counter() - self.sent.popleft())
            if self.again:
                self.ask()
        self.rest = data

    def connection_lost(self, error: Exception | None) -> None:
        self.again = False


async def callers(port: int, count: int, again: bool) -> list[Caller]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(TIMEOUT_S):
        made = [await loop.create_connection(lambda: Caller(again), "127.0.0.1", port) for _ in range(count)]
    return [caller for _, caller in made]


async def back_to_back(port: int, connections: int, seconds: float) -> float:
    """Answers a second when every connection asks again at once."""
    asking = await callers(port, connections, again=True)
    began = time.perf_counter()
    for each in asking:
        each.ask()
    await asyncio.sleep(seconds)
    answered, took = sum(len(each.times) for each in asking), time.perf_counter() - began
    await _close(asking)
    return answered / took


async def paced(port: int, connections: int, seconds: float) -> list[float]:
    """Seconds to each answer when one request a tick goes out, on the connections in turn, answered or not."""
    asking = await callers(port, connections, again=False)
    began = asyncio.get_running_loop().time()
    for tick in range(int(seconds / TICK_S)):
        asking[tick % connections].ask()
        await asyncio.sleep(max(0.0, began + (tick + 1) * TICK_S - asyncio.get_running_loop().time()))
    await asyncio.sleep(0.05)
    times = [each for caller in asking for each in caller.times]
    await _close(asking)
    return times


async def _close(asking: list[Caller]) -> None:
    for each in asking:
        each.again = False
        each.transport.abort()
    await asyncio.sleep(0.05)  # the proxy takes note before the next is measured


def round_trips(port: int, count: int) -> list[float]:
    """Seconds of each request and its reply, one after the other on one connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return [_round_trip(connection) for _ in range(count)]


def _round_trip(connection: socket.socket) -> float:
    began = time.perf_counter()
    connection.sendall(REQUEST)
    reply = connection.recv(4096)
    assert reply == REPLY, f"unexpected reply {reply[:80]!r}"
    return time.perf_counter() - began


def bulk(port: int, seconds: float) -> float:
    """Megabytes (1,000,000 bytes) a second received on one connection from a server that sends without end."""
    room, received = bytearray(1 << 20), 0
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        connection.recv_into(room)
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            received += connection.recv_into(room)
        return received / 1e6 / (time.perf_counter() - began)


def pour(listener: socket.socket) -> None:
    """Send without end to whoever connects, one after the other."""
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                while True:
                    connection.sendall(CHUNK)
            except OSError:  # it has had enough
                continue


async def serve(http: int, bulk: int) -> None:
    listener = socket.create_server(("127.0.0.1", bulk))
    threading.Thread(target=pour, args=(listener,), daemon=True).start()
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", http, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
