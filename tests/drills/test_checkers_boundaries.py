"""At the very instant, and at the very number: on which side of its limits each checker counts what lies on them."""

from __future__ import annotations

import msgspec
import pytest

from drills.domains.cash.rows import Account, Balance, Posting
from drills.domains.customers.rows import Request
from drills.domains.figures.rows import Acted, Shown
from drills.domains.night.rows import BatchJob, Lot
from drills.domains.orders.facts import at_brokerage
from drills.domains.orders.rows import ExchangeExecution, ExchangeOrder, OmsOrder
from drills.judge.checks.validity import CLOCK_JUMP, LONGEST_ID, MOST_DROPPED, MOST_LATE
from drills.judge.outage import window
from drills.record import columns
from drills.record.history import NS, OUTCOMES, Kind, RequestOutcome, Status

from . import nights
from . import synthetic as made
from .nights import BEGINS, JOBS, OPENS, POOR, correct_night
from .synthetic import ACCOUNTS, END, SLO, Draft, asked, at, change, correct, ended, first
from .words import said as said_of

PASS, FAIL, INVALID = Status.PASS, Status.FAIL, Status.INVALID
CHANGED = 8.5
"""When the operator's first step had changed something, in the made-up histories."""


def job(draft: Draft, name: str) -> tuple[int, BatchJob]:
    """The attempt that did the work."""
    return first(draft.oms, BatchJob, lambda row: (row.job, row.state) == (name, "done"))


# -- the night --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["batch-complete-in-order", "opening-gate"])
def test_a_batch_not_done_when_the_observation_ends_at_the_very_opening_is_late(name: str) -> None:
    draft = correct_night(1)
    draft.oms = [row for row in draft.oms if getattr(row, "job", "") not in JOBS[3:]]
    assert asked(name, ended(draft, OPENS)).status == FAIL


def test_a_gate_passed_at_the_very_opening_was_passed_by_it() -> None:
    draft = correct_night(1)
    place, _ = job(draft, "opening-gate")
    change(draft.oms, place, ended_ns=at(OPENS))
    verdict = asked("opening-gate", draft)
    assert (verdict.status, said_of(verdict)) == (PASS, "the gate was passed 0.0 s before the opening")


def test_a_service_closed_at_an_opening_that_nobody_saw_is_not_held_against_the_gate() -> None:
    draft = ended(correct_night(1), OPENS - 0.5)
    assert draft.spoil("orders", OPENS - 0.4, OPENS + 0.4, RequestOutcome.CLOSED)
    assert asked("opening-gate", draft).status == PASS


def test_a_job_begun_at_the_very_end_of_the_one_before_is_in_order() -> None:
    draft = correct_night(1)
    _, before = job(draft, "mark-to-market")
    place, _ = job(draft, "margin")
    change(draft.oms, place, started_ns=before.ended_ns)
    assert asked("batch-complete-in-order", draft).status == PASS


def test_what_a_job_turned_away_it_has_accounted_for() -> None:
    draft = correct_night(1)
    place, row = job(draft, "statements")
    change(draft.oms, place, given=row.taken - 1, rejected=1)
    assert asked("batch-complete-in-order", draft).status == PASS


def test_a_settlement_that_turned_away_the_one_trade_it_took_was_done_on_nothing() -> None:
    draft = correct_night(1)
    draft.exchange = []
    place, _ = job(draft, "settlement")
    change(draft.oms, place, taken=1, given=0, rejected=1)
    verdict = asked("batch-complete-in-order", draft)
    assert (verdict.status, said_of(verdict)) == (FAIL, f"1 of {len(JOBS)} jobs done on nothing")


def test_what_a_job_gave_is_not_below_nothing_though_the_sum_is_right() -> None:
    draft = correct_night(1)
    place, row = job(draft, "statements")
    change(draft.oms, place, given=-1, rejected=row.taken + 1)
    says = said_of(asked("batch-complete-in-order", draft))
    assert f"1 of {len(JOBS)} jobs whose counts do not add up" in says


