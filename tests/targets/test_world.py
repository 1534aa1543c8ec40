from __future__ import annotations

from datetime import date

import msgspec
import psycopg
import pytest

from drills.domains.registry import DOMAINS
from targets.brokerage.world import (
    account_names,
    business_day,
    business_days_from,
    daily_limits,
    make_world,
    tick_of,
)

from .stack import Database


def test_the_same_seed_makes_the_same_world() -> None:
    assert make_world(3, 50) == make_world(3, 50)
    assert make_world(3, 50) != make_world(4, 50)


@pytest.mark.parametrize("seed", [3, 7])
def test_the_accounts_are_known_whatever_the_seed(seed: int) -> None:
    assert [row["id"] for row in make_world(seed) if row["kind"] == "account"] == list(account_names())


def test_rows_are_rows_of_the_world_book() -> None:
    rows = make_world(3, 50)
    for row in rows:
        msgspec.convert(row, DOMAINS.books["world"])
    assert {row["t_ns"] for row in rows} == {0}
    assert len({(row["kind"], row["id"]) for row in rows}) == len(rows)


def test_customers_can_buy_and_sell() -> None:
    rows = make_world(5, 200)
    accounts = [row for row in rows if row["kind"] == "account"]
    holdings = [row for row in rows if row["kind"] == "holding"]
    assert [row["id"] for row in accounts[:2]] == ["C-0001", "C-0002"]
    assert all(3_000_000 <= row["cash"] <= 20_000_000 for row in accounts)
    assert len(holdings) == 3 * len(accounts)
    assert all(500 <= row["quantity"] <= 2_000 and row["quantity"] % 100 == 0 for row in holdings)


@pytest.mark.parametrize("seed", range(20))
def test_prices_lie_on_ticks_within_their_limits(seed: int) -> None:
    prices = [row for row in make_world(seed, 0, date(2026, 11, 2)) if row["kind"] == "price"]
    assert len({row["id"] for row in prices}) == 20
    for row in prices:
        assert 500 <= row["base"] <= 5_000
        assert row["base"] % row["tick"] == 0
        assert row["low"] < row["base"] < row["high"]


def test_limits_and_ticks_follow_the_exchange_s_table() -> None:
    assert daily_limits(699) == (599, 799)
    assert daily_limits(700) == (550, 850)
    assert daily_limits(4_999) == (4_299, 5_699)
    assert (tick_of(3_000), tick_of(3_001)) == (1, 5)
    with pytest.raises(ValueError, match="7000"):
        daily_limits(7_000)


def test_the_day_is_a_trading_day() -> None:
    days = {business_day(seed) for seed in range(30)}
    assert len(days) > 10
    assert all(day.weekday() < 5 and day != date(2026, 1, 1) for day in days)


def test_the_night_is_drawn_apart_and_the_same_every_time() -> None:
    rows = make_world(3, 50)
    kinds = [row["kind"] for row in rows]
    assert kinds[:1] == ["calendar"]
    assert sorted(set(kinds[-kinds.count("lot") - kinds.count("loan") - kinds.count("close") :])) == [
        "close",
        "loan",
        "lot",
    ]
    assert rows[: kinds.index("close")] == make_world(3, 50)[: kinds.index("close")]
    lots = [row for row in rows if row["kind"] == "lot"]
    assert [row["id"] for row in lots[:3]] == ["L-000001", "L-000002", "L-000003"]
    assert {row["account"] for row in lots} == {row["id"] for row in rows if row["kind"] == "account"}


@pytest.mark.parametrize("seed", range(10))
def test_every_price_moves_over_night_and_stays_within_its_limits(seed: int) -> None:
    rows = make_world(seed, 0, date(2026, 11, 2))
    closes = {(row["code"], row["day"]): row["close"] for row in rows if row["kind"] == "close"}
    for price in (row for row in rows if row["kind"] == "price"):
        today, tomorrow = closes[price["id"], "2026-11-02"], closes[price["id"], "2026-11-04"]
        assert today == price["base"]
        assert price["low"] <= tomorrow <= price["high"]
        assert tomorrow != today
        assert tomorrow % price["tick"] == 0


def test_the_calendar_skips_what_is_no_trading_day() -> None:
    assert business_days_from(date(2026, 11, 2), 3) == [date(2026, 11, 2), date(2026, 11, 4), date(2026, 11, 5)]
    with pytest.raises(ValueError, match="does not reach"):
        business_days_from(date(2027, 3, 30), 5)


def test_most_customers_owe_something() -> None:
    loans = [row for row in make_world(5, 1_500) if row["kind"] == "loan"]
    assert 900 < len(loans) < 1_100
    assert all(2_000_000 <= row["principal"] <= 12_000_000 and row["id"] == row["account"] for row in loans)


def test_the_world_stands_in_the_database_as_it_was_made(database: Database) -> None:
    cash = dict(database.rows("SELECT id, cash FROM accounts"))
    assert cash == {row["id"]: row["cash"] for row in database.world if row["kind"] == "account"}
    held = {
        f"{account}/{code}": n for account, code, n in database.rows("SELECT account, code, quantity FROM positions")
    }
    assert held == {row["id"]: row["quantity"] for row in database.world if row["kind"] == "holding"}
    assert database.rows("SELECT count(*) FROM instruments") == [(20,)]
    for table, kind in (("lots", "lot"), ("loans", "loan"), ("closes", "close")):
        made = sum(row["kind"] == kind for row in database.world)
        assert database.rows(f"SELECT count(*) FROM {table}") == [(made,)]


@pytest.mark.parametrize("change", ["UPDATE ledger SET yen = 0", "DELETE FROM ledger", "TRUNCATE ledger"])
def test_the_ledger_is_append_only(database: Database, change: str) -> None:
    database.rows("INSERT INTO ledger (reference, account, yen, mono_ns) VALUES ('x', 'HOUSE', 1, 1)")
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        database.rows(change)
