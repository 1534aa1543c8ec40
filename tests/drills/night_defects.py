"""Defects of a night, planted in correct ones as those of ``defects.py`` are in correct days."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from drills.domains.cash.rows import Account, Balance, Posting
from drills.domains.figures.rows import Acted, Shown
from drills.domains.night.rows import BatchJob, Calendar
from drills.domains.orders.rows import ExchangeExecution
from drills.record.history import NS

from . import nights
from . import synthetic as made
from .defects import Defect, Plant, Rows, alter, pay, pick, under_way
from .nights import APART, BEFORE, DAY, OPENS, POOR, ROLLS
from .synthetic import ACCOUNTS, END, SLO, Draft, at

NIGHT_DEFECTS: list[Defect] = []


def defect(*speaks: str, loss: tuple[str, int] | None = None) -> Callable[[Plant], Plant]:
    """The first of those who speak must show the rows."""

    def note(plant: Plant) -> Plant:
        NIGHT_DEFECTS.append(Defect(plant, frozenset(speaks), speaks[0] if speaks else "", loss))
        return plant

    return note


def leg(draft: Draft, rng: random.Random) -> Any:
    """A customer's leg of a variation that moves something, and not what an execution might."""
    return pick(
        rng,
        draft.oms,
        Posting,
        lambda row: row.why == "variation" and row.account in ACCOUNTS and row.account not in (APART, POOR) and row.yen,
    )


def attempt(draft: Draft, name: str) -> Any:
    """The one that did the work."""
    return next(row for row in draft.oms if isinstance(row, BatchJob) and (row.job, row.state) == (name, "done"))


def calendar(draft: Draft) -> Any:
    return next(row for row in draft.world if isinstance(row, Calendar))


# -- the batch --------------------------------------------------------------------------------------------------------