def test_a_job_that_took_one_account_left_the_others_out_and_one_that_took_none_is_idle_and_no_more() -> None:
    draft = correct_night(1)
    place, _ = job(draft, "statements")
    change(draft.oms, place, taken=1, given=1)
    assert said_of(asked("batch-complete-in-order", draft)) == f"1 of {len(JOBS)} jobs whose counts do not add up"
    change(draft.oms, place, taken=0, given=0)
    assert said_of(asked("batch-complete-in-order", draft)) == f"1 of {len(JOBS)} jobs done on nothing"


def test_a_settlement_that_gave_one_trade_was_not_idle() -> None:
    draft = correct_night(1)
    place, _ = job(draft, "settlement")
    change(draft.oms, place, taken=1, given=1)
    assert asked("batch-complete-in-order", draft).status == PASS


@pytest.mark.parametrize(("accounts", "status"), [(0, PASS), (1, FAIL)])
def test_a_job_is_done_on_nothing_where_there_is_a_single_account_and_not_where_there_is_none(
    accounts: int, status: Status
) -> None:
    draft = correct_night(1)
    known = [row for row in draft.world if isinstance(row, Account)]
    draft.world = [row for row in draft.world if row not in known[accounts:]]
    place, _ = job(draft, "statements")
    change(draft.oms, place, taken=0, given=0)
    assert asked("batch-complete-in-order", draft).status == status


@pytest.mark.parametrize(("late", "status"), [(0, FAIL), (1, PASS)])
def test_a_settlement_owes_the_trades_that_are_as_old_as_the_grace(late: int, status: Status) -> None:
    draft = correct_night(1)
    _, trade = first(draft.exchange, ExchangeExecution)
    draft.exchange = [msgspec.structs.replace(trade, t_ns=at(BEGINS) - SLO.grace + late)]
    place, _ = job(draft, "settlement")
    change(draft.oms, place, taken=0, given=0)
    assert asked("batch-complete-in-order", draft).status == status


# -- variations -------------------------------------------------------------------------------------------------------


def test_an_account_whose_lots_come_to_nothing_needs_no_variation_nor_does_one_the_world_does_not_know() -> None:
    draft = correct_night(1)
    for account, code, quantity in ((POOR, "1301", 31), (POOR, "7203", 12), ("C-9999", "1301", 100)):
        row = Lot(t_ns=0, id=f"L-{account}-{code}", account=account, code=code, quantity=quantity)
        draft.world.append(row)
    assert sum(nights.DIFFERENCES[code] * n for code, n in (("1301", 31), ("7203", 12))) == 0
    draft.oms = [row for row in draft.oms if getattr(row, "reference", "") != f"V-{POOR}-1"]
    assert asked("one-variation-per-account-and-day", draft).status == PASS


def test_an_account_whose_variation_nobody_can_reckon_still_needs_one() -> None:
    draft = correct_night(1)
    _, lot = first(draft.world, Lot)
    draft.world = [row for row in draft.world if row.id != f"{lot.code}/{nights.DAY}"]
    draft.oms = [row for row in draft.oms if getattr(row, "reference", "") != f"V-{lot.account}-1"]
    verdict = asked("one-variation-per-account-and-day", draft)
    assert verdict.status == FAIL
    assert said_of(verdict).endswith("accounts without a variation")


# -- orders, executions and notices -----------------------------------------------------------------------------------

IN_TIME = [(0, True), (1, False)]
"""Ns after the instant by which it is due, and whether it is missed."""


def traded(draft: Draft, t_ns: int) -> ExchangeExecution:
    """The first execution, moved to an instant; nobody has posted or notified it."""
    place, row = first(draft.exchange, ExchangeExecution)
    change(draft.exchange, place, t_ns=t_ns)
    draft.oms = [one for one in draft.oms if row.id not in (one.id, getattr(one, "reference", ""))]
    draft.notices = [one for one in draft.notices if one.key != row.id]
    return row


