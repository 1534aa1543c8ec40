"""The brokerage's own book: what its tables say, one snapshot of the database.

Which rows there are is declared by the components (``Component.tables``). PostgreSQL is read directly, not through a
proxied link.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from importlib import import_module
from typing import LiteralString

from psycopg.rows import dict_row

from targets.brokerage.bookfile import Row
from targets.brokerage.config import Config
from targets.brokerage.direct import connect
from targets.brokerage.postgres import dsn
from targets.brokerage.topology import TOPOLOGY

Query = LiteralString
"""May hold ``%(offset)s``, by what CLOCK_MONOTONIC and the database's clock differ, and ``%(now)s``, both in ns."""


def monotonic(column: LiteralString) -> LiteralString:
    """The database's wall clock as ns of CLOCK_MONOTONIC; 0 where it has stamped nothing."""
    return f"coalesce((extract(epoch FROM {column}) * 1000000)::bigint * 1000 - %(offset)s, 0)"


def read_book(config: Config) -> list[Row]:
    """All rows as of now; psycopg.Error when they cannot be read."""
    queries = (query for module in TOPOLOGY.tables for query in import_module(module).QUERIES)
    return read_tables(dsn(config.ports["postgres"]), queries)


def read_tables(dsn: str, queries: Iterable[Query]) -> list[Row]:
    """The rows of these queries in one snapshot."""
    options = "-c statement_timeout=20000 -c default_transaction_isolation=repeatable\\ read"
    with connect(dsn, connect_timeout=5, options=options, row_factory=dict_row) as connection:
        now = time.monotonic_ns()
        values = {"offset": time.time_ns() - now, "now": now}
        rows: list[Row] = []
        for query in queries:
            rows += connection.execute(query, values).fetchall()
        return rows
