"""Each checker of the books is silent on correct histories, and finds the one defect planted in a correct one."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills import books
from drills.checkers import CHECKS, NOT_EXERCISED, rule, rule_all
from drills.history import NS, History, Outcome, Ruling
from drills.judging import orders
from drills.score import score

from . import synthetic as made
from .synthetic import END, Draft, at, change, correct, first

ARMS = st.sampled_from(["runbook", "no-fault", "false-alarm", "no-action"])
TAKEN = (Ruling.PASS, Ruling.NOT_APPLICABLE)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), arm=ARMS, effect=st.booleans())
def test_every_checker_is_silent_on_a_correct_history(seed: int, arm: str, effect: bool) -> None:
    history = correct(seed, arm, effect).history()
    loud = {check.id: verdict.says for check, verdict in rule_all(history) if verdict.ruling not in TAKEN}
    assert loud == {}


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), arm=ARMS, effect=st.booleans())
def test_a_correct_history_passes_as_a_whole(seed: int, arm: str, effect: bool) -> None:
    card = score(correct(seed, arm, effect).history(), None)
    assert (card.verdict, card.grade) == (Ruling.PASS, "performed")
    assert card.loss.acknowledged_orders.exposed


# -- planted defects: each returns the row that gives it away ---------------------------------------------------------


def old_trade(draft: Draft) -> tuple[int, books.ExchangeExecution]:
    """An execution well before the fault."""
    return first(draft.exchange, books.ExchangeExecution, lambda row: at(3) < row.t_ns < at(5))


def acknowledged(draft: Draft) -> books.Reply:
    _, reply = first(draft.customers, books.Reply, lambda row: row.state == "new" and row.t_ns < at(5))
    assert isinstance(reply, books.Reply)
    return reply


def lose_an_order(draft: Draft) -> object:
    reply = acknowledged(draft)
    draft.exchange = [row for row in draft.exchange if row.key != reply.key]
    return reply


def forget_an_order(draft: Draft) -> object:
    reply = acknowledged(draft)
    draft.oms = [row for row in draft.oms if not (isinstance(row, books.OmsOrder) and row.key == reply.key)]
    return reply


def invent_an_order(draft: Draft) -> object:
    order = books.ExchangeOrder(
        t_ns=at(9), id="x-99", account="C-0001", key="k-99", code="7203", side="buy", quantity=100, price=1000
    )
    draft.exchange.append(order)
    return order


def execute_a_rejected_order(draft: Draft) -> object:
    _, reply = first(draft.customers, books.Reply, lambda row: row.outcome == "reject" and row.action == "order")
    order = books.ExchangeOrder(
        t_ns=reply.t_ns, id="x-99", account=reply.account, key=reply.key, code="7203", side="buy", quantity=100, price=9
    )
    draft.exchange.append(order)
    return order


def execute_an_order_told_never_received(draft: Draft) -> object:
    """In doubt, asked, told that there is no such order; and the exchange has it."""
    _, reply = first(draft.customers, books.Reply, lambda row: row.error == "NO_SUCH_ORDER" and row.t_ns < at(END))
    order = books.ExchangeOrder(
        t_ns=reply.t_ns, id="x-99", account=reply.account, key=reply.key, code="7203", side="buy", quantity=100, price=9
    )
    draft.exchange.append(order)
    return order


def leave_an_order_in_doubt(draft: Draft) -> object:
    place, _order = first(draft.oms, books.OmsOrder, lambda row: row.t_ns < at(5))
    change(draft.oms, place, state="unknown")
    return draft.oms[place]


def leave_a_customer_in_doubt(draft: Draft) -> object:
    place, reply = first(draft.customers, books.Reply, lambda row: row.action == "order" and row.t_ns < at(5))
    change(draft.customers, place, state="unknown", outcome="unknown", status=504)
    made._look(draft, reply.account, reply.key, END + 1, "unknown", final=True)
    _, request = first(draft.customers, books.Request, lambda row: row.id == reply.id)
    draft.exchange = [row for row in draft.exchange if row.key != reply.key]
    return request


def miss_an_execution(draft: Draft) -> object:
    _, trade = old_trade(draft)
    draft.oms = [row for row in draft.oms if row.id != trade.id and getattr(row, "reference", "") != trade.id]
    return trade


def invent_an_execution(draft: Draft) -> object:
    _, row = first(draft.oms, books.OmsExecution, lambda row: row.t_ns < at(5))
    draft.oms.append(msgspec.structs.replace(row, id="e-99"))
    return draft.oms[-1]


def garble_an_execution(draft: Draft) -> object:
    place, row = first(draft.oms, books.OmsExecution, lambda row: row.t_ns < at(5))
    change(draft.oms, place, price=row.price + 1)
    return draft.oms[place]


def order_twice_with_one_key(draft: Draft) -> object:
    _, order = first(draft.exchange, books.ExchangeOrder)
    again = msgspec.structs.replace(order, id="x-99", t_ns=order.t_ns + NS)
    draft.exchange.append(again)
    return again


def order_twice_with_one_intent(draft: Draft) -> object:
    """A re-typed order is another order to the system, and the same one to the customer."""
    _, order = first(draft.exchange, books.ExchangeOrder)
    made._ask(draft, order.account, f"{order.key}r", order.key, 4, 4.1, Outcome.OK, 201, state="new")
    again = msgspec.structs.replace(order, id="x-99", t_ns=at(4.05), key=f"{order.key}r")
    draft.exchange.append(again)
    _in_oms_like(draft, order.key, again.key)
    return again


def store_an_order_twice(draft: Draft) -> object:
    _, order = first(draft.oms, books.OmsOrder)
    draft.oms.append(msgspec.structs.replace(order, id="o-99", t_ns=order.t_ns + 1))
    return draft.oms[-1]


def post_twice(draft: Draft) -> object:
    _, trade = old_trade(draft)
    again = made.legs(trade.id, trade.account, -trade.quantity * trade.price, trade.t_ns + 2 * NS)
    draft.oms += again
    place, balance = first(draft.oms, books.Balance, lambda row: row.account == trade.account)
    change(draft.oms, place, cash=balance.cash + again[0].yen)
    return again[0]


def notify_twice(draft: Draft) -> object:
    _, row = first(draft.notices, books.Notice)
    draft.notices.append(books.Notice(t_ns=row.t_ns + NS, id="again.json", key=row.key, account=row.account))
    return draft.notices[-1]


def post_one_leg_wrong(draft: Draft) -> object:
    place, row = first(draft.oms, books.Posting, lambda row: row.account == "HOUSE" and row.t_ns < at(5))
    change(draft.oms, place, yen=row.yen + 1)
    return draft.oms[place]


def move_a_balance(draft: Draft) -> object:
    place, row = first(draft.oms, books.Balance)
    change(draft.oms, place, cash=row.cash - 1)
    return draft.oms[place]


def drop_a_balance(draft: Draft) -> object:
    place, row = first(draft.oms, books.Balance)
    del draft.oms[place]
    return next(account for account in draft.world if account.id == row.id)


def skip_a_notice(draft: Draft) -> object:
    _, trade = old_trade(draft)
    draft.notices = [row for row in draft.notices if row.key != trade.id]
    return trade


def invent_a_notice(draft: Draft) -> object:
    draft.notices.append(books.Notice(t_ns=at(10), id="e-99.json", key="e-99", account="C-0001"))
    return draft.notices[-1]


def notify_a_stranger(draft: Draft) -> object:
    place, row = first(draft.notices, books.Notice)
    change(draft.notices, place, account="C-0020" if row.account != "C-0020" else "C-0019")
    return draft.notices[place]


def show_a_wrong_figure_at_the_end(draft: Draft) -> object:
    draft.customers.append(made.shown(draft.row(), "C-0001", END - 2, 1))
    return draft.customers[-1]


def forget_a_movement(draft: Draft) -> object:
    """An execution never posted: conserved in itself, and wrong by the exchange's book."""
    _, trade = old_trade(draft)
    (leg,) = (row for row in draft.oms if getattr(row, "reference", "") == trade.id and row.account == trade.account)
    draft.oms = [row for row in draft.oms if row.id != trade.id and getattr(row, "reference", "") != trade.id]
    place, balance = first(draft.oms, books.Balance, lambda row: row.account == trade.account)
    change(draft.oms, place, cash=balance.cash - leg.yen)
    return draft.oms[place]


