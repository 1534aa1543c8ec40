"""Rows about orders, executions and their notices: the market, the exchange's book, the brokerage's own word."""

from __future__ import annotations

from collections.abc import Mapping

from drills.domains.customers.rows import Side
from drills.record.books import Row


class Holding(Row, frozen=True, kw_only=True, tag="holding"):
    """Opening shares of one instrument; ``id`` is ``ACCOUNT/CODE``."""

    code: str
    quantity: int


class Price(Row, frozen=True, kw_only=True, tag="price"):
    """An instrument's base price for the day with its tick and daily limits; ``id`` is the code."""

    base: int
    tick: int
    low: int
    high: int


class ExchangeOrder(Row, frozen=True, kw_only=True, tag="exchange-order"):
    """An order the exchange accepted; ``id`` is ClOrdID, ``key`` the customer's key that travelled with it.

    ``number`` is the order's number as it stood in the message.
    """

    code: str
    side: Side
    quantity: int
    price: int
    number: str = ""


class ExchangeExecution(Row, frozen=True, kw_only=True, tag="exchange-execution"):
    """A trade at the exchange; ``id`` is ExecID, ``order`` the ClOrdID."""

    order: str
    code: str
    side: Side
    quantity: int
    price: int


class ExchangeCancel(Row, frozen=True, kw_only=True, tag="exchange-cancel"):
    """The exchange cancelled what was left of the order ``id`` (ClOrdID)."""


class OmsOrder(Row, frozen=True, kw_only=True, tag="oms-order"):
    """An order as the brokerage sees it; ``cl_ord_id`` is what it was last sent to the exchange as.

    ``passing_ns`` is when it last came into a state that must not last (0: when it was made), ``settled_ns`` when it
    came out of that (0: not since, or never told). ``number`` is what it was given for the exchange, its range's letter
    before it.
    """

    code: str
    side: Side
    quantity: int
    price: int
    state: str
    cl_ord_id: str
    filled: int
    passing_ns: int = 0
    settled_ns: int = 0
    number: str = ""


class OmsExecution(Row, frozen=True, kw_only=True, tag="oms-execution"):
    """An execution the brokerage has posted; ``id`` is ExecID, ``t_ns`` when the posting was committed."""

    order: str
    code: str
    side: Side
    quantity: int
    price: int


class Notice(Row, frozen=True, kw_only=True, tag="notice"):
    """An execution notice delivered to a customer; ``key`` is the ExecID, ``id`` names the delivered file."""


ROWS: Mapping[str, tuple[type[Row], ...]] = {
    "world": (Holding, Price),
    "exchange": (ExchangeOrder, ExchangeExecution, ExchangeCancel),
    "oms": (OmsOrder, OmsExecution),
    "notices": (Notice,),
}
"""Book -> its rows of this kind."""
