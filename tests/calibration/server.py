"""A small HTTP server that is out at planned instants and says, from its own clock, when it really was.

It reads one line of JSON from stdin: for each of its ports the outages, ``{"kind", "after_s", "for_s", "share"}``, each
that long after the one before has ended. It answers with its ports, and then with a line for each outage once it is
over. Who closes its stdin ends it. ::

    refuse    nobody listens, and what was connected is reset
    reset     a connection is taken and reset when it asks
    stall     nothing is answered, and all of it at the end
    slow      what comes is answered 1.5 s later
    error     503
    partial   of the requests this share is answered with 503
    lost      requests come in and no answer goes out, not even later

A line of an outage: ``{"port", "kind", "start": [ns, ns], "end": [ns, ns], "failed"}``; begin and end are the instants
before and after what brought them about, ``failed`` of the meter's requests were not served during it.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import sys
import time
from typing import Any, cast

import uvloop

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"
METER = b"kunren-probe"
"""In the head of the meter's requests."""
SLOW_S = 1.5
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing resets."""


class Server:
    """One port with its outages."""

    def __init__(self, outages: list[dict[str, Any]], seed: int) -> None:
        self.outages = outages
        self.now = ""
        self.share = 0.0
        self.failed = 0
        self.held: list[Peer] = []
        self.peers: set[Peer] = set()
        self.random = random.Random(seed)
        self.port = 0
        self._listening: asyncio.Server | None = None

    async def listen(self) -> None:
        """On its port; a free one the first time."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", self.port))
        self.port = sock.getsockname()[1]
        self._listening = await asyncio.get_running_loop().create_server(lambda: Peer(self), sock=sock, backlog=4096)

    async def play(self) -> None:
        """All of its outages; a line for each."""
        for each in self.outages:
            await asyncio.sleep(each["after_s"])
            self.failed = 0
            self.share = each.get("share", 1.0)
            start = await self._at_once(self._begin, each["kind"])
            await asyncio.sleep(each["for_s"])
            end = await self._at_once(self._finish, each["kind"])
            said = {"port": self.port, "kind": each["kind"], "start": start, "end": end}
            print(json.dumps({**said, "failed": self.failed}), flush=True)

    async def _at_once(self, what: Any, kind: str) -> list[int]:
        before = time.monotonic_ns()
        await what(kind)
        return [before, time.monotonic_ns()]

    async def _begin(self, kind: str) -> None:
        if kind == "refuse":
            assert self._listening is not None
            self._listening.close()
        self.now = kind
        if kind in ("refuse", "reset"):
            for peer in list(self.peers):
                peer.reset()

    async def _finish(self, kind: str) -> None:
        self.now = ""
        if kind == "refuse":
            await self.listen()
        held, self.held = self.held, []
        if kind == "stall":
            for peer in held:
                peer.say(OK)

    def asked(self, peer: Peer, *, counts: bool) -> None:
        """A request has come; ``counts`` where it is one of the meter's."""
        fails = bool(self.now) and (self.now != "partial" or self.random.random() < self.share)
        self.failed += counts and fails
        match self.now if fails else "":
            case "stall":
                self.held.append(peer)
            case "lost":
                pass
            case "reset":
                peer.reset()
            case "slow":
                asyncio.get_running_loop().call_later(SLOW_S, peer.say, OK)
            case "error" | "partial":
                peer.say(BAD)
            case _:
                peer.say(OK)


class Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.peers.add(self)
        if self._server.now == "refuse":
            self.reset()

    def connection_lost(self, error: Exception | None) -> None:
        self._server.peers.discard(self)

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            self._server.asked(self, counts=METER in data)

    def say(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)

    def reset(self) -> None:
        if self._transport is not None:
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()


async def main() -> None:
    plan = json.loads(sys.stdin.readline())
    servers = [Server(outages, seed) for seed, outages in enumerate(plan["ports"])]
    for each in servers:
        await each.listen()
    print(json.dumps([each.port for each in servers]), flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)  # "go"
    playing = asyncio.gather(*(each.play() for each in servers))
    await loop.run_in_executor(None, sys.stdin.read)  # until its end
    playing.cancel()


if __name__ == "__main__":
    uvloop.run(main())
