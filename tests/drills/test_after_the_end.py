"""The books are read after the load has stopped: what was done in between had not been done at the end.

What customers learned when they asked after it is the exception, and so is what was in flight within the grace.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from drills.domains.cash.rows import Posting
from drills.domains.customers.rows import Reply
from drills.domains.orders.facts import intents
from drills.domains.orders.rows import ExchangeExecution, ExchangeOrder, Notice, OmsOrder
from drills.judge.check import run_check
from drills.record.books import Row
from drills.record.history import History, Status

from . import synthetic as made
from .judging import CHECKS, instants, number, residuals
from .synthetic import END, Draft, at, change, correct, first

AFTER = END + 1.2
"""Before the books were read, after the observation had ended."""


def red(history: History) -> set[str]:
    return {name for name in made.CHECKS if run_check(CHECKS[name], history).status == Status.FAIL}


def trade_at(draft: Draft, t: float) -> ExchangeExecution:
    _, row = first(draft.exchange, ExchangeExecution, lambda row: row.t_ns > at(t))
    assert isinstance(row, ExchangeExecution)
    return row


def last_of_its_account(draft: Draft) -> ExchangeExecution:
    """Within the grace before the end; figures hold executions in their order, so nothing may come after it."""
    trades = [row for row in draft.exchange if isinstance(row, ExchangeExecution) and row.t_ns < at(END)]
    newest = {row.account: row for row in sorted(trades, key=lambda row: row.t_ns)}
    beyond = {row.account for row in draft.exchange if isinstance(row, ExchangeExecution) and row.t_ns >= at(END)}
    return next(row for row in newest.values() if row.t_ns > at(END - 1.4) and row.account not in beyond)


def put_off(rows: list[Row], trade: ExchangeExecution) -> None:
    """Whatever the rows tell of the execution was done after the end."""
    for place, row in enumerate(rows):
        if trade.id in {getattr(row, "reference", ""), row.id, row.key}:
            change(rows, place, t_ns=at(AFTER))


def posting(draft: Draft) -> None:
    trade = trade_at(draft, 10)
    put_off(draft.oms, trade)
    put_off(draft.notices, trade)


def delivery(draft: Draft) -> None:
    put_off(draft.notices, trade_at(draft, 10))


def settling(draft: Draft) -> None:
    place, _ = first(draft.oms, OmsOrder, lambda row: at(10) < row.t_ns < at(12))
    change(draft.oms, place, settled_ns=at(AFTER))


def balancing(draft: Draft) -> None:
    place, _ = first(draft.oms, Posting, lambda row: row.account == "HOUSE" and at(10) < row.t_ns < at(12))
    change(draft.oms, place, t_ns=at(AFTER))


def acceptance(draft: Draft) -> None:
    told = {row.key for row in draft.customers if isinstance(row, Reply) and row.state == "new"}
    place, _ = first(draft.exchange, ExchangeOrder, lambda row: row.key in told and at(2) < row.t_ns < at(6))
    change(draft.exchange, place, t_ns=at(AFTER))


@pytest.mark.parametrize(
    ("put", "speaks"),
    [
        (posting, {"executions-one-to-one", "nothing-left-behind", "figures-right", "notices-complete"}),
        (delivery, {"notices-complete", "nothing-left-behind"}),
        (settling, {"orders-accounted", "nothing-left-behind"}),
        (balancing, {"cash-conserved"}),
        (acceptance, {"orders-accounted"}),
    ],
)
def test_what_was_done_after_the_end_was_not_done(put: Callable[[Draft], None], speaks: set[str]) -> None:
    draft = correct(7, effect=False)
    assert red(draft.history()) == set()
    put(draft)
    assert red(draft.history()) == speaks


@pytest.mark.parametrize("put", [posting, delivery])
def test_nor_was_it_reconciled(put: Callable[[Draft], None]) -> None:
    draft = correct(7, effect=False)
    put(draft)
    found = instants(draft.history())
    assert (found.reconciled.at, found.reconciled.not_needed, found.recovered.at) == (None, False, None)


def test_the_card_counts_what_was_not_there() -> None:
    draft = correct(7, effect=False)
    acceptance(draft)
    assert number(draft.history(), "acknowledged_orders_lost") == 1
    draft = correct(7, effect=False)
    balancing(draft)
    assert number(draft.history(), "unbalanced_yen")


def test_in_flight_within_the_grace_is_not_red() -> None:
    draft = correct(7, effect=False)
    trade = last_of_its_account(draft)
    put_off(draft.oms, trade)
    put_off(draft.notices, trade)
    place, _ = first(draft.oms, OmsOrder, lambda row: row.t_ns > at(END - 2.4))
    change(draft.oms, place, settled_ns=at(AFTER))
    place, _ = first(draft.oms, Posting, lambda row: row.account == "HOUSE" and at(END - 1) < row.t_ns < at(END))
    change(draft.oms, place, t_ns=at(AFTER))
    assert red(draft.history()) == set()


def test_a_cancel_asked_for_at_the_last_moment_is_in_flight_however_old_its_order() -> None:
    draft = correct(7, effect=False)
    place, _ = first(draft.oms, OmsOrder, lambda row: at(10) < row.t_ns < at(12) and row.filled == 0)
    change(draft.oms, place, state="pending-cancel", passing_ns=at(END - 0.5))
    assert [left.id for left in residuals(draft.history()) if left.bad] == []
    change(draft.oms, place, passing_ns=at(END - 3))
    assert [(left.id, left.bad) for left in residuals(draft.history()) if left.bad] == [("left.orders", 1)]


def test_what_was_done_wrong_after_the_end_is_not_counted_either() -> None:
    draft = correct(7, effect=False)
    trade = trade_at(draft, 10)
    _, told = first(draft.notices, Notice, lambda row: row.key == trade.id)
    draft.notices.append(msgspec.structs.replace(told, id="again.json", t_ns=at(AFTER)))
    draft.oms += [
        msgspec.structs.replace(leg, id=f"{leg.id}-again") for leg in made.legs(trade.id, "C-0001", 0, at(AFTER))
    ]
    history = draft.history()
    assert red(history) == set()
    assert number(history, "duplicated") == 0


def test_orders_filled_after_the_end_are_filled_by_what_was_posted_after_it() -> None:
    """State and fills of an order are as old as the reading: neither side may be cut off at the end alone."""
    draft = correct(7, effect=False)
    trade = trade_at(draft, END - 1)
    put_off(draft.oms, trade)
    assert "executions-one-to-one" not in red(draft.history())


def test_what_customers_learn_after_the_end_decides() -> None:
    draft = correct(7, effect=False)
    key = draft.row()
    made._ask(draft, "C-0001", key, key, 10, 12, made.RequestOutcome.TIMEOUT, 0)
    assert intents(draft.history())[key].told == "unknown"
    made._look(draft, "C-0001", key, AFTER, "", error="NO_SUCH_ORDER", final=True)
    history = draft.history()
    assert intents(history)[key].told == "refused"
    assert red(history) == set()
