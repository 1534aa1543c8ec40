"""Rows of the books: the one schema that targets, load and judge agree on.

A book is a JSON-lines file, one row a line, each tagged with ``kind`` and stamped with ``t_ns`` (CLOCK_MONOTONIC).
``world`` is made from the seed before the target starts. ``customers``, ``exchange`` and ``bank`` are witnesses that
the system under drill cannot touch; ``oms`` and ``notices`` are the target's own statements about itself.
Money is integer yen; quantities are shares.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Side = Literal["buy", "sell"]

Action = Literal["login", "balances", "quote", "order", "cancel", "status", "repayment", "fetch"]
"""What a customer asks for."""


class Row(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """What every row of every book carries."""

    t_ns: int
    id: str
    account: str = ""
    key: str = ""


# -- world: the oracle's input, from the seed alone ---------------------------------------------------------------


class Account(Row, frozen=True, kw_only=True, tag="account"):
    """A customer's opening cash in yen."""

    cash: int


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


class Calendar(Row, frozen=True, kw_only=True, tag="calendar"):
    """The business day the drill plays on; ``id`` is the ISO date, ``next`` that of the business day after it.

    Trades of the day settle on ``settles``. Business time is ``begins`` (ISO 8601) when the load starts and runs
    ``compression`` times as fast from there. Of the night that follows, in business times of that day (``HH:MM``):
    its batch does not run before ``batch_at``, pages show ``next`` from ``rolls_at`` on, and by ``opening_at`` the jobs
    of ``must_run`` must be done, each after all before it; the last of them is the gate that lets the day be opened.
    Empty where nothing is known of the night.
    """

    opens_at: str
    compression: int
    next: str = ""
    settles: str = ""
    begins: str = ""
    batch_at: str = ""
    rolls_at: str = ""
    opening_at: str = ""
    must_run: tuple[str, ...] = ()


class Lot(Row, frozen=True, kw_only=True, tag="lot"):
    """One lot of a margin position: ``quantity`` shares of ``code`` that are marked to market each business day."""

    code: str
    quantity: int


class Close(Row, frozen=True, kw_only=True, tag="close"):
    """The price in yen at which lots are marked for a business day; ``id`` is ``CODE/DAY``."""

    code: str
    day: str
    close: int


class Loan(Row, frozen=True, kw_only=True, tag="loan"):
    """What an account owes at the start, in yen; ``id`` is the account."""

    principal: int


# -- customers: what was asked, answered, shown and done ----------------------------------------------------------


class Request(Row, frozen=True, kw_only=True, tag="request"):
    """A request left a customer. ``t_ns`` is when it was sent; ``root`` links re-typed orders to the first intent."""

    action: Action
    intended_ns: int
    root: str = ""
    code: str = ""
    side: Side | None = None
    quantity: int = 0
    price: int = 0
    yen: int = 0  # of a repayment
    final: bool = False  # asked after the load had ended, to learn what became of an unknown order


class Reply(Row, frozen=True, kw_only=True, tag="reply"):
    """What came back for the request of the same ``id``; status 0 when nothing came back."""

    action: Action
    status: int
    outcome: str
    order: str = ""
    state: str = ""
    error: str = ""


class Shown(Row, frozen=True, kw_only=True, tag="shown"):
    """A figure a customer was shown, with the window in which the system may have read it.

    ``as_of`` is the business date the figure was shown for, such as ``2026-11-02``.
    """

    figure: Literal["cash"]
    yen: int
    current: bool
    as_of: str
    sent_ns: int
    received_ns: int


class Acted(Row, frozen=True, kw_only=True, tag="acted"):
    """A customer relied on a figure (``shown`` is that row's id) for an amount of ``yen``."""

    shown: str
    yen: int
    what: Literal["order", "repayment"]


# -- exchange: its own book ---------------------------------------------------------------------------------------


class ExchangeOrder(Row, frozen=True, kw_only=True, tag="exchange-order"):
    """An order the exchange accepted; ``id`` is ClOrdID, ``key`` the customer's key that travelled with it."""

    code: str
    side: Side
    quantity: int
    price: int


