from __future__ import annotations

from typing import Any

import psycopg
import pytest

from .stack import Database

BUYER = "C-0001"


class Desk:
    """Calls the database's functions as the services do."""

    def __init__(self, database: Database) -> None:
        self.database = database
        price = next(row for row in database.world if row["kind"] == "price")
        self.code, self.price = price["id"], price["low"]
        self.holding = next(row for row in database.world if row["kind"] == "holding")

    def place(self, key: str, quantity: int = 300, **changes: Any) -> tuple[Any, ...]:
        asked = {"account": BUYER, "code": self.code, "side": "buy", "price": self.price, **changes}
        values = (asked["account"], key, asked["code"], asked["side"], quantity, asked["price"], 1)
        query = "SELECT verdict, order_id, cl_ord_id, state FROM place_order(%s, %s, %s, %s, %s, %s, %s)"
        return self.database.rows(query, values)[0]

    def trade(self, exec_id: str, cl_ord_id: str, quantity: int, late: bool = False) -> bool:
        trade = (exec_id, cl_ord_id, BUYER, self.code, "buy", quantity, self.price)
        with psycopg.connect(self.database.dsn) as connection:
            applied = connection.execute("SELECT apply_execution(%s, %s, %s, %s, %s, %s, %s)", trade).fetchone()
            assert applied is not None
            if applied[0]:
                record = b"SELECT record_execution(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
                connection.execute(record, (*trade, late, 1, 2))
            return bool(applied[0])

    def money(self, account: str = BUYER) -> tuple[int, int]:
        row = self.database.rows("SELECT cash, reserved FROM accounts WHERE id = %s", (account,))[0]
        return row[0], row[1]

    def order(self, order_id: str) -> tuple[str, int]:
        row = self.database.rows("SELECT state, filled FROM orders WHERE id = %s", (order_id,))[0]
        return row[0], row[1]

    def call(self, query: str, *values: Any) -> Any:
        return self.database.rows(query, values)[0][0]


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_buy_order_reserves_its_money_and_a_key_is_placed_once(desk: Desk) -> None:
    verdict, order_id, cl_ord_id, state = desk.place("k")
    assert (verdict, state) == ("PLACED", "pending-new")
    assert desk.money()[1] == 300 * desk.price
    assert desk.place("k") == ("REPEATED", order_id, cl_ord_id, "pending-new")
    assert desk.money()[1] == 300 * desk.price


def test_buying_power_is_cash_less_what_is_reserved(desk: Desk) -> None:
    cash, _ = desk.money()
    lots = cash // (desk.price * 100)
    assert desk.place("k1", lots * 100)[0] == "PLACED"
    assert desk.place("k2", 100)[0] == "BUYING_POWER"
    assert desk.database.rows("SELECT count(*) FROM orders") == [(1,)]


def test_a_sell_order_reserves_shares(desk: Desk) -> None:
    held = desk.holding
    sale = {"account": held["account"], "code": held["code"], "side": "sell"}
    assert desk.place("k1", held["quantity"], **sale)[0] == "PLACED"
    assert desk.place("k2", 100, **sale)[0] == "NO_POSITION"
    assert desk.money(held["account"])[1] == 0


def test_an_execution_moves_cash_shares_reserve_and_ledger_once(desk: Desk) -> None:
    cash, _ = desk.money()
    _, order_id, cl_ord_id, _ = desk.place("k")
    assert desk.trade("E-1", cl_ord_id, 100)
    assert not desk.trade("E-1", cl_ord_id, 100)
    assert desk.money() == (cash - 100 * desk.price, 200 * desk.price)
    assert desk.order(order_id) == ("partially-filled", 100)
    legs = desk.database.rows("SELECT account, yen FROM ledger WHERE reference = 'E-1' ORDER BY yen")
    assert legs == [(BUYER, -100 * desk.price), ("HOUSE", 100 * desk.price)]
    assert desk.trade("E-2", cl_ord_id, 200)
    assert desk.money() == (cash - 300 * desk.price, 0)
    assert desk.order(order_id) == ("filled", 300)


