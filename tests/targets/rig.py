"""Gateway and exchange in one event loop, joined by two relays that can go silent, close or cut."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from targets.brokerage.bookfile import read_lines
from targets.brokerage.config import ApiConfig, Config, ExchangeConfig, GatewayConfig
from targets.brokerage.exchange.books import book_file
from targets.brokerage.exchange.server import Exchange
from targets.brokerage.gateway.flow import Verdict
from targets.brokerage.gateway.operations import new_order
from targets.brokerage.gateway.server import Gateway

from .stack import CUSTOMERS, Database, make_config

FAST = {
    "api": ApiConfig(ack_timeout_s=0.4),
    "gateway": GatewayConfig(heartbeat_s=0.05, reconnect_s=0.3, logon_s=0.5, request_s=1.0),
    "exchange": ExchangeConfig(cycle_s=0.02, fill_from_s=0.05, fill_to_s=0.4, never_fill=0.0, resend_per_s=200.0),
}


def listener() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock


def port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


@dataclass
class Relay:
    """Forwards to ``upstream``. While ``silent`` it swallows all bytes, while ``mute`` those that come back, and keeps
    connections open."""

    upstream: int
    silent: bool = False
    mute: bool = False
    port: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = port_of(server.sockets[0])
        return server

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, there[1]]
        await asyncio.gather(self._pump(reader, there[1], False), self._pump(there[0], writer, True))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if not (self.silent or (self.mute and back)):
                    writer.write(data)
        writer.transport.abort()


@dataclass
class Rig:
    config: Config
    database: Database
    relays: dict[str, Relay]
    tasks: dict[str, list[asyncio.Task[None]]] = field(default_factory=dict)
    count: int = 0

    def start_exchange(self) -> None:
        doors = {name: socket.create_server(("127.0.0.1", self.config.ports[name])) for name in DOORS}
        self.exchange = Exchange(self.config, doors)
        self.tasks["exchange"] = [asyncio.ensure_future(job()) for job in self.exchange.jobs()]

    async def start_gateway(self) -> None:
        self.gateway = Gateway(self.config)
        self.tasks["gateway"] = [asyncio.ensure_future(job()) for job in self.gateway.jobs()]
        await self.until(lambda: self.gateway.links is not None and self.gateway.links.attempted.is_set())

    async def stop(self, name: str) -> None:
        tasks = self.tasks.pop(name, [])
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        service: Any = getattr(self, name)
        await service.stop()
        if name == "exchange":
            for server in service._servers:
                server.close()

    async def until(self, condition: Callable[[], Any], within_s: float = 15.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                for task in [task for tasks in self.tasks.values() for task in tasks if task.done()]:
                    task.result()
                await asyncio.sleep(0.01)

    def place(self, quantity: int = 300) -> dict[str, Any]:
        self.count += 1
        price = next(row for row in self.database.world if row["kind"] == "price")
        account = f"C-{1 + self.count % CUSTOMERS:04d}"
        asked = (account, f"key-{self.count}", price["id"], "buy", quantity, price["low"], self.count)
        query = "SELECT verdict, order_id, cl_ord_id FROM place_order(%s, %s, %s, %s, %s, %s, %s)"
        verdict, order_id, cl_ord_id = self.database.rows(query, asked)[0]
        assert verdict == "PLACED"
        names = ("account", "key", "code", "side", "quantity", "price")
        return {"order": order_id, "cl_ord_id": cl_ord_id, **dict(zip(names, asked, strict=False))}

    async def order(self) -> dict[str, Any]:
        """Place one from a thread: the gateway shares this loop, and may hold the very row the order waits for."""
        return await asyncio.to_thread(self.place)

    async def submit(self, order: dict[str, Any]) -> Verdict:
        """As the api does: send, and store what is known if the exchange has not answered."""
        within = self.config.api.ack_timeout_s
        verdict = await self.gateway.flow.submit(new_order(order, order["cl_ord_id"], f"{self.count:07d}"), within)
        if verdict.state == "unknown":
            await asyncio.to_thread(self.database.rows, "SELECT mark_unknown(%s, 1)", (order["order"],))
        elif not verdict.sent:
            query = "SELECT close_order(%s, ARRAY['pending-new', 'unknown'], 'rejected', 'not sent')"
            await asyncio.to_thread(self.database.rows, query, (order["order"],))
        return verdict

    async def trade(self, count: int) -> list[Verdict]:
        return await asyncio.gather(*[self.submit(await self.order()) for _ in range(count)])

    def states(self) -> dict[str, str]:
        return dict(self.database.rows("SELECT id, state FROM orders"))

    def book(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in read_lines(book_file(Path(self.config.folder))) if row["kind"] == kind]

    def executed(self) -> list[str]:
        return [row["id"] for row in self.book("exchange-execution")]

    def posted(self) -> list[str]:
        return [name for (name,) in self.database.rows("SELECT exec_id FROM executions ORDER BY mono_ns")]

    def whole(self) -> bool:
        """Every share that was accepted has been executed and posted."""
        accepted = sum(row["quantity"] for row in self.book("exchange-order"))
        done = sum(row["quantity"] for row in self.book("exchange-execution"))
        return accepted == done and self.executed() == self.posted()


DOORS = ("exchange_a", "exchange_b")


@asynccontextmanager
async def rig(folder: Path, database: Database, **changes: Any) -> AsyncIterator[Rig]:
    doors = [listener(), listener()]
    ports = dict(zip(DOORS, map(port_of, doors), strict=True))
    for sock in doors:
        sock.close()
    relays = {"A": Relay(ports["exchange_a"]), "B": Relay(ports["exchange_b"])}
    servers = [await relay.start() for relay in relays.values()]
    via = {"exchange-a": relays["A"].port, "exchange-b": relays["B"].port, "gateway-pg": database.port}
    config = make_config(folder, {**ports, "postgres": database.port}, via)
    made = Rig(msgspec.structs.replace(config, **{**FAST, **changes}), database, relays)
    try:
        made.start_exchange()
        await made.start_gateway()
        yield made
    finally:
        for name in list(made.tasks):
            await made.stop(name)
        for relay, server in zip(relays.values(), servers, strict=True):
            relay.cut()
            server.close()
        await asyncio.sleep(0.05)  # aborted transports close in the next rounds of the loop
