from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drills.domains.registry import DOMAINS
from targets.brokerage.config import ExchangeConfig
from targets.brokerage.exchange.book import Book, Change, parts_of
from targets.brokerage.exchange.journal import Journal, read_session

CONFIG = ExchangeConfig()
S = 1_000_000_000


def new_order(name: str, **changes: Any) -> dict[str, Any]:
    order = {
        "MsgType": "NewOrderSingle",
        "ClOrdID": name,
        "SecondaryClOrdID": f"key-{name}",
        "Account": "C-0001",
        "OrderNumber": "0000001",
    }
    return {**order, "Symbol": "7203", "Side": "buy", "OrderQty": 300, "Price": 3_500, **changes}


def played(book: Book, names: list[str], until_s: int = 10) -> list[Change]:
    changes = book.cycle(0, [new_order(name) for name in names])
    for tenth in range(1, until_s * 10):
        changes += book.cycle(tenth * S // 10, [])
    return changes


def rows(changes: list[Change]) -> list[dict[str, Any]]:
    return [change.row for change in changes if change.row is not None]


def test_fills_come_from_the_seed_and_the_order_alone() -> None:
    names = [f"K-{number}" for number in range(40)]
    shuffled = random.Random(1).sample(names, len(names))
    one, other = played(Book(CONFIG, 3), names), played(Book(CONFIG, 3), shuffled)

    def trades(changes: list[Change]) -> set[tuple[Any, ...]]:
        return {(row["order"], row["t_ns"], row["quantity"]) for row in rows(changes) if "order" in row}

    assert trades(one) == trades(other)
    assert trades(one) != trades(played(Book(CONFIG, 4), names))


def test_every_row_is_a_row_of_the_exchange_s_book() -> None:
    book = Book(CONFIG, 3)
    changes = played(book, ["a", "b", "c"], 2)
    changes += book.cycle(2 * S, [{"MsgType": "OrderCancelRequest", "ClOrdID": "a"}])
    for row in rows(changes):
        msgspec.convert(row, DOMAINS.books["exchange"])


@pytest.mark.parametrize("quantity", [100, 200, 300, 5_000])
def test_parts_are_whole_lots_in_time(quantity: int) -> None:
    planned = [parts_of(CONFIG, 1, f"K-{number}", quantity) for number in range(400)]
    unfilled = sum(not parts for parts in planned)
    assert 30 <= unfilled <= 90
    for parts in planned:
        assert not parts or sum(shares for _, shares in parts) == quantity
        assert len(parts) <= 3
        assert all(shares > 0 and shares % 100 == 0 and S <= when <= 8 * S for when, shares in parts)


def test_an_order_is_accepted_once() -> None:
    book = Book(CONFIG, 1)
    first, second = book.cycle(0, [new_order("a"), new_order("a")])
    assert (first.message["ExecType"], second.message["ExecType"]) == ("New", "Rejected")
    assert second.row is None
    assert second.message["Text"] == "duplicate ClOrdID"


@pytest.mark.parametrize(
    "wrong",
    [{"OrderQty": 150}, {"OrderQty": 0}, {"OrderQty": "100"}, {"Price": -1}, {"Side": "hold"}, {"Account": None}],
)
def test_nonsense_is_rejected(wrong: dict[str, Any]) -> None:
    (change,) = Book(CONFIG, 1).cycle(0, [new_order("a", **wrong)])
    assert change.row is None
    assert change.message["OrdStatus"] == "Rejected"


def test_a_cancelled_order_trades_no_more() -> None:
    book = Book(CONFIG, 3)
    book.cycle(0, [new_order("a")])
    (cancelled,) = book.cycle(1, [{"MsgType": "OrderCancelRequest", "ClOrdID": "a"}])
    assert cancelled.message["ExecType"] == "Canceled"
    assert rows([change for tenth in range(100) for change in book.cycle(tenth * S // 10, [])]) == []
    (again,) = book.cycle(2, [{"MsgType": "OrderCancelRequest", "ClOrdID": "a"}])
    assert again.message["MsgType"] == "OrderCancelReject"


def test_status_of_what_is_known_and_what_is_not() -> None:
    book = Book(CONFIG, 3)
    book.cycle(0, [new_order("a")])
    asked = [{"MsgType": "OrderStatusRequest", "ClOrdID": name} for name in ("a", "b")]
    known, unknown = book.cycle(1, asked)
    assert (known.message["OrdStatus"], known.keep) == ("New", False)
    assert (unknown.message["OrdStatus"], unknown.message["Text"]) == ("Rejected", "unknown order")


def test_the_trade_report_lists_all_trades_and_orders() -> None:
    book = Book(CONFIG, 3)
    changes = played(book, [f"K-{number}" for number in range(10)])
    (report,) = book.cycle(11 * S, [{"MsgType": "TradeCaptureReportRequest", "TradeRequestID": "r"}])
    trades = [row for row in rows(changes) if row["kind"] == "exchange-execution"]
    assert [trade[0] for trade in report.message["Trades"]] == [row["id"] for row in trades]
    assert len(report.message["Orders"]) == 10


def test_a_restarted_exchange_goes_on_where_it_was() -> None:
    names = [f"K-{number}" for number in range(20)]
    whole = rows(played(Book(CONFIG, 3), names))
    before = Book(CONFIG, 3)
    first = rows(played(before, names, 4))
    after = Book(CONFIG, 3)
    for row in first:
        after.restore(row)
    after.rested()
    rest = [row for tenth in range(40, 100) for row in rows(after.cycle(tenth * S // 10, []))]
    assert first + rest == whole


def test_the_journal_survives_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "exchange" / "book.jsonl"
    journal = Journal(path)
    journal.happened({"kind": "exchange-order", "id": "a"})
    journal.keeps({"MsgType": "ExecutionReport", "MsgSeqNum": 7}, True)
    journal.numbers(3, 5_000)
    journal.close()
    with path.open("ab") as book:
        book.write(b'{"kind": "exch')
    again = Journal(path)
    again.happened({"kind": "exchange-order", "id": "b"})
    again.close()
    assert [(row["id"], row["n"]) for row in Journal(path).rows] == [("a", 0), ("b", 1)]
    assert (again.kept.rows, again.kept.next_in, again.kept.next_out, list(again.kept.store)) == (1, 3, 5_000, [7])


def test_a_reset_forgets_messages_for_good(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "book.jsonl")
    journal.keeps({"MsgType": "ExecutionReport", "MsgSeqNum": 7}, True)
    journal.reset(4)
    journal.numbers(1, 5_001)
    journal.close()
    kept = read_session(tmp_path / "session.jsonl")
    assert (kept.store, kept.rows, kept.next_in) == ({}, 4, 1)
