"""Rows about money: what accounts held and owed at the start, what the bank paid, what the brokerage posted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from drills.record.books import Row


class Account(Row, frozen=True, kw_only=True, tag="account"):
    """A customer's opening cash in yen."""

    cash: int


class Loan(Row, frozen=True, kw_only=True, tag="loan"):
    """What an account owes at the start, in yen; ``id`` is the account."""

    principal: int


class BankPayment(Row, frozen=True, kw_only=True, tag="bank-payment"):
    """A payment the bank decided on; ``id`` is the bank's own number, ``key`` the reference it was asked under."""

    yen: int
    state: Literal["booked", "rejected"]


class Posting(Row, frozen=True, kw_only=True, tag="posting"):
    """One leg of a double entry: the legs of one ``reference`` sum to zero; ``account`` may be a house account.

    ``why`` is what it was posted for, ``day`` the business date it belongs to; empty where that says nothing.
    """

    reference: str
    yen: int
    why: Literal["", "trade", "variation", "repayment", "withdrawal", "adjustment"] = ""
    day: str = ""


class Balance(Row, frozen=True, kw_only=True, tag="balance"):
    """Cash on an account as stored by the brokerage (opening cash included)."""

    cash: int


ROWS: Mapping[str, tuple[type[Row], ...]] = {
    "world": (Account, Loan),
    "bank": (BankPayment,),
    "oms": (Posting, Balance),
}
"""Book -> its rows of this kind."""
