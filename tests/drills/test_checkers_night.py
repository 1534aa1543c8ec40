"""Known answers about a night: what its figures may hold, and what its checkers say where they are not simply right."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from drills.domains.cash.rows import Balance, BankPayment, Posting
from drills.domains.customers.rows import Request
from drills.domains.figures import oracle
from drills.domains.figures.rows import Shown
from drills.domains.night import calendar as nights_of
from drills.domains.night.rows import BatchJob, Calendar, Close, Lot
from drills.domains.orders.rows import ExchangeExecution
from drills.record.history import NS, History, Kind, RequestOutcome, Status

from . import nights
from .nights import APART, BEFORE, BEGINS, DAY, OPENS, ROLLS, correct_night
from .synthetic import END, Draft, asked, at, change, ended, first, legs, shown
from .words import said as said_of

OPENING = 10_000_000
MINE = "C-0001"
VARIATION = 100 * -31
PAID = 5_007


def quiet(*rows: Shown, bank: tuple[BankPayment, ...] = (), effect: bool = True) -> Draft:
    """A night without trades in which one account holds one lot."""
    draft = correct_night(1, effect=effect)
    draft.world = [row for row in draft.world if not isinstance(row, Lot)]
    draft.world.append(Lot(t_ns=0, id="L-1", account=MINE, code="7203", quantity=100))
    draft.exchange, draft.customers, draft.bank = [], list(rows), list(bank)
    return draft


def figure(t: float, moved: int, as_of: str = BEFORE, account: str = MINE) -> Shown:
    return msgspec.structs.replace(shown(f"f-{t}", account, t, OPENING + moved), as_of=as_of)


def judged(history: History) -> tuple[bool, bool]:
    (one,) = oracle.figures(history)
    return one.wrong, one.undecidable


def test_instants_of_the_night_are_those_of_the_calendar_on_the_run_s_clock() -> None:
    night = nights_of.night(quiet().history())
    assert night is not None
    assert (night.before, night.day, night.jobs) == (BEFORE, DAY, nights.JOBS)
    assert (night.begins, night.rolls, night.opens) == (at(BEGINS), at(ROLLS), at(OPENS))


@pytest.mark.parametrize("blank", ["begins", "batch_at", "load"])
def test_what_cannot_be_dated_is_not_dated(blank: str) -> None:
    draft = quiet(figure(BEGINS + 1, VARIATION))
    if blank == "load":
        draft.events = [event for event in draft.events if event[1] != "load"]
    else:
        n, _ = first(draft.world, Calendar)
        change(draft.world, n, **{blank: ""})
    night = nights_of.night(draft.history())
    assert night is not None
    assert night.begins is None
    assert judged(draft.history()) == (True, False)


# -- figures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("t", "as_of", "moved", "wrong"),
    [
        (BEGINS - 0.1, BEFORE, 0, False),
        (BEGINS - 0.1, BEFORE, VARIATION, True),  # before the batch may run
        (BEGINS, BEFORE, VARIATION, False),  # received at 8.006
        (ROLLS - 1, BEFORE, 0, False),
        (ROLLS - 1, BEFORE, VARIATION, False),
        (ROLLS - 1, BEFORE, 2 * VARIATION, True),
        (ROLLS + 0.1, DAY, 0, True),  # it says it is of the new date
        (ROLLS + 0.1, DAY, VARIATION, False),
        (ROLLS + 0.1, BEFORE, 0, False),  # the page rolls within the grace
        (ROLLS + 1.6, BEFORE, 0, True),  # it should have
        (ROLLS + 1.6, BEFORE, VARIATION, False),
        (BEGINS - 1, DAY, VARIATION, False),  # what it says counts
        (BEGINS - 1, DAY, 0, True),
    ],
)
def test_variation_is_in_a_figure_when_it_may_and_must_be(t: float, as_of: str, moved: int, wrong: bool) -> None:
    assert judged(quiet(figure(t, moved, as_of)).history()) == (wrong, False)


def test_account_without_lots_is_moved_by_nothing() -> None:
    for t, moved, wrong in ((12, 0, False), (20, 0, False), (20, VARIATION, True)):
        assert judged(quiet(figure(t, moved, DAY if t > ROLLS else BEFORE, "C-0002")).history()) == (wrong, False)


@pytest.mark.parametrize(
    ("t", "moved", "wrong"),
    [
        (3.49, -PAID, True),  # received at 3.496: booked more than the grace later
        (3.5, -PAID, False),  # taken, and not yet booked
        (3.5, 0, False),
        (6.49, 0, False),
        (6.5, 0, True),  # sent at 6.501: booked more than the grace ago
        (6.5, -PAID, False),
    ],
)
def test_repayment_may_be_in_a_figure_before_the_bank_has_booked_it(t: float, moved: int, wrong: bool) -> None:
    paid = nights.payment("R-1", MINE, PAID, 5.0)
    assert judged(quiet(figure(t, moved), bank=(paid,)).history()) == (wrong, False)


@pytest.mark.parametrize(("t", "moved", "wrong"), [(5.1, -PAID, False), (5.1, 0, False), (6.6, -PAID, True)])
def test_rejected_repayment_may_be_out_of_a_figure_for_a_while(t: float, moved: int, wrong: bool) -> None:
    paid = nights.payment("R-1", MINE, PAID, 5.0, "rejected")
    assert judged(quiet(figure(t, moved), bank=(paid,)).history()) == (wrong, False)


def test_repayments_and_executions_each_have_a_prefix_of_their_own() -> None:
    draft = quiet(figure(5.2, -PAID - 1000), bank=(nights.payment("R-1", MINE, PAID, 5.0),))
    terms: dict[str, Any] = {"account": MINE, "order": "x", "code": "7203", "side": "buy", "quantity": 1}
    draft.exchange = [ExchangeExecution(t_ns=at(4.9), id="e-1", price=1000, **terms)]
    assert judged(draft.history()) == (False, False)


def test_repayments_without_a_book_of_the_bank_are_undecidable_from_then_on() -> None:
    said: dict[str, Any] = {"account": MINE, "key": "r", "action": "repayment"}
    for t, undecidable in ((4, False), (6, True)):
        draft = quiet(figure(t, 1 if undecidable else 0))
        draft.customers.append(Request(t_ns=at(5), id="r-1", intended_ns=at(5), yen=PAID, **said))
        assert judged(draft.history(without="bank")) == (False, undecidable)


def test_balances_of_whom_nobody_can_tell_are_unknown() -> None:
    history = correct_night(1).history(without="bank")
    verdict = asked("figures-right", history)
    paying = {row.account for row in history.books["customers"] if getattr(row, "action", "") == "repayment"}
    says = f"of {len(paying)} of 20 balances nobody can tell what they should be"
    assert (verdict.status, said_of(verdict)) == (Status.UNKNOWN, says)
    assert len(verdict.evidence) == len(paying)


def test_variation_without_a_price_is_undecidable_once_it_may_be_in() -> None:
    for t, undecidable in ((BEGINS - 1, False), (BEGINS + 1, True)):
        draft = quiet(figure(t, 0))
        draft.world = [row for row in draft.world if row.id != f"7203/{DAY}"]
        assert judged(draft.history()) == (False, undecidable)


def test_night_without_lots_moves_nothing() -> None:
    draft = quiet(figure(20, 0, DAY, APART))
    draft.events = [(*event[:4], {k: v for k, v in event[4].items() if k != "lots"}) for event in draft.events]
    draft.world = [row for row in draft.world if not isinstance(row, Lot | Close)]
    assert judged(draft.history()) == (False, False)


ADDED = 900 * (12 - 9)


def injected(draft: Draft, t: float) -> Draft:
    for n, (_, actor, kind, what, data) in enumerate(draft.events):
        if (actor, what) == ("fault:0", "inject"):
            draft.events[n] = (at(t) + (kind == Kind.OK), actor, kind, what, data)
    return draft


@pytest.mark.parametrize(
    ("came", "moved", "wrong"),
    [(7.0, ADDED, False), (7.0, 0, True), (9.0, ADDED, False), (9.0, 0, False), (9.0, 2 * ADDED, True)],
)
def test_lots_of_a_fault_are_in_the_variation_if_they_came_before_the_batch(
    came: float, moved: int, wrong: bool
) -> None:
    """Where it may have run already, nobody knows whether it had reached the account."""
    draft = injected(quiet(figure(20, moved, DAY, APART)), came)
    assert judged(draft.history()) == (wrong, False)


def test_lots_taken_away_while_customers_look_on_make_figures_undecidable() -> None:
    draft = quiet(figure(20, 1, DAY, APART))
    draft.note(19, "fault:0", Kind.INVOKE, "rollback")
    assert judged(draft.history()) == (False, True)


# -- the batch --------------------------------------------------------------------------------------------------------


def unfinished() -> Draft:
    """The last two jobs have not been run."""
    draft = correct_night(1)
    draft.oms = [row for row in draft.oms if getattr(row, "job", "") not in nights.JOBS[3:]]
    return draft


def test_run_that_ended_before_the_opening_cannot_tell_of_a_batch_that_was_not_done() -> None:
    draft = ended(unfinished(), 20)
    says = "the observation ended 4.0 s before the opening with statements, opening-gate not done"
    for name in ("batch-complete-in-order", "opening-gate"):
        verdict = asked(name, draft)
        assert (verdict.status, said_of(verdict)) == (Status.UNKNOWN, says)
        assert len(verdict.evidence) == 2


def test_run_that_ended_before_the_opening_with_the_gate_passed_is_fine() -> None:
    draft = ended(correct_night(1), 20)
    assert [asked(name, draft).status for name in nights.NIGHT_CHECKS] == [Status.PASS] * 4
    assert said_of(asked("opening-gate", draft)) == "the gate was passed 7.19 s before the opening"


def test_job_that_ended_after_the_observation_was_not_done_by_then() -> None:
    assert asked("batch-complete-in-order", ended(correct_night(1), 16)).status == Status.UNKNOWN


def test_fault_in_the_order_is_told_even_where_the_batch_is_unfinished() -> None:
    draft = ended(unfinished(), 20)
    n, row = first(draft.oms, BatchJob, lambda row: row.job == "margin")
    change(draft.oms, n, given=row.given - 1)
    assert asked("batch-complete-in-order", draft).status == Status.FAIL


def test_unfinished_batch_owes_no_variation_yet() -> None:
    draft = ended(unfinished(), ROLLS)
    n, leg = first(draft.oms, Posting, lambda row: row.why == "variation" and row.yen and row.account == MINE)
    draft.oms = [row for row in draft.oms if getattr(row, "reference", "") != leg.reference]
    n, balance = first(draft.oms, Balance, lambda row: row.account == MINE)
    change(draft.oms, n, cash=balance.cash - leg.yen)
    assert asked("one-variation-per-account-and-day", draft).status == Status.PASS
    assert asked("figures-right", draft).status == Status.PASS


@pytest.mark.parametrize("name", ["batch-complete-in-order", "one-variation-per-account-and-day", "opening-gate"])
def test_world_that_knows_no_night_is_unknown(name: str) -> None:
    draft = correct_night(1)
    draft.world = [row for row in draft.world if not isinstance(row, Calendar)]
    assert asked(name, draft).status == Status.UNKNOWN


@pytest.mark.parametrize("name", ["batch-complete-in-order", "opening-gate"])
def test_jobs_that_must_run_are_those_of_the_world(name: str) -> None:
    draft = correct_night(1)
    n, _ = first(draft.world, Calendar)
    change(draft.world, n, must_run=(*nights.JOBS[:4], "archive", nights.JOBS[4]))
    assert asked(name, draft).status == Status.FAIL
    change(draft.world, n, must_run=())
    assert asked(name, draft).status == Status.UNKNOWN


def test_settlement_of_no_trades_may_have_taken_none() -> None:
    draft = correct_night(1)
    n, _ = first(draft.oms, BatchJob, lambda row: row.job == "settlement")
    change(draft.oms, n, taken=0, given=0)
    assert asked("batch-complete-in-order", draft).status == Status.FAIL
    draft.exchange = [row for row in draft.exchange if row.t_ns > at(BEGINS) - NS]
    assert asked("batch-complete-in-order", draft).status == Status.PASS


def test_service_closed_at_the_opening_is_shown_by_its_first_request() -> None:
    draft = correct_night(1)
    draft.spoil("orders", OPENS - 1, OPENS + 1, RequestOutcome.CLOSED)
    verdict = asked("opening-gate", draft)
    assert (verdict.status, said_of(verdict)) == (Status.FAIL, "1 of 2 services closed at the opening")
    first_ = min(sample[0] for sample in draft.samples if sample[4] == 0 and sample[0] >= at(OPENS))
    assert [draft.history().samples.intended[int(place.split(":")[1])] for place in verdict.evidence] == [first_]


def test_closed_before_the_opening_is_another_matter() -> None:
    draft = correct_night(1)
    draft.spoil("orders", OPENS - 3, OPENS, RequestOutcome.CLOSED)
    assert asked("opening-gate", draft).status == Status.PASS


# -- repairs ----------------------------------------------------------------------------------------------------------


def test_no_repair_is_not_exercised() -> None:
    draft = correct_night(1)
    draft.oms = [row for row in draft.oms if getattr(row, "reference", "")[:2] != "A-"]
    assert (asked("repairs-traceable", draft).status, said_of(asked("repairs-traceable", draft))) == (
        Status.PASS, "0 of 0, not exercised",
    )  # fmt: skip


def test_harness_that_takes_out_what_it_put_in_repairs_nothing() -> None:
    draft = correct_night(1)
    draft.oms = [row for row in draft.oms if getattr(row, "reference", "")[:2] != "A-"]
    back = [msgspec.structs.replace(leg, why="adjustment") for leg in legs("T-1", APART, -ADDED, at(19.5))]
    draft.oms += back
    n, balance = first(draft.oms, Balance, lambda row: row.account == APART)
    change(draft.oms, n, cash=balance.cash - ADDED)
    assert asked("repairs-traceable", draft).status == Status.FAIL
    draft.note(19, "fault:0", Kind.INVOKE, "rollback")
    draft.note(20, "fault:0", Kind.OK, "rollback")
    assert asked("repairs-traceable", draft).status == Status.PASS


def test_repairs_after_the_end_are_not_looked_at() -> None:
    draft = correct_night(1)
    nights.correction(draft, MINE, 1, END + 1, "A-9", approver="")
    n, balance = first(draft.oms, Balance, lambda row: row.account == MINE)
    change(draft.oms, n, cash=balance.cash + 1)
    assert asked("repairs-traceable", draft).status == Status.PASS
