"""What customers are answered while orders wait: the room's ticket with Retry-After, and a line that was too long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette

from targets.brokerage.api import customers
from targets.brokerage.api.server import Api
from targets.brokerage.config import ApiConfig, customer_token

from .stack import Database, Peer, make_config


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Front:
    api: Api
    app: Starlette
    order: Mapping[str, Any]

    async def post(self, path: str, key: str, body: Mapping[str, Any], ticket: str = "") -> Reply:
        token = customer_token(self.api.config.token, "C-0001")
        fields = {"authorization": f"Bearer {token}", "idempotency-key": key, "waiting-ticket": ticket}
        headers = [(name.encode(), value.encode()) for name, value in fields.items()]
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "root_path": "",
            "headers": headers,
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": json.dumps(body).encode()}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        said = json.loads(b"".join(each.get("body", b"") for each in sent[1:]))
        return Reply(sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, said)

    async def buy(self, key: str, ticket: str = "") -> Reply:
        return await self.post("/orders", key, self.order, ticket)


def play(folder: Path, database: Database, scenario: Callable[[Front], Awaitable[None]]) -> None:
    async def whole() -> None:
        config = make_config(folder, {}, {"api-pg": database.port})
        api = Api(msgspec.structs.replace(config, api=ApiConfig(slots=1, queue_wait_s=0.05)))
        accepted = {"state": "new", "reason": "", "sent": True}
        api.oms._gateway = Peer(lambda _: (200, accepted))  # type: ignore[assignment]
        price = next(row for row in database.world if row["kind"] == "price")
        order = {"code": price["id"], "side": "buy", "quantity": 100, "price": price["low"]}
        await api.store.pool.open(wait=True)
        try:
            await api._begin()
            await scenario(Front(api, Starlette(routes=customers.routes(api)), order))
        finally:
            await api.stop()

    asyncio.run(whole())


def test_who_has_to_wait_is_told_when_to_come_again_and_is_let_in_with_the_ticket(
    tmp_path: Path, database: Database
) -> None:
    async def scenario(front: Front) -> None:
        front.api.room.let_in(0.5)
        reply = await front.buy("k-1")
        assert (reply.status, reply.body["error"], reply.headers["retry-after"]) == (503, "WAITING_ROOM", "2")
        assert (reply.body["ticket"], reply.body["retry_after_s"], reply.body["ahead"]) == ("W-000001", 2.0, 0)
        sale = await front.post("/orders", "k-2", {**front.order, "side": "sell"})
        assert sale.body.get("error") != "WAITING_ROOM"
        front.api.room.let_in(0)
        assert (await front.buy("k-1", "W-000001")).status == 201
        assert front.api.levels["orders"].bad_ratio("long", 0) == 0.0

    play(tmp_path, database, scenario)


def test_an_order_or_cancel_that_stood_in_line_too_long_was_not_sent(tmp_path: Path, database: Database) -> None:
    async def scenario(front: Front) -> None:
        assert (await front.buy("k-1")).status == 201
        async with front.api.slots.slot(False):
            replies = await asyncio.gather(front.buy("k-2"), front.post("/orders/k-1/cancel", "", {}))
        assert [(each.status, each.body["error"]) for each in replies] == [(503, "BUSY"), (503, "BUSY")]
        assert [row[0] for row in database.rows("SELECT key FROM orders")] == ["k-1"]

    play(tmp_path, database, scenario)


def test_what_overflows_is_stored_and_acknowledged_and_nothing_sends_it_on(tmp_path: Path, database: Database) -> None:
    async def scenario(front: Front) -> None:
        front.api.slots.overflow = "store"
        async with front.api.slots.slot(False):
            replies = [await front.buy("k-1"), await front.buy("k-1")]
        assert [(each.status, each.body["state"]) for each in replies] == [(201, "pending-new"), (200, "pending-new")]
        assert (await front.buy("k-2")).body["state"] == "new"

    play(tmp_path, database, scenario)
