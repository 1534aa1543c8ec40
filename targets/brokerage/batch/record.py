"""What the batch has written down about its runs: attempts, states, counts, lock times. Read again when it starts."""

from __future__ import annotations

import time
from typing import Any

from targets.brokerage.batch.jobs import JOBS, Counts
from targets.brokerage.batch.marking import Chunk, Night
from targets.brokerage.database import Connection, Line

WITHIN_S = 4.0

NIGHT = "SELECT day::text, next::text FROM calendar"
LOST = "UPDATE batch_runs SET state = 'failed', ended_ns = %s, says = 'the batch process ended' WHERE state = 'running'"
RUNS = """SELECT DISTINCT ON (job) job, attempt, state, taken, given, rejected, says FROM batch_runs
    WHERE day = %s ORDER BY job, attempt DESC"""
BEGIN = """INSERT INTO batch_runs (job, attempt, day, state, started_ns)
    SELECT %(job)s, 1 + coalesce(max(attempt), 0), %(day)s, 'running', %(now)s FROM batch_runs WHERE job = %(job)s
    RETURNING attempt"""
END = """UPDATE batch_runs SET state = %s, ended_ns = %s, taken = %s, given = %s, rejected = %s, says = %s
    WHERE job = %s AND attempt = %s"""
CHUNK = """INSERT INTO batch_chunks (job, attempt, first, last, lots, locked_ns, released_ns, outcome)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""
ISOLATE = """INSERT INTO isolated_accounts (account, day, since_ns) SELECT id, %s, %s FROM accounts WHERE id = %s
    ON CONFLICT (account) DO UPDATE SET done_ns = NULL"""
ISOLATED = "SELECT account, lots_done, lots, done_ns IS NOT NULL FROM isolated_accounts ORDER BY account"


class Record:
    """All of it over one line of its own, so that it can be written whatever becomes of a job's session.

    Every method raises psycopg.Error when the database does not answer.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    async def night(self) -> Night:
        """Which night is to be worked."""
        before, day = (await self._rows(NIGHT))[0]
        return Night(before, day)

    async def found(self, day: str) -> dict[str, dict[str, Any]]:
        """Job -> its last attempt; attempts left running by a process that is gone count as failed."""
        await self._rows(LOST, time.monotonic_ns())
        return await self.runs(day)

    async def runs(self, day: str) -> dict[str, dict[str, Any]]:
        """Job -> its last attempt, in the order of the jobs."""
        fields = ("job", "attempt", "state", "taken", "given", "rejected", "says")
        rows = {row[0]: dict(zip(fields, row, strict=True)) for row in await self._rows(RUNS, day)}
        return {job: rows[job] for job in JOBS if job in rows}

    async def begin(self, job: str, day: str) -> int:
        """A new attempt; its number."""
        rows = await self._rows(BEGIN, {"job": job, "day": day, "now": time.monotonic_ns()})
        return int(rows[0][0])

    async def end(self, job: str, attempt: int, state: str, counts: Counts, says: str) -> None:
        """How the attempt ended."""
        numbers = (counts.taken, counts.given, counts.rejected)
        await self._rows(END, state, time.monotonic_ns(), *numbers, says[:500], job, attempt)

    async def chunk(self, job: str, attempt: int, chunk: Chunk) -> None:
        """A transaction has let its accounts go."""
        fields = (chunk.first, chunk.last, chunk.lots, chunk.locked_ns, chunk.released_ns, chunk.outcome)
        await self._rows(CHUNK, job, attempt, *fields)

    async def isolate(self, account: str, day: str) -> bool:
        """Take the account out of its chunk; False when there is none of that id."""

        async def work(connection: Connection) -> bool:
            values = [day, time.monotonic_ns(), account]
            return (await connection.execute(ISOLATE, values)).rowcount > 0

        return await self._line.run(work, WITHIN_S)

    async def isolated(self) -> list[dict[str, Any]]:
        """Accounts taken out of their chunk, and how far they are."""
        fields = ("account", "done", "total", "finished")
        return [dict(zip(fields, row, strict=True)) for row in await self._rows(ISOLATED)]

    async def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        given = values[0] if values and isinstance(values[0], dict) else values

        async def work(connection: Connection) -> list[tuple[Any, ...]]:
            cursor = await connection.execute(query.encode(), given)
            return await cursor.fetchall() if cursor.description else []

        return await self._line.run(work, WITHIN_S)