@defect("batch-complete-in-order")
def job_out_of_order(draft: Draft, rng: random.Random) -> Rows:
    before = attempt(draft, "mark-to-market")
    return [alter(draft.oms, attempt(draft, "margin"), started_ns=before.ended_ns - rng.randrange(1, NS // 100))]


@defect("batch-complete-in-order")
def job_that_lost_accounts(draft: Draft, rng: random.Random) -> Rows:
    row = attempt(draft, rng.choice(nights.JOBS))
    return [alter(draft.oms, row, given=row.given - 1)]


@defect("batch-complete-in-order")
def job_that_left_accounts_out(draft: Draft, rng: random.Random) -> Rows:
    """What it took, it did; it did not take all."""
    row, took = attempt(draft, rng.choice(nights.JOBS[1:])), rng.randrange(1, len(ACCOUNTS))
    return [alter(draft.oms, row, taken=took, given=took)]


@defect("batch-complete-in-order")
def job_that_counts_below_nothing(draft: Draft, rng: random.Random) -> Rows:
    row = attempt(draft, rng.choice(nights.JOBS))
    return [alter(draft.oms, row, given=row.taken + 1, rejected=-1)]


@defect("batch-complete-in-order")
def job_that_turned_all_away(draft: Draft, rng: random.Random) -> Rows:
    row = attempt(draft, rng.choice(nights.JOBS))
    return [alter(draft.oms, row, given=0, rejected=row.taken)]


@defect("batch-complete-in-order", "opening-gate")
def gate_that_never_ended(draft: Draft, rng: random.Random) -> Rows:
    """Done by its state, without an end, or with one before its beginning."""
    row = attempt(draft, "opening-gate")
    return [alter(draft.oms, row, ended_ns=rng.choice([0, row.started_ns - 1]))]


@defect("batch-complete-in-order")
def job_done_on_nothing(draft: Draft, rng: random.Random) -> Rows:
    return [alter(draft.oms, attempt(draft, rng.choice(nights.JOBS)), taken=0, given=0)]


@defect("batch-complete-in-order")
def job_done_again(draft: Draft, rng: random.Random) -> Rows:
    name = rng.choice(nights.JOBS)
    return [nights.job(draft, name, END - 3, END - 2.9, len(ACCOUNTS), attempt=9)]


@defect("batch-complete-in-order", "opening-gate")
def job_never_run(draft: Draft, rng: random.Random) -> Rows:
    draft.oms.remove(attempt(draft, "statements"))
    return [calendar(draft), attempt(draft, "opening-gate")]


@defect("batch-complete-in-order", "opening-gate")
def batch_left_held(draft: Draft, rng: random.Random) -> Rows:
    for name in nights.JOBS[2:]:
        draft.oms.remove(attempt(draft, name))
    return [alter(draft.oms, attempt(draft, "mark-to-market"), state="held"), calendar(draft)]


@defect("opening-gate", "batch-complete-in-order")
def opened_before_done(draft: Draft, rng: random.Random) -> Rows:
    started = attempt(draft, rng.choice(nights.JOBS[1:4])).ended_ns - 1
    return [alter(draft.oms, attempt(draft, "opening-gate"), started_ns=started)]


@defect("opening-gate")
def opened_late(draft: Draft, rng: random.Random) -> Rows:
    return [alter(draft.oms, attempt(draft, "opening-gate"), ended_ns=at(OPENS) + rng.randrange(1, NS))]


# -- variations -------------------------------------------------------------------------------------------------------


@defect("one-variation-per-account-and-day", "figures-right")
def variation_posted_twice(draft: Draft, rng: random.Random) -> Rows:
    """By another attempt, under its own reference: balanced and conserved."""
    row = leg(draft, rng)
    pay(draft, row.account, row.yen)
    return nights.variation(draft, row.account, row.yen, END - 2, run=2)[:1]


@defect("one-variation-per-account-and-day", "figures-right")
def variation_missing(draft: Draft, rng: random.Random) -> Rows:
    row = leg(draft, rng)
    draft.oms = [one for one in draft.oms if getattr(one, "reference", "") != row.reference]
    pay(draft, row.account, -row.yen)
    return [one for one in draft.world if isinstance(one, Account) and one.id == row.account]


@defect("one-variation-per-account-and-day")
def variation_of_another_day(draft: Draft, rng: random.Random) -> Rows:
    return [alter(draft.oms, leg(draft, rng), day=BEFORE)]


@defect("figures-right")
def variation_of_another_amount(draft: Draft, rng: random.Random) -> Rows:
    """Balanced and conserved; only lots and prices know better."""
    row, more = leg(draft, rng), rng.choice([-1, 1, 100])
    contra = next(one for one in draft.oms if getattr(one, "reference", "") == row.reference and one is not row)
    alter(draft.oms, row, yen=row.yen + more)
    alter(draft.oms, contra, yen=contra.yen - more)
    return [pay(draft, row.account, more)]


# -- figures ----------------------------------------------------------------------------------------------------------


def shown_without(draft: Draft, rng: random.Random, since: float, until: float) -> Any:
    """A figure shown for the new date that lacks the variation, on which nobody acts.

    The latest of its account between two times, in s; no execution under way makes up for what it lacks.
    """
    figures = [row for row in draft.customers if isinstance(row, Shown)]
    inside = [row for row in figures if at(since) <= row.sent_ns < row.received_ns <= at(until)]
    executions = [row for row in draft.exchange if isinstance(row, ExchangeExecution)]
    while True:
        mine = leg(draft, rng)
        shown = [row for row in inside if row.account == mine.account]
        latest = max(shown, key=lambda row: row.sent_ns, default=None)
        if latest and mine.yen not in under_way(executions, mine.account, latest.sent_ns, latest.received_ns):
            break
    row = msgspec.structs.replace(latest, id="w-1", yen=latest.yen - mine.yen, as_of=DAY)
    draft.customers.append(row)
    return row


@defect("figures-right", loss=("wrong_figures_shown", 1))
def figure_of_the_new_date_without_the_variation(draft: Draft, rng: random.Random) -> Rows:
    """The last one of its account before the end, as it would have been had the account not been marked."""
    return [shown_without(draft, rng, END - 4.9, END)]


@defect("no-wrong-figure-acted-on", loss=("wrong_figures_acted_on", 1))
def repaid_on_a_figure_without_the_variation(draft: Draft, rng: random.Random) -> Rows:
    row = shown_without(draft, rng, ROLLS, END - 5.1)
    act = Acted(t_ns=row.received_ns + 1, id="a-1", account=row.account, shown="w-1", yen=5, what="repayment")
    draft.customers.append(act)
    return [act]


@defect(loss=("wrong_figures_shown", 1))
def figure_with_the_variation_before_the_night(draft: Draft, rng: random.Random) -> Rows:
    mine = leg(draft, rng)
    row = pick(rng, draft.customers, Shown, lambda row: row.sent_ns < at(5) and row.account == mine.account)
    draft.customers.append(msgspec.structs.replace(row, id="w-1", yen=row.yen + mine.yen))
    return []


# -- the bank ---------------------------------------------------------------------------------------------------------


@defect("figures-right")
def repayment_the_bank_has_alone(draft: Draft, rng: random.Random) -> Rows:
    """Booked there just so long ago that it must be in the balance, and never taken from the account."""
    assert draft.bank is not None
    later = {row.account for row in draft.bank if row.t_ns > at(END) - 2 * SLO.grace}  # these must hold it to be right
    account = rng.choice([account for account in ACCOUNTS if account not in later])
    row = nights.payment("R-99", account, 99, 0)
    draft.bank.append(msgspec.structs.replace(row, t_ns=at(END) - SLO.grace))
    return [row for row in draft.oms if isinstance(row, Balance) and row.account == account]


@defect("figures-right")
def repayment_taken_that_the_bank_never_saw(draft: Draft, rng: random.Random) -> Rows:
    account = rng.choice(ACCOUNTS)
    draft.oms += made.legs("R-99", account, -99, at(rng.uniform(1, END - 0.1)))
    return [pay(draft, account, -99)]


# -- repairs ----------------------------------------------------------------------------------------------------------


def corrected(draft: Draft, rng: random.Random, **said: str) -> Any:
    """A correction, taken back at once so that no figure is touched; the entry."""
    account, t = rng.choice(ACCOUNTS), rng.uniform(1, END - 1)
    nights.correction(draft, account, -100, t, "A-9")
    return nights.correction(draft, account, 100, t, "A-8", **said)


@defect("repairs-traceable")
def correction_without_an_approver(draft: Draft, rng: random.Random) -> Rows:
    return [corrected(draft, rng, **{rng.choice(["reason", "request", "approver"]): rng.choice(["", " "])})]


@defect("repairs-traceable")
def correction_approved_by_who_asked(draft: Draft, rng: random.Random) -> Rows:
    return [corrected(draft, rng, approver=rng.choice(["tanaka", " Tanaka"]))]


@defect("repairs-traceable")
def correction_without_an_entry(draft: Draft, rng: random.Random) -> Rows:
    row = corrected(draft, rng)
    draft.oms.remove(row)
    return [one for one in draft.oms if getattr(one, "reference", "") == "A-8" and one.account in ACCOUNTS]


@defect("repairs-traceable")
def correction_of_another_amount_than_stated(draft: Draft, rng: random.Random) -> Rows:
    row = corrected(draft, rng)
    posted = [one for one in draft.oms if isinstance(one, Posting) and one.reference == "A-8"]
    return [alter(draft.oms, row, yen=101), *(one for one in posted if one.account in ACCOUNTS)]


@defect("repairs-traceable", "cash-conserved", "figures-right")
def balance_changed_by_hand(draft: Draft, rng: random.Random) -> Rows:
    return [pay(draft, rng.choice(ACCOUNTS), rng.choice([-1, 1, 123_456]))]
