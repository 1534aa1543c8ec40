"""The books a stack can show: the exchange's and the bank's own, and the brokerage's statements about itself.

Rows are plain dicts in the form of the books. PostgreSQL is read directly, in one snapshot, not through a proxied link.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from targets.brokerage.config import Config
from targets.brokerage.direct import connect
from targets.brokerage.postgres import dsn

Row = dict[str, Any]

PASSING, SETTLED = (
    f"coalesce((extract(epoch FROM {column}) * 1000000)::bigint * 1000 - %(offset)s, 0)"
    for column in ("passing_at", "settled_at")
)
"""The database's wall clock as ns of CLOCK_MONOTONIC; 0 where it has stamped nothing."""

ORDERS = f"""SELECT 'oms-order' AS kind, created_ns AS t_ns, id, account, key, code, side, quantity, price, state,
    cl_ord_id, filled, {PASSING} AS passing_ns, {SETTLED} AS settled_ns FROM orders ORDER BY id"""  # noqa: S608  # ours
EXECUTIONS = """SELECT 'oms-execution' AS kind, e.mono_ns AS t_ns, e.exec_id AS id, e.account,
    coalesce(o.key, '') AS key, coalesce(e.order_id, '') AS "order", e.code, e.side, e.quantity, e.price
    FROM executions e LEFT JOIN orders o ON o.id = e.order_id ORDER BY e.mono_ns, e.exec_id"""
POSTINGS = """SELECT 'posting' AS kind, mono_ns AS t_ns, id::text AS id, account, reference, yen, why,
    coalesce(day::text, '') AS day FROM ledger ORDER BY ledger.id"""
RUNS = """SELECT 'batch-job' AS kind, started_ns AS t_ns, job || '/' || attempt AS id, job, state, started_ns, ended_ns,
    taken, given, rejected, attempt FROM batch_runs ORDER BY started_ns, job, attempt"""
MARKED = """SELECT 'marked' AS kind, done_ns AS t_ns, account || '/' || day AS id, account, day::text AS day
    FROM batch_done WHERE job = 'mark-to-market' ORDER BY account, day"""
ADJUSTMENTS = """SELECT 'adjustment' AS kind, mono_ns AS t_ns, reference AS id, account, reference, reason, request,
    approver, yen FROM adjustments ORDER BY mono_ns"""
BALANCES = "SELECT 'balance' AS kind, %s::bigint AS t_ns, id, id AS account, cash FROM accounts ORDER BY id"


BOOKS = ("notices", "oms", "exchange", "bank")
"""In the order to read them in, against the flow: what one tells of, the books it came from tell of too."""


def read_book(config: Config, name: str) -> list[Row]:
    """The rows of a book as of now. KeyError for an unknown name; psycopg.Error or OSError when it cannot be read."""
    folder = Path(config.folder)
    readers: dict[str, Callable[[], list[Row]]] = {
        "notices": lambda: read_spool(spool_folder(folder)),
        "oms": lambda: read_oms(dsn(config.ports["postgres"])),
        "exchange": lambda: read_lines(book_file(folder)),
        "bank": lambda: read_lines(bank_file(folder)),
    }
    return readers[name]()


def book_file(folder: Path) -> Path:
    """The exchange's book in a stack's folder."""
    return folder / "exchange" / "book.jsonl"


def bank_file(folder: Path) -> Path:
    """The bank's book in a stack's folder."""
    return folder / "bank" / "book.jsonl"


def spool_folder(folder: Path) -> Path:
    """Where delivered execution notices lie in a stack's folder."""
    return folder / "spool"


def read_lines(path: Path) -> list[Row]:
    """The rows of a JSON-lines file that may be written to right now: a torn last line is not yet a row."""
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines()]


def read_oms(dsn: str) -> list[Row]:
    """Orders, executions, postings, the night's work and balances: one snapshot of the database.

    What the database stamped with its own wall clock is put on CLOCK_MONOTONIC by what the two differ now.
    """
    options = "-c statement_timeout=20000 -c default_transaction_isolation=repeatable\\ read"
    with connect(dsn, connect_timeout=5, options=options, row_factory=dict_row) as connection:
        offset = time.time_ns() - time.monotonic_ns()
        rows: list[Row] = connection.execute(ORDERS, {"offset": offset}).fetchall()
        for query in (EXECUTIONS, POSTINGS, RUNS, MARKED, ADJUSTMENTS):
            rows += connection.execute(query).fetchall()
        return rows + connection.execute(BALANCES, [time.monotonic_ns()]).fetchall()


def read_spool(folder: Path) -> list[Row]:
    """The delivered notices, by file name."""
    return [_notice(path) for path in _sorted(folder.glob("*.json"))] if folder.exists() else []


def _notice(path: Path) -> Row:
    body = json.loads(path.read_bytes())
    return {"kind": "notice", "t_ns": body["t_ns"], "id": path.name, "key": body["exec_id"], "account": body["account"]}


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: path.name)
