"""The night batch with its valuation service in one event loop, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from targets.brokerage import database
from targets.brokerage.batch.record import Record
from targets.brokerage.batch.scheduler import Scheduler
from targets.brokerage.config import BatchConfig, Config, ValuationConfig
from targets.brokerage.database import Line
from targets.brokerage.valuation.service import Valuation

from .ports import here
from .rig import listener, port_of
from .stack import Database, make_config


@dataclass
class Night:
    config: Config
    database: Database
    scheduler: Scheduler
    valuation: Valuation

    async def until(self, state: str, within_s: float = 20.0) -> None:
        await poll(lambda: self.scheduler.state == state, within_s)

    async def blocked_at(self, account: str, within_s: float = 20.0) -> int:
        """The pid of the session that holds the account and is valuing its lots."""
        query = "SELECT 1 FROM accounts WHERE id = %s FOR UPDATE SKIP LOCKED"
        await poll(lambda: self.scheduler.pid is not None and not self.database.rows(query, (account,)), within_s)
        progress = self.scheduler.progress
        seen = progress.lots_done
        await poll(lambda: progress.lots_done > seen, within_s)
        assert self.scheduler.pid is not None
        return self.scheduler.pid

    def skew(self, account: str, count: int) -> None:
        query = """INSERT INTO lots (id, account, code, quantity, source)
            SELECT 'T-' || n, %s, (SELECT min(code) FROM instruments), 1, 'test' FROM generate_series(1, %s) n"""
        self.database.rows(query, (account, count))

    def variations(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        query = "SELECT account, yen FROM ledger WHERE why = 'variation' AND account <> 'VARIATION'"
        for account, yen in self.database.rows(query):
            found.setdefault(account, []).append(yen)
        return found

    def runs(self) -> list[tuple[Any, ...]]:
        return self.database.rows("SELECT job, attempt, state, taken, given FROM batch_runs ORDER BY started_ns")

    def marked(self) -> set[str]:
        return {row[0] for row in self.database.rows("SELECT account FROM batch_done")}


async def poll(condition: Callable[[], bool], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def night(folder: Path, database_: Database, **changes: Any) -> AsyncIterator[Night]:
    door = listener()
    via = {"batch-pg": database_.port, "batch-valuation": port_of(door)}
    config = make_config(folder, {"postgres": database_.port}, via)
    batch = BatchConfig(**{"chunk": 5, "block": 7, "pause_s": 0.0, **changes})
    config = msgspec.structs.replace(config, batch=batch, valuation=ValuationConfig(0.0))
    valuation = Valuation(config, door)
    serving = [asyncio.ensure_future(job()) for job in valuation.jobs()]
    line = Line(database.dsn(here(database_.port), "record"))
    scheduler = Scheduler(config, Record(line))
    try:
        await poll(lambda: bool(valuation._closes), 20.0)
        await scheduler.recall()
        yield Night(config, database_, scheduler, valuation)
    finally:
        await scheduler.stop()
        await line.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await valuation.stop()
        await asyncio.sleep(0.05)  # aborted transports close in the next rounds of the loop


def expected(world: list[dict[str, Any]], extra: dict[str, dict[str, int]] | None = None) -> dict[str, int]:
    """Account -> the day's variation, from the world alone; ``extra`` is account -> code -> more shares."""
    days = sorted({row["day"] for row in world if row["kind"] == "close"})
    close = {(row["code"], row["day"]): row["close"] for row in world if row["kind"] == "close"}
    moved = {code: close[code, days[1]] - close[code, days[0]] for code, _ in close}
    found = {row["id"]: 0 for row in world if row["kind"] == "account"}
    for row in world:
        if row["kind"] == "lot":
            found[row["account"]] += row["quantity"] * moved[row["code"]]
    for account, shares in (extra or {}).items():
        found[account] += sum(quantity * moved[code] for code, quantity in shares.items())
    return found


def end_session(database_: Database, pid: int) -> None:
    with psycopg.connect(database_.dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 2000)", [pid])