@pytest.mark.parametrize(("later", "missed"), IN_TIME)
def test_an_execution_as_old_as_the_limit_has_its_notice(later: int, missed: bool) -> None:
    draft = correct(1)
    traded(draft, at(END) - SLO.notice + later)
    assert asked("notices-complete", draft).status == (FAIL if missed else PASS)


@pytest.mark.parametrize(("later", "missed"), IN_TIME)
def test_an_execution_as_old_as_the_grace_is_posted(later: int, missed: bool) -> None:
    draft = correct(1)
    traded(draft, at(END) - SLO.grace + later)
    assert ("executions at the exchange not posted" in said_of(asked("executions-one-to-one", draft))) == missed


@pytest.mark.parametrize(("later", "missed"), IN_TIME)
def test_an_order_at_the_exchange_as_old_as_the_grace_is_known_to_the_brokerage(later: int, missed: bool) -> None:
    draft = correct(1)
    place, there = first(draft.exchange, ExchangeOrder)
    change(draft.exchange, place, t_ns=at(END) - SLO.grace + later)
    draft.oms = [row for row in draft.oms if not (isinstance(row, OmsOrder) and row.key == there.key)]
    says = said_of(asked("orders-accounted", draft))
    assert ("orders at the exchange unknown to the brokerage" in says) == missed


@pytest.mark.parametrize(("later", "missed"), IN_TIME)
def test_an_order_as_old_as_the_grace_has_an_end_that_its_customer_learned(later: int, missed: bool) -> None:
    draft = correct(1)
    made._ask(draft, ACCOUNTS[0], "q", "q", END - 2, END, RequestOutcome.TIMEOUT, 0)
    place, _ = first(draft.customers, Request, lambda row: row.key == "q")
    change(draft.customers, place, t_ns=at(END) - SLO.grace + later)
    made._look(draft, ACCOUNTS[0], "q", END + 1, "", error="TRY_LATER", final=True)
    verdict = asked("orders-accounted", draft)
    assert (verdict.status, said_of(verdict).startswith("1 of ")) == (FAIL if missed else PASS, missed)
    assert "orders the customer never learned the end of" in said_of(verdict)


# -- figures ----------------------------------------------------------------------------------------------------------


def acted(draft: Draft, shown: str, t_ns: int, account: str = ACCOUNTS[0]) -> None:
    row = Acted(t_ns=t_ns, id=f"a-{draft.row()}", account=account, shown=shown, yen=5, what="order")
    draft.customers.append(row)


@pytest.mark.parametrize(("early", "status"), [(0, FAIL), (1, PASS)])
def test_an_action_at_the_very_first_change_is_after_it(early: int, status: Status) -> None:
    draft = correct(1)
    draft.customers.append(made.shown("w-1", ACCOUNTS[0], 8.0, 1))
    acted(draft, "w-1", at(CHANGED) - early)
    assert asked("no-wrong-figure-acted-on", draft).status == status


def test_actions_on_figures_nobody_can_decide_are_shown_and_are_not_counted_among_the_others() -> None:
    draft = correct(1)
    sound = sum(isinstance(row, Acted) and at(CHANGED) <= row.t_ns <= at(END) for row in draft.customers)
    draft.customers.append(made.shown("u-1", "C-9999", 20, 1))
    acted(draft, "u-1", at(20.1), "C-9999")
    history = draft.history()
    verdict = asked("no-wrong-figure-acted-on", history)
    says = "1 actions after the first step on figures that nobody can decide"
    assert (verdict.status, said_of(verdict)) == (Status.UNKNOWN, says)
    assert [history.books["customers"][int(place.split(":")[1])].account for place in verdict.evidence] == ["C-9999"]
    draft.customers.append(made.shown("w-1", ACCOUNTS[0], 20, 1))
    acted(draft, "w-1", at(20.1))
    says = f"1 of {sound + 1} actions after the first step on a wrong figure"
    assert said_of(asked("no-wrong-figure-acted-on", draft)) == says


