"""A connection to a stack's PostgreSQL from a process that somebody else may have begun.

libpq reads ``PG*`` from the environment for whatever a connection string leaves open, and ``PGSERVICE`` even where it
leaves nothing open: the private instance would be asked by what a shell has set for another one.
"""

from __future__ import annotations

from typing import Any

import psycopg

from targets import children


def connect(conninfo: str, **options: Any) -> psycopg.Connection[Any]:
    """As ``psycopg.connect``, whatever the environment says; psycopg.OperationalError."""
    with children.without("PG"):
        return psycopg.connect(conninfo, **options)
