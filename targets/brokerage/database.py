"""Talking to PostgreSQL without ever hanging on it.

A link that swallows bytes gives no error, and cancelling a query needs the same link. So work is bounded by shutting
down the connection's own socket: libpq then sees the end of the connection, and the usual error comes out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from targets.brokerage.config import Address
from targets.brokerage.postgres import PLAIN

Connection = AsyncConnection[TupleRow]
T = TypeVar("T")

CONNECT_S = 3
CHECK_S = 0.3


def dsn(where: Address, name: str) -> str:
    """Connection string for a server or a proxy; ``name`` is shown in PostgreSQL's own views and log."""
    return f"postgresql://postgres@{where.host}:{where.port}/postgres?{PLAIN}&application_name={name}&connect_timeout={CONNECT_S}"


def options(lock_timeout_s: float | None = None) -> dict[str, Any]:
    """Arguments for psycopg's connect: autocommit, no prepared statements (they outlive the tables' shapes)."""
    lock = {} if lock_timeout_s is None else {"options": f"-c lock_timeout={int(lock_timeout_s * 1_000)}"}
    return {"autocommit": True, "prepare_threshold": None, **lock}


@contextlib.contextmanager
def cut_after(connection: Connection, seconds: float) -> Iterator[None]:
    """Cut the connection when the block takes longer; psycopg.OperationalError then comes out of what it waits for."""
    timer = asyncio.get_running_loop().call_later(seconds, cut, connection)
    try:
        yield
    finally:
        timer.cancel()


def cut(connection: Connection) -> None:
    """Shut down the connection's socket, whatever is under way on it."""
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as twin:
        twin.shutdown(socket.SHUT_RDWR)


class Line:
    """One connection of its own, opened when needed and again after it broke; one transaction at a time."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    async def run(self, work: Callable[[Connection], Awaitable[T]], within_s: float) -> T:
        """``work`` in a transaction. psycopg.Error when it failed or took longer; nothing of it is then committed,
        or, if the connection broke during the commit, possibly all of it."""
        async with self._turn:
            connection = await self._connected()
            try:
                with cut_after(connection, within_s):
                    async with connection.transaction():
                        return await work(connection)
            finally:
                if connection.broken:
                    await connection.close()

    def cut(self) -> None:
        """Break the connection, whatever is under way on it."""
        if self._connection is not None:
            cut(self._connection)

    async def close(self) -> None:
        """Close the connection, if any."""
        if self._connection is not None:
            await self._connection.close()

    async def _connected(self) -> Connection:
        """A connection that answered just now: one that lay idle while the database restarted does not say so itself,
        and an operator's first command after that must not be the one that finds out."""
        if self._connection is None or self._connection.closed or not await _answers(self._connection):
            self._connection = await AsyncConnection.connect(self._conninfo, **options())
        return self._connection


async def _answers(connection: Connection) -> bool:
    """Whether the other end is still there; if not, the connection is closed."""
    try:
        with cut_after(connection, CHECK_S):
            await AsyncConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        await connection.close()
        return False
    return True
