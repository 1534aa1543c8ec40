"""What the tables of executions and postings give to the database's book."""

from __future__ import annotations

from targets.brokerage.databasebook import Query

EXECUTIONS: Query = """SELECT 'oms-execution' AS kind, e.mono_ns AS t_ns, e.exec_id AS id, e.account,
    coalesce(o.key, '') AS key, coalesce(e.order_id, '') AS "order", e.code, e.side, e.quantity, e.price
    FROM executions e LEFT JOIN orders o ON o.id = e.order_id ORDER BY e.mono_ns, e.exec_id"""
POSTINGS: Query = """SELECT 'posting' AS kind, mono_ns AS t_ns, id::text AS id, account, reference, yen, why,
    coalesce(day::text, '') AS day FROM ledger ORDER BY ledger.id"""

QUERIES = (EXECUTIONS, POSTINGS)
