"""A brokerage as customers see it, in a thread of the test: real sockets, a script that says how each answer goes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    at: int  # ns
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int


@dataclass(frozen=True)
class Says:
    """An answer, or one of the ways not to give one: how = reply | hang | close | half | reset | raw | bye."""

    status: int = 200
    body: Any = None
    how: str = "reply"


Script = Callable[[Asked], Says | None]


def normal(asked: Asked) -> Says:
    if asked.path == "/login":
        return Says(200, {"token": f"token-of-{asked.body['customer']}"})
    if asked.path == "/balances":
        cash = 5_000_000
        return Says(
            200,
            {
                "account": "",
                "cash": cash,
                "reserved": 0,
                "buying_power": cash,
                "as_of": "10:00:00",
                "status": "current",
            },
        )
    if asked.path.startswith("/quotes/"):
        return Says(200, {"code": asked.path[8:], "price": 1000, "as_of": "10:00:00"})
    if asked.path == "/orders":
        return Says(201, {"order": f"O-{asked.headers['idempotency-key']}", "state": "new"})
    if asked.path == "/repayments":
        return Says(201, {"repayment": f"R-{asked.headers['idempotency-key']}", "state": "completed"})
    return Says(200, {"order": f"O-{asked.path.split('/')[2]}", "state": "filled", "filled": 100})


@dataclass
class FakeBrokerage:
    """``script`` may be replaced at any time; what it leaves (None) is answered normally."""

    script: Script = field(default=lambda asked: None)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    gate: asyncio.Event | None = None  # cleared: every answer waits (a stall)

    def __enter__(self) -> FakeBrokerage:
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,))
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.tls else ''}://{host}:{self.port}"

    def stall(self, stalled: bool) -> None:
        assert self.gate is not None
        self._loop.call_soon_threadsafe(self.gate.clear if stalled else self.gate.set)

    def paths(self, prefix: str) -> list[Asked]:
        return [each for each in self.asked if each.path.startswith(prefix)]

    def stop_listening(self) -> None:
        """From now on connections are refused, and those that are open end."""
        done = threading.Event()

        def close() -> None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            done.set()

        self._loop.call_soon_threadsafe(close)
        assert done.wait(5)

    def drop_idle(self) -> None:
        """Close every connection cleanly, as a server does with idle ones."""
        done = threading.Event()

        def close() -> None:
            for writer in list(self._writers):
                writer.close()
            done.set()

        self._loop.call_soon_threadsafe(close)
        assert done.wait(5)

    def _run(self, ready: threading.Event) -> None:
        self._loop.run_until_complete(self._main(ready))
        self._loop.close()

    async def _main(self, ready: threading.Event) -> None:
        self.gate, self._end = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, self.host, 0, backlog=2048, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        ready.set()
        await self._end.wait()
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        number = self.connections
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._serve_one(reader, writer, number):
                    pass
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        asked = Asked(time.monotonic_ns(), method, path, headers, json.loads(body) if body else {}, number)
        self.asked.append(asked)
        assert self.gate is not None
        await self.gate.wait()
        return await self._answer(self.script(asked) or normal(asked), writer)

    async def _answer(self, says: Says, writer: asyncio.StreamWriter) -> bool:
        data = says.body if isinstance(says.body, bytes) else json.dumps(says.body).encode()
        head = f"HTTP/1.1 {says.status} X\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        if says.how == "hang":
            await self._end.wait()
        elif says.how == "reset":
            writer.transport.get_extra_info("socket").setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # SO_LINGER 0: RST
            writer.transport.abort()
        elif says.how == "half":
            writer.write(head + data[: len(data) // 2])
            await writer.drain()
        elif says.how == "raw":
            writer.write(data)
            await writer.drain()
        elif says.how in ("reply", "bye"):
            writer.write(head + data)
            await writer.drain()
        return says.how == "reply"
