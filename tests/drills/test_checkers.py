"""What a checker must not take for a defect, and how it words what it found; defects stand in ``defects.py``."""

from __future__ import annotations

import re

import msgspec
import pytest

from drills.cards import score
from drills.domains.cash.rows import Balance
from drills.domains.figures.rows import Acted
from drills.domains.orders import facts as orders
from drills.domains.orders.rows import ExchangeCancel, ExchangeExecution, ExchangeOrder, Notice, OmsExecution, OmsOrder
from drills.judge.check import run_check
from drills.record.history import NS, RequestOutcome, Status

from . import synthetic as made
from .judging import CHECKS, run_checks
from .synthetic import END, Draft, at, change, correct, first
from .words import limits_of
from .words import said as said_of


def test_service_left_closed_is_left_behind() -> None:
    draft = correct(1)
    draft.spoil("orders", END - 1, END, RequestOutcome.CLOSED)
    history = draft.history()
    last = max(sample[0] for sample in draft.samples if sample[4] == 0 and sample[0] < at(END))
    verdict = run_check(CHECKS["nothing-left-behind"], history)
    assert (verdict.status, said_of(verdict)) == (Status.FAIL, "1 of 2 services still closed")
    assert [history.samples.intended[int(place.partition(":")[2])] for place in verdict.evidence] == [last]


def test_what_is_left_behind_is_counted_by_kind() -> None:
    draft = correct(1)
    trades = [row for row in draft.exchange if isinstance(row, ExchangeExecution) and row.t_ns < at(5)][:3]
    gone = {row.id for row in trades}
    draft.notices = [row for row in draft.notices if row.key not in gone]
    draft.oms = [row for row in draft.oms if row.id != trades[0].id]
    verdict = run_check(CHECKS["nothing-left-behind"], draft.history())
    assert re.fullmatch(r"1 of (\d+) executions not posted; 2 of \1 notices not sent", said_of(verdict))
    assert len(verdict.evidence) == 3


def old_trade(draft: Draft) -> tuple[int, ExchangeExecution]:
    """An execution well before the fault."""
    return first(draft.exchange, ExchangeExecution, lambda row: at(3) < row.t_ns < at(5))


# -- what must not be taken for a defect ------------------------------------------------------------------------------


def test_order_typed_again_after_the_first_was_cancelled_is_no_duplicate() -> None:
    draft = correct(1)
    dead = {row.id for row in draft.exchange if isinstance(row, ExchangeCancel)}
    _, order = first(draft.exchange, ExchangeOrder, lambda row: row.id in dead and row.t_ns < at(END - 5))
    (cancel,) = (row for row in draft.exchange if isinstance(row, ExchangeCancel) and row.id == order.id)
    draft.exchange.append(msgspec.structs.replace(order, id="x-99", t_ns=cancel.t_ns + NS // 10, key=order.key))
    assert run_check(CHECKS["no-duplicates"], draft.history()).status == Status.PASS


def test_orders_and_executions_in_flight_at_the_end_are_no_defect() -> None:
    draft = correct(1)
    _, order = first(draft.oms, OmsOrder)
    _, there = first(draft.exchange, ExchangeOrder, lambda row: row.key == order.key)
    for state, t in (("pending-new", END - 2.4), ("pending-cancel", END - 0.1)):
        fields = {"id": f"o-{state}", "key": state, "t_ns": at(t), "state": state, "filled": 0}
        draft.oms.append(msgspec.structs.replace(order, **fields))
    made._ask(
        draft, order.account, "pending-cancel", "pending-cancel", END - 0.2, END, RequestOutcome.OK, 201, made.TERMS
    )
    asked = {"id": "x-99", "key": "pending-cancel", "t_ns": at(END - 0.1), **made.TERMS}
    draft.exchange.append(msgspec.structs.replace(there, **asked))
    change(draft.oms, len(draft.oms) - 1, **made.TERMS)
    _, trade = first(draft.exchange, ExchangeExecution)
    draft.exchange.append(msgspec.structs.replace(trade, id="e-99", account="C-9999", t_ns=at(END - 1.4)))
    assert [c.id for c, verdict in run_checks(draft.history()) if verdict.status == Status.FAIL] == []


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ((RequestOutcome.CLOSED,), "closed"),
        ((RequestOutcome.REFUSED,), "closed"),
        (
            (RequestOutcome.TIMEOUT, RequestOutcome.CLOSED),
            "unknown",
        ),  # a closed door does not say that the first is not in
        ((RequestOutcome.CLOSED, RequestOutcome.TIMEOUT), "unknown"),
        ((RequestOutcome.TIMEOUT, RequestOutcome.REJECT), "refused"),
        ((RequestOutcome.OK, RequestOutcome.REJECT), "accepted"),
        ((RequestOutcome.TIMEOUT, RequestOutcome.OK), "accepted"),
        ((RequestOutcome.ERROR,), "unknown"),
    ],
)
def test_last_word_on_an_order(answers: tuple[RequestOutcome, ...], told: str) -> None:
    draft = correct(1)
    draft.customers = []
    for n, outcome in enumerate(answers):
        made._ask(draft, "C-0001", "k", "k", 10 + n, 10.5 + n, outcome, 0)
    assert orders.intents(draft.history())["k"].told == told


