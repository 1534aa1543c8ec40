"""What became of each withdrawal, and what the log of the link has of it."""

from __future__ import annotations

from pathlib import Path

from targets.brokerage.bookfile import Row
from targets.brokerage.config import Config
from targets.brokerage.databasebook import Query, read_tables
from targets.brokerage.postgres import dsn
from targets.brokerage.withdrawals.linklog import lines

WITHDRAWALS: Query = """SELECT 'withdrawal' AS kind, created_ns AS t_ns, id, account, key, yen, state, reference, how,
    coalesce(unknown_ns, 0) AS unknown_ns, coalesce(settled_ns, 0) AS settled_ns, told, coalesce(told_ns, 0) AS told_ns
    FROM withdrawals ORDER BY id"""


def read_book(config: Config) -> list[Row]:
    """Its rows as of now; psycopg.Error, OSError when they cannot be read."""
    return [*read_tables(dsn(config.ports["postgres"]), (WITHDRAWALS,)), *lines(Path(config.folder))]
