"""Defects planted in correct histories with withdrawals, one each; see ``defects``."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from drills.domains.customers.rows import Reply, Request
from drills.domains.withdrawals.rows import BankPayout, LinkSent, Withdrawal

from .defects import Defect, Plant, Rows, alter, pay, pick, place
from .synthetic import Draft, at
from .withdrawn import post

WITHDRAWAL_DEFECTS: list[Defect] = []
WRONG_MONEY = ("withdrawals-conserved", "figures-right")


def defect(*speaks: str) -> Callable[[Plant], Plant]:
    """The first of those who speak must show the rows."""

    def note(plant: Plant) -> Plant:
        WITHDRAWAL_DEFECTS.append(Defect(plant, frozenset(speaks), speaks[0], None))
        return plant

    return note


def one(draft: Draft, rng: random.Random, state: str) -> Withdrawal:
    """A withdrawal that ended so and never was in doubt."""
    found = pick(rng, draft.withdrawals, Withdrawal, lambda row: row.state == state and not row.unknown_ns)
    assert isinstance(found, Withdrawal)
    return found


def payout(draft: Draft, row: Withdrawal) -> BankPayout:
    assert draft.bank is not None
    return next(each for each in draft.bank if isinstance(each, BankPayout) and each.key == row.reference)


def again(draft: Draft, row: Withdrawal, key: str, reference: str) -> BankPayout:
    """A second payment for it by the bank, under another reference that the log has."""
    first = payout(draft, row)
    draft.withdrawals.append(
        LinkSent(t_ns=row.t_ns + 2_000, id=reference, account=row.account, session="L1", withdrawal=row.id, yen=row.yen)
    )
    second = msgspec.structs.replace(first, t_ns=first.t_ns + 500_000_000, id=f"{first.id}-2", key=reference)
    assert draft.bank is not None
    draft.bank.append(second)
    return second


@defect("paid-once")
def asked_again_by_the_customer_and_paid_again(draft: Draft, rng: random.Random) -> Rows:
    """Under another key of the same intent, and all of it is in order in the books of both sides."""
    row = one(draft, rng, "completed")
    asked = next(each for each in draft.customers if isinstance(each, Request) and each.key == row.key)
    later = row.t_ns + 400_000_000
    draft.customers.append(msgspec.structs.replace(asked, id=draft.row(), t_ns=later, key=f"{row.key}r", root=row.key))
    second = again(draft, row, f"{row.key}r", "L1-900001")
    copied = msgspec.structs.replace(
        row, t_ns=later, id="W-90000001", key=f"{row.key}r", reference="L1-900001", settled_ns=second.t_ns + 1_000
    )
    draft.withdrawals.append(copied)
    post(draft, copied.id, row.account, -row.yen, (later - at(0)) / 1e9)
    pay(draft, row.account, -row.yen)
    return [second]


@defect("settled-as-the-bank", *WRONG_MONEY)
def given_back_although_paid(draft: Draft, rng: random.Random) -> Rows:
    row = one(draft, rng, "rejected")
    assert draft.bank is not None
    alter(draft.bank, payout(draft, row), state="booked")
    return [row]


@defect("settled-as-the-bank", *WRONG_MONEY)
def completed_although_not_paid(draft: Draft, rng: random.Random) -> Rows:
    row = one(draft, rng, "completed")
    assert draft.bank is not None
    alter(draft.bank, payout(draft, row), state="rejected")
    return [row]


@defect("settled-as-the-bank", "paid-once", *WRONG_MONEY)
def sent_again_under_a_new_reference(draft: Draft, rng: random.Random) -> Rows:
    return [again(draft, row := one(draft, rng, "completed"), row.key, "L1-900002")]


@defect("withdrawals-conserved", "figures-right")
def given_back_twice(draft: Draft, rng: random.Random) -> Rows:
    row = one(draft, rng, "rejected")
    post(draft, f"{row.id}-back-2", row.account, row.yen, (row.settled_ns - at(0)) / 1e9 + 0.1)
    pay(draft, row.account, row.yen)
    return [row]


@defect("withdrawals-settled", "settled-as-the-bank")
def told_to_a_customer_and_in_no_book(draft: Draft, rng: random.Random) -> Rows:
    row = one(draft, rng, "completed")
    del draft.withdrawals[place(draft.withdrawals, row)]
    return [next(each for each in draft.customers if isinstance(each, Reply) and each.key == row.key)]


@defect("withdrawals-settled", "affected-told", "nothing-left-behind")
def left_unknown(draft: Draft, rng: random.Random) -> Rows:
    row = one(draft, rng, "completed")
    return [alter(draft.withdrawals, row, state="unknown", reference="", settled_ns=0, unknown_ns=row.t_ns + 1_000)]


@defect("payouts-traceable")
def line_of_the_log_lost(draft: Draft, rng: random.Random) -> Rows:
    row = one(draft, rng, "completed")
    sent = next(each for each in draft.withdrawals if isinstance(each, LinkSent) and each.id == row.reference)
    del draft.withdrawals[place(draft.withdrawals, sent)]
    return [payout(draft, row)]


@defect("affected-told")
def customer_not_told_the_end(draft: Draft, rng: random.Random) -> Rows:
    row = one(draft, rng, "completed")
    return [alter(draft.withdrawals, row, unknown_ns=row.t_ns + 1_000)]


@defect("affected-told")
def customer_told_another_end(draft: Draft, rng: random.Random) -> Rows:
    row = one(draft, rng, "completed")
    return [alter(draft.withdrawals, row, unknown_ns=row.t_ns + 1_000, told="rejected", told_ns=row.settled_ns)]
