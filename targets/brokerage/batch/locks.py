"""Who blocks whom in the database: the session at the root of the waits, and for how long it has been there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from targets.brokerage.database import Connection

# The root is who is waited for and waits for nobody. Its transaction tells one long wait from many short ones.
BLOCKERS = """WITH waits AS (
        SELECT pid, unnest(pg_blocking_pids(pid)) AS blocker FROM pg_stat_activity WHERE wait_event_type = 'Lock')
    SELECT a.pid, a.application_name, extract(epoch FROM a.xact_start)::float8, (SELECT count(DISTINCT pid) FROM waits)
    FROM pg_stat_activity a
    WHERE a.pid IN (SELECT blocker FROM waits) AND a.pid NOT IN (SELECT pid FROM waits)"""
SESSION = """SELECT application_name FROM pg_stat_activity
    WHERE pid = %s AND backend_type = 'client backend' AND datname = current_database()"""
TERMINATE = "SELECT pg_terminate_backend(%s, 2000)"

FORGIVEN_NS = 600_000_000
"""A wait unseen for so long is over: waiters come and go under one blocker, and a look may miss all of them."""


@dataclass(slots=True)
class Blocker:
    """A session others wait for; ns of CLOCK_MONOTONIC."""

    pid: int
    job: str
    waiting: int
    since_ns: int
    seen_ns: int

    @property
    def seconds(self) -> float:
        """How long it has blocked somebody without a break."""
        return (self.seen_ns - self.since_ns) / 1e9


class Locks:
    """Remembers from look to look."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, float], Blocker] = {}

    async def look(self, connection: Connection) -> None:
        """Look once."""
        rows = await (await connection.execute(BLOCKERS)).fetchall()
        self.see(rows, time.monotonic_ns())

    def see(self, rows: list[tuple[Any, ...]], now: int) -> None:
        """Take in a look: pid, application, start of the transaction, waiters."""
        for pid, application, began, waiting in rows:
            known = self._known.setdefault((pid, began or 0.0), Blocker(pid, job_of(application), 0, now, now))
            known.waiting, known.seen_ns = waiting, now
        self._known = {key: each for key, each in self._known.items() if now - each.seen_ns <= FORGIVEN_NS}

    def forget(self, pid: int) -> None:
        """The session is gone."""
        self._known = {key: each for key, each in self._known.items() if each.pid != pid}

    def blockers(self) -> list[Blocker]:
        """The longest first."""
        return sorted(self._known.values(), key=lambda each: each.since_ns)

    def shown(self) -> dict[str, Any]:
        """For operators: how many, and the longest."""
        found = self.blockers()
        if not found:
            return {"blockers": 0, "pid": None, "job": "", "seconds": 0.0, "waiting": 0}
        root = found[0]
        facts = {"pid": root.pid, "job": root.job, "seconds": round(root.seconds, 3), "waiting": root.waiting}
        return {"blockers": len(found), **facts}


def job_of(application: str) -> str:
    """The batch's sessions are named after their job; others are called what they call themselves."""
    return application.removeprefix("batch:")


async def terminate(connection: Connection, pid: int) -> str | None:
    """End a customer-side session of this database, and it alone; its application, None when there is none."""
    row = await (await connection.execute(SESSION, [pid])).fetchone()
    if row is None:
        return None
    await connection.execute(TERMINATE, [pid])
    return job_of(str(row[0]))
