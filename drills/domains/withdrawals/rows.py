"""Rows about withdrawals: what the bank paid out, what the brokerage made of each, and the log of the link between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from drills.domains.cash.rows import BankPayment
from drills.record.books import Row

State = Literal["pending", "completed", "rejected", "unknown", "reversed"]


class BankPayout(BankPayment, frozen=True, kw_only=True, tag="bank-payout"):
    """A payment to a customer's own bank account that the bank decided on; otherwise as any payment of its book."""


class Withdrawal(Row, frozen=True, kw_only=True, tag="withdrawal"):
    """A withdrawal as the brokerage has it; ``key`` is the customer's own for it, ``reference`` the bank's.

    ``how`` it was settled: by the answer, by an inquiry, by sending it again, by an operator. ``unknown_ns`` is when it
    first became unknown, ``settled_ns`` when it was settled, ``told_ns`` when its customer was told the end (``told``)
    of one that had been unknown; 0 where that never was.
    """

    yen: int
    state: State
    reference: str
    how: str
    unknown_ns: int
    settled_ns: int
    told: str
    told_ns: int


class LinkSent(Row, frozen=True, kw_only=True, tag="link-sent"):
    """A request for ``withdrawal`` was about to be sent to the bank; ``id`` is the reference."""

    session: str
    withdrawal: str
    yen: int


class LinkAnswered(Row, frozen=True, kw_only=True, tag="link-answered"):
    """What the bank answered to the request under the reference ``id``."""

    session: str
    state: str


ROWS: Mapping[str, tuple[type[Row], ...]] = {
    "bank": (BankPayout,),
    "withdrawals": (Withdrawal, LinkSent, LinkAnswered),
}
"""Book -> its rows of this kind."""