def act_on_a_wrong_figure(draft: Draft) -> object:
    draft.customers.append(made.shown("w-1", "C-0001", 20, 1))
    draft.customers.append(books.Acted(t_ns=at(20.1), id="a-1", account="C-0001", shown="w-1", yen=5, what="order"))
    return draft.customers[-1]


def leave_a_service_closed(draft: Draft) -> object:
    draft.spoil("orders", END - 1, END, Outcome.CLOSED)
    return max(sample[0] for sample in draft.samples if sample[4] == 0 and sample[0] < at(END))


def leave_balances_marked(draft: Draft) -> object:
    draft.customers.append(made.shown(draft.row(), "C-0001", END - 0.007, 1, current=False))
    return draft.customers[-1]


def _in_oms_like(draft: Draft, key: str, new: str) -> None:
    _, order = first(draft.oms, books.OmsOrder, lambda row: row.key == key)
    draft.oms.append(msgspec.structs.replace(order, id=f"o-{new}", key=new, state="new"))


PLANTS: list[tuple[str, Callable[[Draft], object]]] = [
    ("orders-accounted", lose_an_order),
    ("orders-accounted", forget_an_order),
    ("orders-accounted", invent_an_order),
    ("orders-accounted", execute_a_rejected_order),
    ("orders-accounted", execute_an_order_told_never_received),
    ("orders-accounted", leave_an_order_in_doubt),
    ("orders-accounted", leave_a_customer_in_doubt),
    ("executions-one-to-one", miss_an_execution),
    ("executions-one-to-one", invent_an_execution),
    ("executions-one-to-one", garble_an_execution),
    ("no-duplicates", order_twice_with_one_key),
    ("no-duplicates", order_twice_with_one_intent),
    ("no-duplicates", store_an_order_twice),
    ("no-duplicates", post_twice),
    ("no-duplicates", notify_twice),
    ("cash-conserved", post_one_leg_wrong),
    ("cash-conserved", move_a_balance),
    ("cash-conserved", drop_a_balance),
    ("notices-complete", skip_a_notice),
    ("notices-complete", notify_twice),
    ("notices-complete", invent_a_notice),
    ("notices-complete", notify_a_stranger),
    ("figures-right", show_a_wrong_figure_at_the_end),
    ("figures-right", forget_a_movement),
    ("no-wrong-figure-acted-on", act_on_a_wrong_figure),
    ("nothing-left-behind", leave_an_order_in_doubt),
    ("nothing-left-behind", miss_an_execution),
    ("nothing-left-behind", skip_a_notice),
    ("nothing-left-behind", leave_a_service_closed),
    ("nothing-left-behind", leave_balances_marked),
]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("check", "plant"), PLANTS, ids=[f"{check}-{plant.__name__}" for check, plant in PLANTS])
def test_planted_defect_is_found_and_shown(check: str, plant: Callable[[Draft], object], seed: int) -> None:
    draft = correct(seed)
    row = plant(draft)
    history = draft.history()
    verdict = rule(CHECKS[check], history)
    assert verdict.ruling == Ruling.FAIL
    assert verdict.evidence
    assert row in [at_evidence(history, place) for place in verdict.evidence]
    assert score(history, None).verdict == Ruling.FAIL


