"""What the tables of orders and accounts give to the database's book."""

from __future__ import annotations

from targets.brokerage.databasebook import Query, monotonic

ORDERS: Query = f"""SELECT 'oms-order' AS kind, created_ns AS t_ns, id, account, key, code, side, quantity, price,
    state, cl_ord_id, series || number::text AS number, filled,
    {monotonic("passing_at")} AS passing_ns, {monotonic("settled_at")} AS settled_ns
    FROM orders ORDER BY id"""  # noqa: S608  # ours
BALANCES: Query = """SELECT 'balance' AS kind, %(now)s::bigint AS t_ns, id, id AS account, cash
    FROM accounts ORDER BY id"""

QUERIES = (ORDERS, BALANCES)
