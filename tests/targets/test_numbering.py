"""The order number as a field of the message, and as the exchange reads it."""

from __future__ import annotations

import pytest

from targets.brokerage.config import ExchangeConfig
from targets.brokerage.exchange.book import Book
from targets.brokerage.numbering import SECOND, complaint, field

from .test_exchange_book import new_order


@pytest.mark.parametrize(
    ("series", "number", "width", "truncate", "shown"),
    [
        ("", 42, 7, False, "0000042"),
        ("", 9_999_999, 7, False, "9999999"),
        ("", 10_000_000, 7, False, None),
        ("", 10_000_042, 7, True, "0000042"),
        ("", 10_000_000, 8, False, "10000000"),
        (SECOND, 42, 7, False, "R000042"),
    ],
)
def test_a_number_is_as_wide_as_its_field_or_does_not_fit(
    series: str, number: int, width: int, truncate: bool, shown: str | None
) -> None:
    assert field(series, number, width, truncate) == shown


@pytest.mark.parametrize(
    ("text", "width", "why"),
    [
        ("0000042", 7, ""),
        ("0000042", 8, ""),
        ("10000000", 8, ""),
        ("10000000", 7, "8 digits"),
        ("R000042", 7, "no such range"),
        (None, 7, "missing"),
        ("٠٠٠٠٠٤٢", 7, "missing"),
    ],
)
def test_the_exchange_takes_what_was_agreed(text: object, width: int, why: str) -> None:
    said = complaint(text, width)
    assert why in said
    assert bool(said) == bool(why)


def test_the_exchange_takes_wider_numbers_once_it_has_agreed_and_after_a_restart() -> None:
    book = Book(ExchangeConfig(), 7)
    wide = {"OrderNumber": "10000000"}
    (refused,) = book.cycle(0, [new_order("a", **wide)])
    assert refused.message["ExecType"] == "Rejected"
    (agreed,) = book.cycle(1, [{"MsgType": "OrderNumberWidth", "Width": 8}])
    assert agreed.message["Width"] == 8
    (taken,) = book.cycle(2, [new_order("b", **wide)])
    assert taken.row is not None
    assert taken.row["number"] == "10000000"
    assert agreed.row is not None
    again = Book(ExchangeConfig(), 7)
    again.restore(agreed.row)
    assert again.widths[-1] == 8


def test_a_narrower_width_is_not_agreed_to() -> None:
    (said,) = Book(ExchangeConfig(), 7).cycle(0, [{"MsgType": "OrderNumberWidth", "Width": 6}])
    assert said.message["Width"] == 7
    assert said.row is None


def test_a_test_order_is_checked_and_enters_no_book() -> None:
    book = Book(ExchangeConfig(), 7)
    asked = [new_order("a", TestMessageIndicator="Y"), new_order("b", TestMessageIndicator="Y", OrderNumber="R000001")]
    said = book.cycle(0, asked)
    assert [each.message["ExecType"] for each in said] == ["Tested", "Rejected"]
    assert not book.orders