def at_evidence(history: History, place: str) -> object:
    book, _, index = place.partition(":")
    return history.samples.intended[int(index)] if book == "samples" else history.books[book][int(index)]


def test_forgotten_movement_is_seen_by_the_exchanges_book_alone() -> None:
    draft = correct(1)
    forget_a_movement(draft)
    assert rule(CHECKS["cash-conserved"], draft.history()).ruling == Ruling.PASS


# -- what must not be taken for a defect ------------------------------------------------------------------------------


def test_order_typed_again_after_the_first_was_cancelled_is_no_duplicate() -> None:
    draft = correct(1)
    dead = {row.id for row in draft.exchange if isinstance(row, books.ExchangeCancel)}
    _, order = first(draft.exchange, books.ExchangeOrder, lambda row: row.id in dead and row.t_ns < at(END - 5))
    (cancel,) = (row for row in draft.exchange if isinstance(row, books.ExchangeCancel) and row.id == order.id)
    draft.exchange.append(msgspec.structs.replace(order, id="x-99", t_ns=cancel.t_ns + NS // 10, key=order.key))
    assert rule(CHECKS["no-duplicates"], draft.history()).ruling == Ruling.PASS


def test_orders_and_executions_in_flight_at_the_end_are_no_defect() -> None:
    draft = correct(1)
    _, order = first(draft.oms, books.OmsOrder)
    for state, t in (("pending-new", END - 2.4), ("pending-cancel", END - 0.1)):
        draft.oms.append(msgspec.structs.replace(order, id=f"o-{state}", key=state, t_ns=at(t), state=state))
    _, trade = first(draft.exchange, books.ExchangeExecution)
    draft.exchange.append(msgspec.structs.replace(trade, id="e-99", account="C-9999", t_ns=at(END - 1.4)))
    assert [c.id for c, verdict in rule_all(draft.history()) if verdict.ruling == Ruling.FAIL] == []


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ((Outcome.CLOSED,), "closed"),
        ((Outcome.REFUSED,), "closed"),
        ((Outcome.TIMEOUT, Outcome.CLOSED), "unknown"),  # a closed door does not say that the first is not in
        ((Outcome.CLOSED, Outcome.TIMEOUT), "unknown"),
        ((Outcome.TIMEOUT, Outcome.REJECT), "refused"),
        ((Outcome.OK, Outcome.REJECT), "accepted"),
        ((Outcome.TIMEOUT, Outcome.OK), "accepted"),
        ((Outcome.ERROR,), "unknown"),
    ],
)
def test_last_word_on_an_order(answers: tuple[Outcome, ...], told: str) -> None:
    draft = correct(1)
    draft.customers = []
    for n, outcome in enumerate(answers):
        made._ask(draft, "C-0001", "k", "k", 10 + n, 10.5 + n, outcome, 0)
    assert orders.intents(draft.history())["k"].told == told


