"""What the database says about the night's work, for an operator who wants to know before opening again."""

from __future__ import annotations

from typing import Any

from targets.brokerage.client import Client
from targets.brokerage.database import Connection
from targets.http_async import NotSent, Unanswered

RECONCILE_S = 4.0
EXAMPLES = 10

UNBALANCED = "SELECT id FROM unbalanced ORDER BY id"
TOTAL = "SELECT coalesce(sum(yen), 0) FROM ledger"
TWICE = """SELECT account FROM ledger WHERE why = 'variation' AND day = %s AND account <> 'VARIATION'
    GROUP BY account HAVING count(*) > 1 ORDER BY account"""
UNMARKED = """SELECT count(*) FILTER (WHERE i.account IS NULL), count(i.account) FROM accounts a
    LEFT JOIN isolated_accounts i ON i.account = a.id AND i.done_ns IS NULL
    WHERE NOT EXISTS
        (SELECT 1 FROM batch_done d WHERE d.job = 'mark-to-market' AND d.account = a.id AND d.day = %s)"""


async def check(connection: Connection, day: str) -> dict[str, Any]:
    """Does cash agree with the ledger, is a variation posted once an account, is everybody marked."""
    different = [row[0] for row in await (await connection.execute(UNBALANCED)).fetchall()]
    total = await (await connection.execute(TOTAL)).fetchone()
    twice = [row[0] for row in await (await connection.execute(TWICE, [day])).fetchall()]
    unmarked = await (await connection.execute(UNMARKED, [day])).fetchone()
    assert total is not None
    assert unmarked is not None
    return {
        "ledger_is_cash": not different and total[0] == 0,
        "one_variation_each": not twice,
        "unmarked": unmarked[0],
        "isolated_unmarked": unmarked[1],
        "different": different[:EXAMPLES],
        "twice": twice[:EXAMPLES],
        "twice_count": len(twice),
    }


async def executions_clean(gateway: Client) -> bool:
    """Whether the gateway finds its executions equal to the exchange's; it must say so to be so."""
    try:
        status, found = await gateway.ask("POST", "/ops/reconcile", None, RECONCILE_S)
    except (NotSent, Unanswered):
        return False
    return status == 200 and found.get("clean") is True
