"""Order numbers near their limit: planted, felt, taken out again, on a real database with a gateway that says yes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from targets.brokerage.api import numbers_near_limit
from targets.brokerage.api.numbers_near_limit import NumbersNearLimit
from targets.brokerage.config import Config
from targets.brokerage.exchange.book import parts_of

from .stack import Database, make_config

CONDITION = NumbersNearLimit(left=400, resting=5, handler=True)
PLACE = "SELECT number FROM place_order(%s, %s, %s, 'buy', 100, %s, 1)"


@pytest.fixture
def config(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Config:
    def said(_: Config, port: str, path: str, body: dict[str, Any], within_s: float) -> tuple[int, dict[str, Any]]:
        state = "new" if path == "/orders" else "cancelled"
        database.rows("UPDATE orders SET state = %s WHERE cl_ord_id = %s", (state, body["cl_ord_id"]))
        return 200, {"state": state}

    monkeypatch.setattr(numbers_near_limit, "asked", said)
    return make_config(tmp_path, {"postgres": database.port}, {})


def place(database: Database, key: str) -> int:
    price = next(row for row in database.world if row["kind"] == "price")
    return int(database.rows(PLACE, ("C-0001", key, price["id"], price["low"]))[0][0])


def test_orders_of_earlier_days_rest_under_low_numbers_and_the_next_one_is_high(
    config: Config, database: Database
) -> None:
    done = CONDITION.plant(config)
    assert done.ok, done.says
    rows = database.rows("SELECT key, number::bigint, cl_ord_id, quantity FROM orders ORDER BY number")
    assert [(key, number) for key, number, *_ in rows] == [(row["key"], row["number"]) for row in done.data["orders"]]
    assert all(20 <= number <= 1000 for _, number, *_ in rows)
    assert not any(parts_of(config.exchange, config.seed, name, shares) for *_, name, shares in rows)
    assert (done.data["last"], done.data["most"]) == (9_999_599, 9_999_999)
    assert database.rows("SELECT sum(reserved) > 0 FROM accounts") == [(True,)]
    assert not CONDITION.look(config, wait=False).felt
    assert place(database, "k") == 9_999_600
    seen = CONDITION.look(config, wait=True)
    assert seen.there
    assert seen.felt


def test_taken_out_numbers_go_on_from_before(config: Config, database: Database) -> None:
    first = place(database, "before")
    assert CONDITION.plant(config).ok
    assert place(database, "meanwhile") == 9_999_600
    assert not CONDITION.plant(config).ok, "twice"
    for _ in range(2):
        assert CONDITION.unplant(config).ok
        assert not CONDITION.look(config, wait=False).there
    assert database.rows("SELECT DISTINCT state FROM orders WHERE id LIKE 'G-%%'") == [("cancelled",)]
    assert database.rows("SELECT value FROM operations WHERE name = 'order-number-range'") == [("1",)]
    assert place(database, "after") == first + 1


def test_nothing_planted_is_nothing_to_take_out(config: Config) -> None:
    assert CONDITION.unplant(config).data == {"changed": False}