def test_late_notice_is_loss_and_no_integrity_failure() -> None:
    draft = correct(1)
    _, trade = old_trade(draft)
    place, _notice = first(draft.notices, books.Notice, lambda row: row.key == trade.id)
    change(draft.notices, place, t_ns=trade.t_ns + 11 * NS)
    history = draft.history()
    assert rule(CHECKS["notices-complete"], history).ruling == Ruling.PASS
    assert score(history, None).loss.late_notices == 1


def test_wrong_figure_marked_not_current_is_not_wrong() -> None:
    draft = correct(1)
    draft.customers.append(made.shown(draft.row(), "C-0001", END - 2, 1, current=False))
    assert rule(CHECKS["figures-right"], draft.history()).ruling == Ruling.PASS


def test_action_on_a_wrong_figure_before_the_first_step_is_loss_but_not_against_the_runbook() -> None:
    draft = correct(1)
    draft.customers.append(made.shown("w-1", "C-0001", 8.0, 1))
    draft.customers.append(books.Acted(t_ns=at(8.05), id="a-1", account="C-0001", shown="w-1", yen=5, what="order"))
    history = draft.history()
    assert rule(CHECKS["no-wrong-figure-acted-on"], history).ruling == Ruling.PASS
    card = score(history, None)
    assert card.loss.wrong_figures_acted_on == 1
    assert [o.measured for o in card.objectives if o.id == "wrong_figures_acted_on"] == [(0.0, 0.0)]
    assert card.loss.yen_to_restore == 5
    assert card.loss.after_alert is not None
    assert card.loss.after_alert.wrong_figures_acted_on == 0


def test_figure_of_an_account_the_world_does_not_know_is_undecidable() -> None:
    draft = correct(1)
    draft.customers.append(made.shown(draft.row(), "C-9999", END - 2, 1))
    history = draft.history()
    assert rule(CHECKS["figures-right"], history).ruling == Ruling.PASS
    assert score(history, None).loss.undecidable_figures == 1


def test_what_happens_after_the_end_is_not_judged() -> None:
    """While the books are read the market goes on: orders, executions and figures of that time are nobody's fault."""
    draft = correct(1)
    draft.exchange.append(
        books.ExchangeOrder(
            t_ns=at(END + 1), id="x-99", account="C-0001", key="k-99", code="7203", side="buy", quantity=100, price=9
        )
    )
    draft.oms.append(
        books.OmsExecution(
            t_ns=at(END + 1), id="e-99", account="C-0001", order="o-99", code="7203", side="buy", quantity=1, price=9
        )
    )
    draft.oms += made.legs("e-99", "C-0001", -9, at(END + 1))
    place, balance = first(draft.oms, books.Balance, lambda row: row.account == "C-0001")
    change(draft.oms, place, cash=balance.cash - 9)
    draft.customers.append(made.shown(draft.row(), "C-0001", END + 1, 1))
    assert score(draft.history(), None).verdict == Ruling.PASS


def test_evidence_is_cut_but_the_count_is_not() -> None:
    draft = correct(1)
    draft.notices = []
    verdict = rule(CHECKS["notices-complete"], draft.history())
    due = sum(isinstance(r, books.ExchangeExecution) and r.t_ns <= at(END) - 10 * NS for r in draft.exchange)
    assert verdict.says.startswith(f"{due} of {due} executions without notice")
    assert len(verdict.evidence) == 20


def test_empty_domain_passes_and_says_so() -> None:
    draft = correct(1)
    draft.exchange, draft.notices = [], []
    draft.oms = [row for row in draft.oms if isinstance(row, books.Balance)]
    draft.customers = []
    verdict = rule(CHECKS["notices-complete"], draft.history())
    assert (verdict.ruling, verdict.says) == (Ruling.PASS, NOT_EXERCISED)
    assert f"notices-complete: {NOT_EXERCISED}" in score(draft.history(), None).limits
