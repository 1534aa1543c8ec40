"""What operators have decided: which services are open, whether balances are shown as current, orders checked.

Durable in a table, cached here, and read again when the api starts; over a connection of its own, because an operator
must be able to close a service when all connections of the pool hang.
"""

from __future__ import annotations

import time

from targets.brokerage.database import Connection, Line

WITHIN_S = 1.5
"""With the time to connect still less than an operator's tool waits."""

READ = "SELECT name, value FROM operations"
WRITE = "UPDATE operations SET value = %s, changed_ns = %s WHERE name = %s"


class Gates:
    """Closed until they have been read."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._values: dict[str, str] = {}

    @property
    def known(self) -> bool:
        """Whether they have been read."""
        return bool(self._values)

    @property
    def balances(self) -> str:
        """``current`` or ``not-current``."""
        return self._values.get("balances", "not-current")

    def is_open(self, service: str) -> bool:
        """Whether customers may use the service."""
        return self._values.get(service) == "open"

    async def read(self) -> None:
        """Read them all; psycopg.Error."""

        async def work(connection: Connection) -> dict[str, str]:
            return {name: value for name, value in await (await connection.execute(READ)).fetchall()}  # noqa: C416  # rows are untyped

        self._values = await self._line.run(work, WITHIN_S)

    async def restrict(self, name: str, value: str) -> None:
        """Close, or mark as not current: at once, then durably. psycopg.Error: it holds until the api restarts."""
        self._values[name] = value
        await self._store(name, value)

    async def relax(self, name: str, value: str) -> None:
        """Open, or mark as current: durably, then for customers. psycopg.Error: nothing has changed."""
        await self._store(name, value)
        self._values[name] = value

    async def _store(self, name: str, value: str) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(WRITE, [value, time.monotonic_ns(), name])

        await self._line.run(work, WITHIN_S)