def test_late_notice_is_loss_and_no_integrity_failure() -> None:
    draft = correct(1)
    _, trade = old_trade(draft)
    place, _notice = first(draft.notices, Notice, lambda row: row.key == trade.id)
    change(draft.notices, place, t_ns=trade.t_ns + 11 * NS)
    history = draft.history()
    assert run_check(CHECKS["notices-complete"], history).status == Status.PASS
    assert score(history, None).number("late_notices") == 1


def test_wrong_figure_marked_not_current_is_not_wrong() -> None:
    draft = correct(1)
    draft.customers.append(made.shown(draft.row(), "C-0001", END - 2, 1, current=False))
    assert run_check(CHECKS["figures-right"], draft.history()).status == Status.PASS


def test_action_on_a_wrong_figure_before_the_first_step_is_loss_but_not_against_the_runbook() -> None:
    draft = correct(1)
    draft.customers.append(made.shown("w-1", "C-0001", 8.0, 1))
    draft.customers.append(Acted(t_ns=at(8.05), id="a-1", account="C-0001", shown="w-1", yen=5, what="order"))
    history = draft.history()
    assert run_check(CHECKS["no-wrong-figure-acted-on"], history).status == Status.PASS
    card = score(history, None)
    assert card.number("wrong_figures_acted_on") == 1
    assert [o.measured for o in card.objectives if o.id == "wrong_figures_acted_on.after_first_step"] == [(0.0, 0.0)]
    assert card.number("affected_yen") == 5
    assert card.number("wrong_figures_acted_on", "after_alert") == 0


def test_figure_of_an_account_the_world_does_not_know_is_undecidable() -> None:
    draft = correct(1)
    draft.customers.append(made.shown(draft.row(), "C-9999", END - 2, 1))
    history = draft.history()
    assert run_check(CHECKS["figures-right"], history).status == Status.PASS
    assert score(history, None).number("undecidable_figures") == 1


def test_what_happens_after_the_end_is_not_judged() -> None:
    """While the books are read the market goes on: orders, executions and figures of that time are nobody's fault."""
    draft = correct(1)
    draft.exchange.append(
        ExchangeOrder(
            t_ns=at(END + 1), id="x-99", account="C-0001", key="k-99", code="7203", side="buy", quantity=100, price=9
        )
    )
    draft.oms.append(
        OmsExecution(
            t_ns=at(END + 1), id="e-99", account="C-0001", order="o-99", code="7203", side="buy", quantity=1, price=9
        )
    )
    draft.oms += made.legs("e-99", "C-0001", -9, at(END + 1))
    place, balance = first(draft.oms, Balance, lambda row: row.account == "C-0001")
    change(draft.oms, place, cash=balance.cash - 9)
    draft.customers.append(made.shown(draft.row(), "C-0001", END + 1, 1))
    assert score(draft.history(), None).verdict == Status.PASS


def test_evidence_is_cut_but_the_count_is_not() -> None:
    draft = correct(1)
    draft.notices = []
    verdict = run_check(CHECKS["notices-complete"], draft.history())
    due = sum(isinstance(r, ExchangeExecution) and r.t_ns <= at(END) - 10 * NS for r in draft.exchange)
    assert said_of(verdict).startswith(f"{due} of {due} executions without notice")
    assert len(verdict.evidence) == 20


def test_empty_domain_passes_and_says_so() -> None:
    draft = correct(1)
    draft.exchange, draft.notices = [], []
    draft.oms = [row for row in draft.oms if isinstance(row, Balance)]
    draft.customers = []
    verdict = run_check(CHECKS["notices-complete"], draft.history())
    assert (verdict.status, said_of(verdict)) == (Status.PASS, "0 of 0, not exercised")
    assert "notices-complete: 0 of 0, not exercised" in limits_of(score(draft.history(), None))
