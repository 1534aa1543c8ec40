"""What operators can have done about the order number in the database: extended, cycled, given from another range."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import msgspec
import psycopg
from psycopg import errors
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage.api.server import LOOK_S, Api
from targets.brokerage.database import Connection
from targets.brokerage.numbering import WIDEST, WIDTH
from targets.brokerage.serving import Handler, answer, for_operators, read_body

LOCK = "SET LOCAL lock_timeout = '200ms'"
"""Whoever waits for a table queues everybody behind it: rather give up soon and try again."""
TRIES = 10

EXTEND = {
    "sequence": "ALTER SEQUENCE order_number MAXVALUE {most}",
    "column": "ALTER TABLE orders ALTER COLUMN number TYPE numeric({digits})",
}
CYCLE = {True: "ALTER SEQUENCE order_number CYCLE", False: "ALTER SEQUENCE order_number NO CYCLE"}
DECIDE = "UPDATE operations SET value = %s, changed_ns = %s WHERE name = 'order-number-range'"
TWICE = """SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM orders
    WHERE state IN ('pending-new', 'new', 'partially-filled', 'pending-cancel', 'unknown')
    GROUP BY series, number HAVING count(*) > 1) again"""
POOL = ("pool_size", "pool_max", "requests_waiting")


class Extend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many digits for the sequence or the column."""

    side: Literal["sequence", "column"]
    digits: Annotated[int, msgspec.Meta(ge=WIDTH, le=WIDEST)]


class Cycle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the sequence begins anew at its end."""

    on: bool


class UseRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which range gives the numbers; auto: the second once the first is used up."""

    range: Literal["1", "2", "auto"]


def routes(api: Api) -> list[Route]:
    """All endpoints; each needs the stack's token."""
    endpoints = NumberEndpoints(api)
    posts = {"extend": endpoints.extend, "cycle": endpoints.cycle, "range": endpoints.use_range}
    gets = {"show": endpoints.show, "duplicates": endpoints.duplicates}
    token = api.config.token
    return [
        *(Route(f"/ops/numbers/{name}", for_operators(token, _told(each)), methods=["POST"])
          for name, each in posts.items()),
        *(Route(f"/ops/numbers/{name}", for_operators(token, _told(each)), methods=["GET"])
          for name, each in gets.items()),
    ]  # fmt: skip


def _told(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except psycopg.Error as error:
            return answer(503, {"error": "DATABASE", "says": f"the database did not take it: {str(error).strip()}"})

    return guarded


class NumberEndpoints:
    """One method an endpoint."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def show(self, _: Request) -> Response:
        """The number, its limits, and the pool of connections."""
        await self._api.counters.look()
        stats = self._api.store.pool.get_stats()
        pool = {name: int(stats.get(name, 0)) for name in POOL}
        return answer(200, {**self._api.counters.facts(), "pool": pool})

    async def extend(self, request: Request) -> Response:
        """Widen; a sequence or column that is as wide already stays."""
        wanted = await read_body(request, Extend)
        seen = await self._api.counters.look()
        if seen.limits[wanted.side] < 10**wanted.digits - 1:
            await self._alter(EXTEND[wanted.side].format(most=10**wanted.digits - 1, digits=wanted.digits))
        limit = (await self._api.counters.look()).limits[wanted.side]
        return answer(200, {"side": wanted.side, "digits": len(str(limit))})

    async def cycle(self, request: Request) -> Response:
        """Have the sequence begin anew at its end, or not."""
        wanted = await read_body(request, Cycle)
        await self._alter(CYCLE[wanted.on])
        return answer(200, {"on": (await self._api.counters.look()).cycles})

    async def use_range(self, request: Request) -> Response:
        """Say which range gives the numbers."""
        wanted = await read_body(request, UseRange)

        async def work(connection: Connection) -> None:
            await connection.execute(DECIDE, [wanted.range, time.monotonic_ns()])

        await self._api.line.run(work, LOOK_S)
        return answer(200, {"range": wanted.range})

    async def duplicates(self, _: Request) -> Response:
        """How many live orders have a number that another live one has too."""

        async def work(connection: Connection) -> tuple[Any, ...]:
            row = await (await connection.execute(TWICE)).fetchone()
            assert row is not None
            return row

        return answer(200, {"duplicates": int((await self._api.line.run(work, LOOK_S))[0])})

    async def _alter(self, statement: str) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(LOCK)
            await connection.execute(statement.encode())

        for left in reversed(range(TRIES)):
            try:
                await self._api.line.run(work, LOOK_S)
            except errors.LockNotAvailable:
                if not left:
                    raise
            else:
                return
