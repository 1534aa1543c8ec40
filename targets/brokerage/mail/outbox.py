"""The outbox: which notices wait to be written to the spool, and which are sent anew."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from targets.brokerage.database import Connection
from targets.brokerage.mail.spool import name_of

PENDING = """SELECT e.exec_id, e.account, e.order_id, e.code, e.side, e.quantity, e.price, o.attempt
    FROM outbox o JOIN executions e USING (exec_id) WHERE o.state = 'pending' ORDER BY o.created_ns LIMIT %s"""
SENT = "UPDATE outbox SET state = 'sent' WHERE exec_id = ANY (%s)"
BACKLOG = "SELECT count(*), min(created_ns) FROM outbox WHERE state = 'pending'"
ALL_SENT = "SELECT exec_id, attempt FROM outbox WHERE state = 'sent'"
AGAIN = "UPDATE outbox SET state = 'pending' WHERE state = 'sent' AND exec_id = ANY (%s)"
ANEW = """UPDATE outbox SET state = 'pending', attempt = attempt + 1
    WHERE state = 'sent' AND created_ns >= %s RETURNING exec_id"""
WRITTEN_OFF = "UPDATE outbox SET state = 'sent' WHERE state = 'pending' RETURNING exec_id"
DECISION = "SELECT value FROM operations WHERE name = 'mail-spool'"
DECIDE = "UPDATE operations SET value = %s, changed_ns = %s WHERE name = 'mail-spool'"
FIELDS = ("exec_id", "account", "order", "code", "side", "quantity", "price")

Notice = tuple[str, dict[str, Any]]
"""Name of its file, and what stands in it."""


async def pending(connection: Connection, most: int) -> list[Notice]:
    """The oldest that wait."""
    rows = await (await connection.execute(PENDING, [most])).fetchall()
    return [(name_of(row[0], row[-1]), dict(zip(FIELDS, row[:-1], strict=True))) for row in rows]


async def note_sent(connection: Connection, notices: list[Notice]) -> None:
    """They are in the spool."""
    if notices:
        await connection.execute(SENT, [[body["exec_id"] for _, body in notices]])


async def backlog(connection: Connection) -> tuple[int, int | None]:
    """How many wait, and since when the oldest does, ns."""
    row = await (await connection.execute(BACKLOG)).fetchone()
    assert row is not None
    return row[0], row[1]


async def sent(connection: Connection) -> dict[str, str]:
    """Name of the file -> execution, of all that count as sent."""
    rows = await (await connection.execute(ALL_SENT)).fetchall()
    return {name_of(exec_id, attempt): exec_id for exec_id, attempt in rows}


async def send_again(connection: Connection, exec_ids: Collection[str]) -> None:
    """Under the same name, so that none can be delivered twice."""
    await connection.execute(AGAIN, [list(exec_ids)])


async def send_anew(connection: Connection, since_ns: int) -> int:
    """Everything since then, each under a new name, whatever has become of it; how many."""
    return len(await (await connection.execute(ANEW, [since_ns])).fetchall())


async def write_off(connection: Connection) -> int:
    """Whatever waits counts as sent; how many."""
    return len(await (await connection.execute(WRITTEN_OFF)).fetchall())


async def chosen(connection: Connection) -> str:
    """On which volume notices are written."""
    row = await (await connection.execute(DECISION)).fetchone()
    assert row is not None
    return str(row[0])


async def choose(connection: Connection, volume: str) -> None:
    """From now on, also after a restart."""
    await connection.execute(DECIDE, [volume, time.monotonic_ns()])
