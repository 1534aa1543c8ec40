"""The api's way to PostgreSQL: a bounded pool, and each failure under a code of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import errors
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from targets.brokerage import database
from targets.brokerage.api.rules import Refusal
from targets.brokerage.config import Config
from targets.brokerage.database import Connection, cut_after


class Store:
    """Statements of customers' requests. Every method raises Refusal (503) when the database cannot serve it."""

    def __init__(self, config: Config, conninfo: str = "", size: int = 0) -> None:
        """By the api's own link and with as many connections as it has, unless told otherwise."""
        self._settings = config.api
        connections = size or config.api.pool
        self.pool = AsyncConnectionPool(
            conninfo or database.dsn(config.through("api-pg"), "api"),
            kwargs=database.options(config.api.lock_timeout_s),
            min_size=connections,
            max_size=connections,
            timeout=config.api.pool_wait_s,
            open=False,
        )

    async def one(self, query: str, values: Sequence[Any]) -> tuple[Any, ...]:
        """The row of a statement that has exactly one."""
        row = await self.one_or_none(query, values)
        assert row is not None
        return row

    async def one_or_none(self, query: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """The first row, if any."""
        async with self._connection() as connection:
            return await (await connection.execute(query.encode(), values)).fetchone()

    async def all(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """All rows."""
        async with self._connection() as connection:
            return await (await connection.execute(query.encode(), values)).fetchall()

    async def changed(self, query: str, values: Sequence[Any]) -> bool:
        """Whether the statement changed a row."""
        async with self._connection() as connection:
            return (await connection.execute(query.encode(), values)).rowcount > 0

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            async with self.pool.connection() as connection:
                with cut_after(connection, self._settings.database_s):
                    yield connection
        except PoolTimeout as error:
            raise Refusal(503, "POOL_TIMEOUT", "no database connection became free in time") from error
        except errors.LockNotAvailable as error:
            raise Refusal(503, "LOCK_TIMEOUT", "a lock was not granted in time") from error
        except psycopg.Error as error:
            raise Refusal(503, "DATABASE", str(error).strip().splitlines()[0]) from error