@pytest.mark.parametrize(("later", "left"), IN_TIME)
def test_an_order_in_a_passing_state_for_the_grace_and_an_answers_time_is_left_behind(later: int, left: bool) -> None:
    draft = correct(1)
    place, _ = first(draft.oms, OmsOrder)
    change(draft.oms, place, state="pending-new", t_ns=at(END) - SLO.grace - SLO.latency + later)
    assert (asked("nothing-left-behind", draft).status == FAIL) == left


@pytest.mark.parametrize(("later", "taken_in"), [(0, True), (1, False)])
def test_an_order_taken_in_at_the_very_end_was_taken_in(later: int, taken_in: bool) -> None:
    draft = correct(1)
    place, row = first(draft.oms, OmsOrder)
    change(draft.oms, place, t_ns=at(END) + later)
    assert (row.key in [one.row.key for one in at_brokerage(draft.history())]) == taken_in


@pytest.mark.parametrize(("later", "status"), [(0, PASS), (1, FAIL)])
def test_an_entry_begun_at_the_very_end_counts_whole(later: int, status: Status) -> None:
    """Half of the one that was begun before the end stands, its other half was posted when all was over."""
    draft = correct(1)
    one, other = made.legs("R-99", ACCOUNTS[0], -99, at(END))
    draft.oms += [one, msgspec.structs.replace(other, t_ns=at(END) + NS)]
    begun = made.legs("R-98", ACCOUNTS[0], -98, at(END) - SLO.grace + 1 - later)
    draft.oms += [begun[0], msgspec.structs.replace(begun[1], t_ns=at(END) + NS)]
    place, balance = first(draft.oms, Balance, lambda row: row.account == ACCOUNTS[0])
    change(draft.oms, place, cash=balance.cash - 99 - 98)
    assert asked("cash-conserved", draft).status == status


@pytest.mark.parametrize(("early", "status"), [(0, FAIL), (1, PASS)])
def test_a_figure_as_old_as_the_hold_is_one_of_the_end(early: int, status: Status) -> None:
    draft = correct(1)
    row = made.shown("w-1", ACCOUNTS[0], 20, 1)
    draft.customers.append(msgspec.structs.replace(row, sent_ns=at(END) - SLO.hold - early, received_ns=at(END - 4)))
    assert asked("figures-right", draft).status == status


@pytest.mark.parametrize(("later", "status"), [(0, FAIL), (1, PASS)])
def test_what_is_posted_at_the_very_end_is_in_the_balance_of_the_end(later: int, status: Status) -> None:
    draft = correct(1)
    draft.oms += made.legs("R-99", ACCOUNTS[0], -99, at(END) + later)
    place, balance = first(draft.oms, Balance, lambda row: row.account == ACCOUNTS[0])
    change(draft.oms, place, cash=balance.cash - 99)
    assert asked("figures-right", draft).status == status


def test_a_batch_that_says_it_is_done_owes_the_variation_before_any_page_has_rolled() -> None:
    draft = ended(correct_night(1), nights.ROLLS - 0.5)
    assert asked("figures-right", draft).status == PASS
    _, leg = first(draft.oms, Posting, lambda row: row.why == "variation" and row.yen and row.account != "C-0007")
    draft.oms = [row for row in draft.oms if getattr(row, "reference", "") != leg.reference]
    place, balance = first(draft.oms, Balance, lambda row: row.account == leg.account)
    change(draft.oms, place, cash=balance.cash - leg.yen)
    assert asked("figures-right", draft).status == FAIL


# -- whether the run can judge ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("beyond", "status"), [(0, PASS), (1, INVALID)])
def test_a_silence_of_the_monitor_as_long_as_the_limit_is_none(beyond: int, status: Status) -> None:
    draft = correct(3)
    beats = [event for event in draft.events if event[3] == "heartbeat" and at(15) < event[0] < at(17)]
    draft.events = [event for event in draft.events if event not in beats]
    (place,) = (n for n, event in enumerate(draft.events) if event[3] == "heartbeat" and event[0] == at(17))
    draft.events[place][4]["t_ns"] += beyond
    assert at(17) - at(15) == SLO.monitor_gap
    assert asked("monitoring-had-no-gap", draft).status == status


