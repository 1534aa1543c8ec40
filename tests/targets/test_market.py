"""The market: which price an instrument has when, what can trade at it, and what is written down of it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from targets.brokerage.api.prices import Prices
from targets.brokerage.api.rules import OrderBody
from targets.brokerage.bookfile import BookWriter, read_lines
from targets.brokerage.config import Config
from targets.brokerage.exchange.book import Book
from targets.brokerage.exchange.market import NS, Market
from targets.brokerage.exchange.marketbook import Ticker, read_book
from targets.brokerage.world import make_world

from .stack import make_config


def config_in(folder: Path) -> Config:
    return make_config(folder, {"exchange_http": 1}, {})


def moving(folder: Path, drift: float = 0.002, collar: float = 0.0) -> Config:
    config = config_in(folder)
    exchange = msgspec.structs.replace(config.exchange, drift_per_s=drift)
    return msgspec.structs.replace(config, exchange=exchange, api=msgspec.structs.replace(config.api, collar=collar))


def test_its_instruments_are_those_of_the_world(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    prices = {row["id"]: row["base"] for row in make_world(config.seed, customers=1) if row["kind"] == "price"}
    assert Market(config).prices(config.clock.anchor_ns) == prices


def test_the_first_instrument_moves_within_its_limits_and_the_others_stay(tmp_path: Path) -> None:
    config = moving(tmp_path)
    market, anchor = Market(config), config.clock.anchor_ns
    first, other = market.instruments[:2]
    assert market.price(first, anchor) == first.base
    after = market.price(first, anchor + 20 * NS)
    assert after == int(first.base * 1.04) - int(first.base * 1.04) % first.tick
    assert first.high - first.tick < market.price(first, anchor + 10_000 * NS) <= first.high
    assert market.price(other, anchor + 20 * NS) == other.base


def test_only_what_the_price_has_come_to_can_trade(tmp_path: Path) -> None:
    config = moving(tmp_path)
    market, later = Market(config), config.clock.anchor_ns + 20 * NS
    first, other = market.instruments[:2]
    price = market.price(first, later)
    assert [market.reached(first.code, "buy", each, later) for each in (price - 1, price)] == [False, True]
    assert [market.reached(first.code, "sell", each, later) for each in (price, price + 1)] == [True, False]
    assert market.reached(other.code, "buy", 1, later)


def test_a_purchase_below_the_price_does_not_fill(tmp_path: Path) -> None:
    config = config_in(tmp_path).exchange
    order = {
        "MsgType": "NewOrderSingle", "OrderNumber": "1" * 7, "SecondaryClOrdID": "k", "Account": "C-0001",
        "Symbol": "1301", "Side": "buy", "OrderQty": 100, "Price": 1000,
    }  # fmt: skip
    names = [f"K-{n}" for n in range(20)]
    open_, shut = Book(config, 7), Book(config, 7, lambda *_: False)
    for book in (open_, shut):
        book.cycle(1, [{**order, "ClOrdID": name} for name in names])
        book.cycle(60 * NS, [])
    assert open_.executions
    assert not shut.executions


def test_each_change_of_a_price_is_a_row_and_a_second_writer_goes_on(tmp_path: Path) -> None:
    config = moving(tmp_path)
    anchor, market = config.clock.anchor_ns, Market(config)
    ticker = Ticker(config, market)
    for t in (0, 0, 20, 40):
        ticker.look(anchor + t * NS)
    ticker.close()
    again = Ticker(config, market)
    again.look(anchor + 60 * NS)
    again.close()
    rows = read_book(config)
    assert [row["n"] for row in rows] == [0, 1, 2, 3]
    assert [row["price"] for row in rows] == [market.price(market.instruments[0], row["t_ns"]) for row in rows]


def test_where_no_price_moves_nothing_is_written(tmp_path: Path) -> None:
    ticker = Ticker(config_in(tmp_path), Market(config_in(tmp_path)))
    ticker.look(1)
    assert read_book(config_in(tmp_path)) == []


def test_a_limit_too_far_from_the_price_is_refused(tmp_path: Path) -> None:
    prices = Prices(moving(tmp_path, collar=0.03))
    found = [prices.complaint(OrderBody("1301", "buy", 100, each), {"1301": 1000}) for each in (970, 969, 1030, 1031)]
    assert [each is None for each in found] == [True, False, True, False]
    assert {(each.status, each.code) for each in found if each is not None} == {(422, "PRICE_COLLAR")}
    assert prices.complaint(OrderBody("1301", "buy", 100, 1), {}) is None
    assert Prices(config_in(tmp_path)).complaint(OrderBody("1301", "buy", 100, 1), {"1301": 1000}) is None


def test_a_book_goes_on_where_it_was_left(tmp_path: Path) -> None:
    path = tmp_path / "some" / "book.jsonl"
    first = BookWriter(path)
    assert first.write({"kind": "x"}) == {"kind": "x", "n": 0}
    first.close()
    second = BookWriter(path)
    second.write({"kind": "y"})
    assert second.rows == 2
    assert [row["n"] for row in read_lines(path)] == [0, 1]
