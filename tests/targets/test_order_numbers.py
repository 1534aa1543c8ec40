"""Order numbers in the database: the limits of sequence and column, the second range, and widening under way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import errors

from targets.brokerage import database as line
from targets.brokerage.api.counters import Counters
from targets.brokerage.api.oms import Oms
from targets.brokerage.api.rules import OrderBody
from targets.brokerage.api.store import Store
from targets.brokerage.config import ApiConfig
from targets.brokerage.database import Line

from .stack import Database, Peer, make_config

PLACE = "SELECT verdict, series, number FROM place_order(%s, %s, %s, 'buy', 100, %s, 1)"


class Desk:
    def __init__(self, database: Database) -> None:
        price = next(row for row in database.world if row["kind"] == "price")
        self.code, self.price, self.database, self.count = price["id"], price["low"], database, 0

    def place(self) -> tuple[Any, ...]:
        self.count += 1
        return self.database.rows(PLACE, ("C-0001", f"key-{self.count}", self.code, self.price))[0]

    def run(self, statement: str) -> None:
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_numbers_run_on_from_the_days_before(desk: Desk) -> None:
    assert desk.place() == ("PLACED", "", 1001)


def test_the_sequence_ends_and_then_the_column_does(desk: Desk) -> None:
    desk.run("SELECT setval('order_number', 9999998)")
    assert desk.place() == ("PLACED", "", 9_999_999)
    with pytest.raises(errors.SequenceGeneratorLimitExceeded):
        desk.place()
    desk.run("ALTER SEQUENCE order_number MAXVALUE 99999999")
    with pytest.raises(errors.NumericValueOutOfRange):
        desk.place()
    desk.run("ALTER TABLE orders ALTER COLUMN number TYPE numeric(8)")
    verdict, series, number = desk.place()
    assert (verdict, series) == ("PLACED", "")
    assert number > 9_999_999, "one was used up by the order that the column refused"


def test_a_cycling_sequence_gives_low_numbers_again(desk: Desk) -> None:
    desk.run("SELECT setval('order_number', 9999999)")
    desk.run("ALTER SEQUENCE order_number CYCLE")
    assert desk.place() == ("PLACED", "", 1)


def test_a_prepared_handler_switches_by_itself_and_stays(desk: Desk) -> None:
    desk.run("UPDATE operations SET value = 'auto' WHERE name = 'order-number-range'")
    desk.run("SELECT setval('order_number', 9999998)")
    assert [desk.place()[1:] for _ in range(3)] == [("", 9_999_999), ("R", 1), ("R", 2)]
    assert desk.database.rows("SELECT value FROM operations WHERE name = 'order-number-range'") == [("2",)]


def test_pooled_connections_go_on_while_the_column_is_widened(desk: Desk, tmp_path: Path) -> None:
    config = make_config(tmp_path, {}, {"api-pg": desk.database.port})
    config = msgspec.structs.replace(config, api=ApiConfig(pool=2))
    order = OrderBody(desk.code, "buy", 100, desk.price)

    async def play() -> list[int]:
        store = Store(config)
        await store.pool.open(wait=True)
        oms = Oms(config, store, Peer(lambda _: (200, {"state": "new", "reason": "", "sent": True})))  # type: ignore[arg-type]
        try:
            before = [(await oms.place("C-0001", f"before-{n}", order))[0] for n in range(12)]
            await asyncio.to_thread(desk.run, "ALTER TABLE orders ALTER COLUMN number TYPE numeric(8)")
            after = [(await oms.place("C-0001", f"after-{n}", order))[0] for n in range(4)]
            return before + after
        finally:
            await store.pool.close()

    assert set(asyncio.run(play())) == {201}


def test_the_register_says_which_limit_is_first(desk: Desk, tmp_path: Path) -> None:
    config = make_config(tmp_path, {}, {"api-pg": desk.database.port})

    async def play() -> tuple[dict[str, int], int, int]:
        counters = Counters(config, Line(line.dsn(config.through("api-pg"), "test")))
        desk.run("SELECT setval('order_number', 9999899)")
        seen = await counters.look()
        limits, left = dict(seen.limits), seen.headroom
        desk.run("ALTER SEQUENCE order_number MAXVALUE 99999999")
        again = (await counters.look()).headroom
        counters.close()
        await counters._line.close()
        return limits, left, again

    limits, left, again = asyncio.run(play())
    assert limits == dict.fromkeys(("sequence", "column", "gateway", "exchange"), 9_999_999)
    assert (left, again) == (100, 100), "the column and the fields are as narrow as before"
