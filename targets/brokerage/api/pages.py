"""Pages that nobody trades by: rankings, charts and statements. They are the first that may be closed."""

from __future__ import annotations

from typing import Any

from targets.brokerage.api.store import Store

RANKING = """SELECT code, sum(quantity)::bigint FROM executions GROUP BY code ORDER BY 2 DESC, 1 LIMIT 10"""
CHART = """SELECT mono_ns / 1000000000, min(price), max(price), sum(quantity)::bigint FROM executions
    WHERE code = %s GROUP BY 1 ORDER BY 1 DESC LIMIT 60"""
STATEMENT = "SELECT reference, yen FROM ledger WHERE account = %s ORDER BY id DESC LIMIT 50"


async def ranking(store: Store) -> dict[str, Any]:
    """The day's most traded instruments."""
    return {"rows": [list(row) for row in await store.all(RANKING, [])]}


async def chart(store: Store, code: str) -> dict[str, Any]:
    """An instrument's trades second by second: lowest and highest price, shares."""
    return {"rows": [list(row) for row in await store.all(CHART, [code])]}


async def statement(store: Store, account: str) -> dict[str, Any]:
    """What was booked on an account, the latest first."""
    return {"rows": [list(row) for row in await store.all(STATEMENT, [account])]}