class ExchangeExecution(Row, frozen=True, kw_only=True, tag="exchange-execution"):
    """A trade at the exchange; ``id`` is ExecID, ``order`` the ClOrdID."""

    order: str
    code: str
    side: Side
    quantity: int
    price: int


class ExchangeCancel(Row, frozen=True, kw_only=True, tag="exchange-cancel"):
    """The exchange cancelled what was left of the order ``id`` (ClOrdID)."""


# -- bank: its own book -------------------------------------------------------------------------------------------


class BankPayment(Row, frozen=True, kw_only=True, tag="bank-payment"):
    """A payment the bank decided on; ``id`` is the bank's own number, ``key`` the reference it was asked under."""

    yen: int
    state: Literal["booked", "rejected"]


# -- the target's own statements ----------------------------------------------------------------------------------


class OmsOrder(Row, frozen=True, kw_only=True, tag="oms-order"):
    """An order as the brokerage sees it; ``cl_ord_id`` is what it was last sent to the exchange as.

    ``passing_ns`` is when it last came into a state that must not last (0: when it was made), ``settled_ns`` when it
    came out of that (0: not since, or never told).
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


class OmsExecution(Row, frozen=True, kw_only=True, tag="oms-execution"):
    """An execution the brokerage has posted; ``id`` is ExecID, ``t_ns`` when the posting was committed."""

    order: str
    code: str
    side: Side
    quantity: int
    price: int


class Posting(Row, frozen=True, kw_only=True, tag="posting"):
    """One leg of a double entry: the legs of one ``reference`` sum to zero; ``account`` may be a house account.

    ``why`` is what it was posted for, ``day`` the business date it belongs to; empty where that says nothing.
    """

    reference: str
    yen: int
    why: Literal["", "trade", "variation", "repayment", "adjustment"] = ""
    day: str = ""


class Balance(Row, frozen=True, kw_only=True, tag="balance"):
    """Cash on an account as stored by the brokerage (opening cash included)."""

    cash: int


class BatchJob(Row, frozen=True, kw_only=True, tag="batch-job"):
    """One attempt at a job of the night batch; ``id`` is ``JOB/ATTEMPT``, ``ended_ns`` is 0 while it goes on.

    ``taken`` accounts (or trades) came in, ``given`` went out, ``rejected`` did not; attempts count from 1.
    """

    job: str
    state: str
    started_ns: int
    ended_ns: int
    taken: int
    given: int
    rejected: int
    attempt: int


class Marked(Row, frozen=True, kw_only=True, tag="marked"):
    """The account's lots were last marked to market for the business date ``day`` at ``t_ns``; one row an account."""

    day: str


class Adjustment(Row, frozen=True, kw_only=True, tag="adjustment"):
    """A correcting entry on an account with who asked for it and who approved it; ``reference`` is its postings'."""

    reference: str
    reason: str
    request: str
    approver: str
    yen: int


class Notice(Row, frozen=True, kw_only=True, tag="notice"):
    """An execution notice delivered to a customer; ``key`` is the ExecID, ``id`` names the delivered file."""


WorldRow = Account | Holding | Price | Calendar | Lot | Close | Loan
CustomerRow = Request | Reply | Shown | Acted
ExchangeRow = ExchangeOrder | ExchangeExecution | ExchangeCancel
OmsRow = OmsOrder | OmsExecution | Posting | Balance | BatchJob | Marked | Adjustment
AnyRow = WorldRow | CustomerRow | ExchangeRow | BankPayment | OmsRow | Notice

BOOKS: dict[str, type] = {
    "world": WorldRow,  # type: ignore[dict-item]  # a union is what msgspec decodes into
    "customers": CustomerRow,  # type: ignore[dict-item]
    "exchange": ExchangeRow,  # type: ignore[dict-item]
    "bank": BankPayment,
    "oms": OmsRow,  # type: ignore[dict-item]
    "notices": Notice,
}
"""Book name -> row type. Who may write which: world the runner, customers the load, exchange the exchange, bank the
bank, the rest the target."""

WITNESSES = ("customers", "exchange", "bank")
"""Books kept by parties that the fault cannot touch."""