@pytest.mark.parametrize(("late", "state"), [(True, "held"), (False, "pending")])
def test_notices_of_late_executions_are_held(desk: Desk, late: bool, state: str) -> None:
    _, _, cl_ord_id, _ = desk.place("k")
    desk.trade("E-1", cl_ord_id, 100, late)
    assert desk.database.rows("SELECT exec_id, account, state FROM outbox") == [("E-1", BUYER, state)]


def test_an_order_sent_twice_and_filled_twice_is_posted_as_it_happened(desk: Desk) -> None:
    cash, _ = desk.money()
    _, order_id, cl_ord_id, _ = desk.place("k")
    desk.database.rows("INSERT INTO order_ids VALUES ('K-again', %s)", (order_id,))
    desk.trade("E-1", cl_ord_id, 300)
    desk.trade("E-2", "K-again", 300)
    assert desk.money() == (cash - 600 * desk.price, 0)
    assert desk.order(order_id) == ("filled", 600)


def test_an_execution_of_an_order_we_do_not_know_is_posted_all_the_same(desk: Desk) -> None:
    cash, _ = desk.money()
    assert desk.trade("E-1", "K-unheard-of", 100)
    assert desk.money() == (cash - 100 * desk.price, 0)
    assert desk.database.rows("SELECT order_id FROM executions") == [(None,)]


def test_unknown_is_settled_by_what_the_exchange_says(desk: Desk) -> None:
    _, order_id, cl_ord_id, _ = desk.place("k")
    assert desk.call("SELECT mark_unknown(%s, 7)", order_id) == "unknown"
    assert desk.money()[1] > 0
    desk.call("SELECT accept_order(%s)", cl_ord_id)
    assert desk.order(order_id)[0] == "new"
    assert desk.call("SELECT mark_unknown(%s, 8)", order_id) == "new"
    assert desk.database.rows("SELECT unknown_ns FROM orders") == [(7,)]


def test_an_unknown_order_the_exchange_never_had_gives_its_reserve_back(desk: Desk) -> None:
    _, order_id, cl_ord_id, _ = desk.place("k")
    desk.call("SELECT mark_unknown(%s, 7)", order_id)
    desk.call("SELECT end_order(%s, 'rejected', 'not received by the exchange')", cl_ord_id)
    assert desk.order(order_id)[0] == "rejected"
    assert desk.money()[1] == 0
    desk.call("SELECT end_order(%s, 'rejected', 'again')", cl_ord_id)
    assert desk.money()[1] == 0


def test_an_order_that_turns_out_to_rest_at_the_exchange_is_live_whatever_we_concluded(desk: Desk) -> None:
    _, order_id, cl_ord_id, _ = desk.place("k")
    desk.call("SELECT end_order(%s, 'rejected', 'too early')", cl_ord_id)
    desk.call("SELECT accept_order(%s)", cl_ord_id)
    assert desk.order(order_id)[0] == "new"
    desk.trade("E-1", cl_ord_id, 300)
    assert (desk.order(order_id), desk.money()[1]) == (("filled", 300), 0)


def test_cancelling(desk: Desk) -> None:
    _, order_id, cl_ord_id, _ = desk.place("k")
    desk.call("SELECT accept_order(%s)", cl_ord_id)
    desk.trade("E-1", cl_ord_id, 100)
    desk.database.rows("UPDATE orders SET state = 'pending-cancel'")
    desk.trade("E-2", cl_ord_id, 100)
    assert desk.order(order_id) == ("pending-cancel", 200)
    desk.call("SELECT refuse_cancel(%s)", cl_ord_id)
    assert desk.order(order_id) == ("partially-filled", 200)
    desk.call("SELECT end_order(%s, 'cancelled', 'cancelled')", cl_ord_id)
    assert desk.order(order_id) == ("cancelled", 200)
    assert desk.money()[1] == 0
