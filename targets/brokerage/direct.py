"""A connection to a stack's PostgreSQL from a process that somebody else may have begun.

libpq reads ``PG*`` from the environment for whatever a connection string leaves open, and ``PGSERVICE`` even where it
leaves nothing open: the private instance would be asked by what a shell has set for another one.
"""

from __future__ import annotations

from typing import Any

import psycopg

from targets import children
from targets.brokerage.config import Address
from targets.brokerage.postgres import dsn


def connect(conninfo: str, **options: Any) -> psycopg.Connection[Any]:
    """As ``psycopg.connect``, whatever the environment says; psycopg.OperationalError."""
    with children.without("PG"):
        return psycopg.connect(conninfo, **options)


def answers_queries(where: Address) -> bool:
    """Whether a server that listens there is ready: with the engine's own proxy before it, a dead one accepts too."""
    try:
        with connect(dsn(where.port, where.host), connect_timeout=2) as connection:
            connection.execute("select 1")
    except psycopg.Error:
        return False
    return True
