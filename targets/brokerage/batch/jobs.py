"""The jobs of the night, in the order in which they must be done, and the short ones of them.

Each needs all before it. Counts say what came in, what went out and what a job turned away; a job that cannot account
for all it took has lost some.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from targets.brokerage.batch.marking import Night
from targets.brokerage.database import Connection

SETTLE = """WITH due AS (SELECT e.exec_id, c.settles FROM executions e, calendar c WHERE e.mono_ns <= %s
        AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.exec_id = e.exec_id)),
    given AS (INSERT INTO settlements (exec_id, due) SELECT exec_id, settles FROM due RETURNING 1)
    SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM given)"""
ACCOUNTS = "SELECT count(*) FROM accounts"
MARGINS = "SELECT work_out_margins(%s)"
STATEMENTS = "SELECT write_statements(%s)"
GATE = """SELECT (SELECT count(*) FROM unbalanced), (SELECT coalesce(sum(yen), 0) FROM ledger),
    (SELECT count(*) FROM accounts a WHERE NOT EXISTS
        (SELECT 1 FROM batch_done d WHERE d.job = 'mark-to-market' AND d.account = a.id AND d.day = %s)),
    (SELECT count(*) FROM accounts a WHERE NOT EXISTS
        (SELECT 1 FROM statements s WHERE s.account = a.id AND s.day = %s))"""


@dataclass(frozen=True, slots=True)
class Counts:
    """What came in, what went out, and what was turned away (no job of this night does that)."""

    taken: int
    given: int
    rejected: int = 0


class GateShut(Exception):
    """The books are not fit for the opening; the message says why."""


async def settlement(connection: Connection, night: Night, now_ns: int) -> Counts:
    """Give every trade so far the business date on which it is due."""
    row = await (await connection.execute(SETTLE, [now_ns])).fetchone()  # one snapshot: executions go on being posted
    assert row is not None
    return Counts(*row)


async def margin(connection: Connection, night: Night, now_ns: int) -> Counts:
    """Equity and need of every account from its cash, its marks and its loan; who must add is called."""
    return Counts(await _number(connection, ACCOUNTS), await _number(connection, MARGINS, night.day))


async def statements(connection: Connection, night: Night, now_ns: int) -> Counts:
    """A statement an account."""
    return Counts(await _number(connection, ACCOUNTS), await _number(connection, STATEMENTS, night.day))


async def opening_gate(connection: Connection, night: Night, now_ns: int) -> Counts:
    """Pass only books that balance, with every account marked and stated. GateShut."""
    row = await (await connection.execute(GATE, [night.day, night.day])).fetchone()
    assert row is not None
    unbalanced, total, unmarked, unstated = row
    found = [
        f"{unbalanced} accounts whose cash is not their postings" if unbalanced else "",
        f"the ledger sums to {total} yen" if total else "",
        f"{unmarked} accounts not marked" if unmarked else "",
        f"{unstated} accounts without a statement" if unstated else "",
    ]
    if any(found):
        raise GateShut("; ".join(each for each in found if each))
    accounts = await _number(connection, ACCOUNTS)
    return Counts(accounts, accounts)


SHORT: dict[str, Callable[[Connection, Night, int], Awaitable[Counts]]] = {
    "settlement": settlement,
    "margin": margin,
    "statements": statements,
    "opening-gate": opening_gate,
}

JOBS = ("settlement", "mark-to-market", "margin", "statements", "opening-gate")
"""All of them, in order."""


async def _number(connection: Connection, query: str, *values: object) -> int:
    row = await (await connection.execute(query.encode(), values)).fetchone()
    assert row is not None
    return int(row[0])
