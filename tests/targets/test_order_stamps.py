"""When orders came into a state that must not last, and out of it, is in the brokerage's book, on the common clock."""

from __future__ import annotations

import time
from typing import Any

from targets.brokerage.api.books import QUERIES
from targets.brokerage.databasebook import read_tables

from .stack import Database
from .test_posting import Desk, desk  # noqa: F401  # the fixture

JITTER = 50_000_000
"""Wall and monotonic clock are read one after the other."""


def stamps(database: Database) -> tuple[Any, ...]:
    (row,) = [row for row in read_tables(database.dsn, QUERIES) if row["kind"] == "oms-order"]
    return row["state"], row["passing_ns"], row["settled_ns"]


def test_an_order_is_stamped_where_it_settles(desk: Desk, database: Database) -> None:  # noqa: F811
    _, order_id, cl_ord_id, _ = desk.place("k")
    assert stamps(database) == ("pending-new", 0, 0)
    desk.call("SELECT mark_unknown(%s, 1)", order_id)
    assert stamps(database) == ("unknown", 0, 0)  # from one passing state into another
    before = time.monotonic_ns()
    desk.call("SELECT accept_order(%s)", cl_ord_id)
    state, passing, settled = stamps(database)
    assert (state, passing) == ("new", 0)
    assert before - JITTER <= settled <= time.monotonic_ns() + JITTER


def test_a_fill_of_a_settled_order_stamps_nothing_anew(desk: Desk, database: Database) -> None:  # noqa: F811
    _, _, cl_ord_id, _ = desk.place("k")
    desk.call("SELECT accept_order(%s)", cl_ord_id)
    before = stamps(database)[1:]
    assert desk.trade("e-1", cl_ord_id, 100)
    after = stamps(database)
    assert after[0] == "partially-filled"
    assert abs(after[2] - before[1]) <= JITTER


def test_a_cancel_begins_anew_and_a_refused_one_ends_it(desk: Desk, database: Database) -> None:  # noqa: F811
    _, order_id, cl_ord_id, _ = desk.place("k")
    desk.call("SELECT accept_order(%s)", cl_ord_id)
    before = time.monotonic_ns()
    desk.call("UPDATE orders SET state = 'pending-cancel' WHERE id = %s RETURNING 1", order_id)
    state, passing, settled = stamps(database)
    assert (state, settled) == ("pending-cancel", 0)
    assert before - JITTER <= passing <= time.monotonic_ns() + JITTER
    desk.call("SELECT refuse_cancel(%s)", cl_ord_id)
    state, again, settled = stamps(database)
    assert state == "new"
    assert abs(again - passing) <= JITTER
    assert settled >= passing