@pytest.mark.parametrize(("beyond", "status"), [(0, PASS), (1, INVALID)])
def test_a_clock_may_move_by_as_much_as_the_limit(beyond: int, status: Status) -> None:
    draft = correct(3)
    draft.run = msgspec.structs.replace(draft.run, clock={"start": NS, "end": NS + CLOCK_JUMP + beyond})
    assert asked("one-clock", draft).status == status


def sent(count: int, late: int = 1000, dropped: int = 0) -> Draft:
    """So many requests in all, the first of them dropped."""
    draft = correct(3)
    times = [(at(n / 100), at(n / 100) + late) for n in range(count)]
    draft.samples = [[due, left, left + NS // 100, OUTCOMES.index(RequestOutcome.OK), 0, 1] for due, left in times]
    for sample in draft.samples[:dropped]:
        sample[1:4] = [0, 0, OUTCOMES.index(RequestOutcome.DROPPED)]
    return draft


@pytest.mark.parametrize(("beyond", "status"), [(0, PASS), (1, INVALID)])
def test_a_load_may_be_as_late_as_the_limit(beyond: int, status: Status) -> None:
    assert asked("load-on-time", sent(1000, late=MOST_LATE + beyond)).status == status


LATENCY = SLO.latency


@pytest.mark.parametrize(("late", "took", "outcome", "status"), [
    (LATENCY // 2, LATENCY // 2 + 1, RequestOutcome.OK, INVALID),  # half of the time was gone, and it was needed
    (LATENCY // 2, LATENCY // 2 + 1, RequestOutcome.REJECT, INVALID),
    (LATENCY // 2 - 1, LATENCY // 2 + 2, RequestOutcome.OK, PASS),  # less than half was
    (LATENCY // 2, LATENCY // 2, RequestOutcome.OK, PASS),  # it was in time all the same
    (LATENCY, LATENCY, RequestOutcome.OK, INVALID),
    (LATENCY, LATENCY + 1, RequestOutcome.OK, PASS),  # it would have been too late anyhow
    (LATENCY, 1, RequestOutcome.ERROR, PASS),  # no answer that could have been good
    (LATENCY, 1, RequestOutcome.TIMEOUT, PASS),
])  # fmt: skip
def test_a_request_that_was_bad_only_because_the_load_sent_it_late(
    late: int, took: int, outcome: RequestOutcome, status: Status
) -> None:
    """One of them, which no percentile shows."""
    draft = sent(1000)
    row = draft.samples[500]
    row[1:4] = [row[0] + late, row[0] + late + took, OUTCOMES.index(outcome)]
    verdict = asked("load-on-time", draft)
    assert verdict.status == status
    words = "; 1 of 1000 bad only for being sent late"
    assert said_of(verdict) == "sent late by 0.0 s (p99); 0 of 1000 dropped" + (words if status == INVALID else "")


@pytest.mark.parametrize(("fewer", "status"), [(0, PASS), (1, INVALID)])
def test_a_load_may_drop_one_in_as_many_as_the_limit(fewer: int, status: Status) -> None:
    assert asked("load-on-time", sent(MOST_DROPPED - fewer, dropped=1)).status == status


def arrived(count: int, rate: float) -> Draft:
    """One service, watched for 25 s, at which so many requests arrive evenly."""
    draft = ended(made.replanned(correct(3), services={"orders": rate}), 25)
    times = [at(0) + n * 25 * NS // count for n in range(count)]
    draft.samples = [[t, t + 1000, t + NS // 100, OUTCOMES.index(RequestOutcome.OK), 0, 1] for t in times]
    return draft


@pytest.mark.parametrize(("came", "status"), [(2225, PASS), (2224, INVALID)])
def test_a_load_may_lack_a_twentieth_and_what_chance_takes(came: int, status: Status) -> None:
    """Of 2500 planned: 95 % are 2375, three standard deviations are 150."""
    assert asked("load-reached-its-rate", arrived(came, 100)).status == status


@pytest.mark.parametrize(("came", "status"), [(1, PASS), (0, INVALID)])
def test_a_service_of_which_chance_could_take_all_must_still_have_been_asked(came: int, status: Status) -> None:
    assert asked("load-reached-its-rate", arrived(came, 0.2)).status == status


@pytest.mark.parametrize(("beyond", "status"), [(0, PASS), (1, INVALID)])
def test_a_load_may_be_silent_for_as_long_as_the_window(beyond: int, status: Status) -> None:
    draft = arrived(2500, 100)
    gap = window(100) + beyond
    draft.samples = [sample for sample in draft.samples if not at(10) < sample[0] < at(10) + gap]
    due = at(10) + gap
    draft.samples.append([due, due + 1000, due + NS // 100, OUTCOMES.index(RequestOutcome.OK), 0, 1])
    assert asked("load-reached-its-rate", draft).status == status


def baseline(bad: int) -> Draft:
    """Two hundred requests within the baseline, so many of them bad, and more that are bad just outside it."""
    draft = correct(3)
    until = at(5) - SLO.latency
    times = [at(0) + (until - at(0)) * n // 200 for n in range(200)]
    outside = [at(0) - 1, until, at(5) + 1]
    rows = [(t, n < bad) for n, t in enumerate(times)] + [(t, True) for t in outside]
    codes = {True: OUTCOMES.index(RequestOutcome.ERROR), False: OUTCOMES.index(RequestOutcome.OK)}
    others = [sample for sample in draft.samples if sample[4] == 1]
    draft.samples = others + [[t, t + 1000, t + NS // 100, codes[spoilt], 0, 1] for t, spoilt in rows]
    return draft


def test_of_the_baseline_one_request_in_a_hundred_may_be_bad() -> None:
    assert asked("baseline-good", baseline(2)).status == PASS
    verdict = asked("baseline-good", baseline(3))
    assert (verdict.status, said_of(verdict)) == (INVALID, "the baseline was not good; orders 197 of 200 served well")


@pytest.mark.parametrize(("early", "status"), [(0, PASS), (1, INVALID)])
def test_a_fault_undone_when_the_books_are_read_stayed_to_the_end(early: int, status: Status) -> None:
    draft = correct(3)
    draft.events = [event for event in draft.events if (event[1], event[3]) != ("fault:0", "rollback")]
    for kind in (Kind.INVOKE, Kind.OK):
        draft.events.append((at(END) - early, "fault:0", kind, "rollback", {}))
    assert asked("fault-really-happened", draft).status == status


def test_requests_without_a_row_are_counted_over_all_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = correct(3)
    rows = [row for row in draft.customers if isinstance(row, Shown)]
    gone = {row.id for row in (rows[0], rows[-1])}
    draft.customers = [row for row in draft.customers if getattr(row, "id", "") not in gone]
    monkeypatch.setattr(columns, "PIECE", 100)
    assert said_of(asked("history-whole", draft)).startswith("2 of ")


def test_a_row_of_the_longest_number_there_can_be_is_one_that_its_request_has() -> None:
    draft = correct(3)
    relied = {row.shown for row in draft.customers if isinstance(row, Acted)}
    place, row = first(draft.customers, Shown, lambda row: row.id not in relied)
    (sample,) = (sample for sample in draft.samples if sample[5] == int(row.id))
    sample[5] = int("1" + "0" * (LONGEST_ID - 1))
    assert asked("history-whole", draft).status == INVALID
    change(draft.customers, place, id=str(sample[5]))
    assert asked("history-whole", draft).status == PASS


def test_repairs_at_the_very_end_of_the_observation_are_looked_at() -> None:
    draft = correct_night(1)
    entry = nights.correction(draft, ACCOUNTS[0], 1, END, "A-9", approver="")
    place, balance = first(draft.oms, Balance, lambda row: row.account == ACCOUNTS[0])
    change(draft.oms, place, cash=balance.cash + 1)
    assert "repairs without reason, request or approver" in said_of(asked("repairs-traceable", draft))
    draft.oms.remove(entry)
    assert "corrections posted that nobody asked for" in said_of(asked("repairs-traceable", draft))
