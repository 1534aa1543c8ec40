"""What TLS and the relay cost: the same request at three doors of one stack, side by side in one run.

    python tests/bench/front.py

``api``: straight to it. ``relay``: a line in the transaction log, and on through the proxy to the api. ``edge``: TLS
before that, on connections that are kept; ``edge, new``: with a handshake for each request. A row has the median of
``ROUNDS`` turns, and how many times the api's own figure that is.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run as a script, this folder alone would be searched

from targets.brokerage.relay.component import LOG_VOLUME
from targets.brokerage.relay.lines import CURRENT
from targets.brokerage.volumes.keeping import reached
from targets.local import LocalTarget
from targets.runtime import Request

ROUNDS, SECONDS, CONNECTIONS = 5, 1.5, 8


@dataclass(frozen=True)
class Door:
    """Where to knock; ``kept``: one connection for many requests."""

    port: int
    tls: ssl.SSLContext | None = None
    kept: bool = True


@dataclass(frozen=True)
class Figures:
    """Of one door: ms a request on one connection, and requests a second on ``CONNECTIONS``."""

    ms: float
    per_s: float


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))


async def knock(door: Door, request: bytes, seconds: float, times: list[float]) -> None:
    """Ask again and again; how long each took, in seconds, a handshake included where there is one for each."""
    until, stream = time.perf_counter() + seconds, None
    while time.perf_counter() < until:
        began = time.perf_counter()
        stream = stream or await asyncio.open_connection("127.0.0.1", door.port, ssl=door.tls)
        await ask(*stream, request)
        times.append(time.perf_counter() - began)
        if not door.kept:
            stream[1].transport.abort()
            stream = None
    if stream is not None:
        stream[1].transport.abort()


async def measured(door: Door, request: bytes) -> Figures:
    alone: list[float] = []
    await knock(door, request, SECONDS, alone)
    together: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(knock(door, request, SECONDS, together) for _ in range(CONNECTIONS)))
    return Figures(statistics.median(alone) * 1000, len(together) / (time.perf_counter() - began))


def login(target: LocalTarget) -> str:
    from targets import http_sync

    body = json.dumps({"customer": "C-0001", "password": target.password("C-0001")}).encode()
    where = ("127.0.0.1", target.config.ports["api"])
    return str(json.loads(http_sync.ask(where, "POST", "/login", 5.0, body=body).body)["token"])


def doors(target: LocalTarget) -> Mapping[str, Door]:
    ports, trusted = target.config.ports, ssl.create_default_context(cadata=target.customers_authority())
    return {
        "api": Door(ports["api"]),
        "relay": Door(ports["relay"]),
        "edge": Door(ports["edge"], trusted),
        "edge, new": Door(ports["edge"], trusted, kept=False),
    }


async def all_rounds(known: Mapping[str, Door], request: bytes, volume: Path) -> dict[str, Figures]:
    """The log is emptied between two doors: at this pace its volume would be full within a minute."""
    seen: dict[str, list[Figures]] = {name: [] for name in known}
    for turn in range(ROUNDS):
        for name in list(known)[:: 1 if turn % 2 else -1]:
            os.truncate(volume / CURRENT, 0)
            seen[name].append(await measured(known[name], request))
    return {
        name: Figures(statistics.median(each.ms for each in rows), statistics.median(each.per_s for each in rows))
        for name, rows in seen.items()
    }


def main() -> None:
    """Print a table a request."""
    import uvloop

    with (
        tempfile.TemporaryDirectory() as logs,
        LocalTarget(Request("front", 7, "D3", None, 60, Path(logs))) as target,
    ):
        token, volume = login(target), reached(target.folder, LOG_VOLUME.name)
        code = next(row["id"] for row in target.world() if row["kind"] == "price")
        for path in (f"/quotes/{code}", "/balances"):
            request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
            show(path, uvloop.run(all_rounds(doors(target), request, volume)))


def show(path: str, found: Mapping[str, Figures]) -> None:
    print(f"GET {path:<16} {'ms a request':>14} {'requests/s':>19}")
    for name, each in found.items():
        slower, fewer = each.ms / found["api"].ms, each.per_s / found["api"].per_s
        print(f"  {name:<12} {each.ms:12.2f} {slower:7.2f}x {each.per_s:11.0f} {fewer:6.2f}x")


if __name__ == "__main__":
    main()
