"""Withdrawals: paid once, settled as the bank has it, none left unknown, traceable, and customers told."""

from __future__ import annotations

from collections import defaultdict

from drills.domains.cash.rows import Posting
from drills.domains.customers.rows import Reply
from drills.domains.withdrawals import facts
from drills.judge.check import Check, combine, count
from drills.judge.timeline import observed_until
from drills.record.history import CheckResult, History


def paid_once(history: History) -> CheckResult:
    """The bank has paid each customer what was meant to be had, however often it was asked for, and once."""
    twice = [each.place for each in facts.paid_twice(history)]
    return combine(count("withdrawals.paid-twice", twice, len(facts.booked(history))))


def settled_as_the_bank(history: History) -> CheckResult:
    """What is completed was paid, what was given back was not, and nothing was paid that the brokerage knows not of."""
    found, all_ = facts.differences(history), facts.held(history)
    return combine(
        count("withdrawals.reversed-but-paid", [each.place for each in found.reversed_but_paid], len(all_)),
        count("withdrawals.completed-but-not-paid", [each.place for each in found.completed_but_not_paid], len(all_)),
        count("withdrawals.paid-beyond", [each.place for each in found.unknown_to_us], len(facts.booked(history))),
    )


def withdrawals_conserved(history: History) -> CheckResult:
    """What the ledger has taken of each account for withdrawals is what the bank has paid to its customer.

    Accounts with a withdrawal that is still open are left to the check of those.
    """
    taken: dict[str, int] = defaultdict(int)
    for row in _postings(history):
        taken[row.account] -= row.yen
    paid: dict[str, int] = defaultdict(int)
    for each in facts.booked(history):
        paid[each.row.account] += each.row.yen
    settled = {account for account in facts.accounts(history) if account not in facts.open_accounts(history)}
    off = sorted(account for account in settled if taken[account] != paid[account])
    places = {each.row.account: each.place for each in facts.held(history)}
    return combine(count("withdrawals.money-off", [places[account] for account in off], len(settled)))


def withdrawals_settled(history: History) -> CheckResult:
    """Each withdrawal whose number a customer was told is in the brokerage's book, and none is unknown at the end."""
    end = observed_until(history)
    known = {(each.row.account, each.row.key): each for each in facts.held(history)}
    told = [
        (index, row)
        for index, row in enumerate(history.books["customers"])
        if isinstance(row, Reply) and row.action == "withdrawal" and row.order and row.t_ns <= end
    ]
    missing = [f"customers:{index}" for index, row in told if (row.account, row.key) not in known]
    return combine(
        count("withdrawals.missing", missing, len(told)),
        count("withdrawals.unknown", [each.place for each in facts.stuck(history)], len(known)),
    )


def payouts_traceable(history: History) -> CheckResult:
    """Whatever the bank decided on stands in the log of the link under the bank's reference."""
    places = [each.place for each in facts.untraced(history)]
    return combine(count("withdrawals.untraced", places, len(facts.decided(history))))


def affected_told(history: History) -> CheckResult:
    """Who was left in doubt was told how it ended, and by the bank's word that is how it did."""
    places = [each.place for each in facts.untold(history)]
    return combine(count("withdrawals.untold", places, len(facts.in_doubt(history))))


def _postings(history: History) -> list[Posting]:
    end = observed_until(history)
    rows = (row for row in history.books["oms"] if isinstance(row, Posting))
    return [row for row in rows if row.why == "withdrawal" and row.t_ns <= end]


CHECKS = (
    Check("paid-once", "I-05", ("customers", "bank"), False, paid_once),
    Check("settled-as-the-bank", "I-19", ("bank", facts.BOOK), False, settled_as_the_bank),
    Check("withdrawals-conserved", "I-01", ("bank", "oms", facts.BOOK), False, withdrawals_conserved),
    Check("withdrawals-settled", "I-03", ("customers", facts.BOOK), False, withdrawals_settled),
    Check("payouts-traceable", "I-17", ("bank", facts.BOOK), False, payouts_traceable),
    Check("affected-told", "I-22", ("bank", facts.BOOK), False, affected_told),
)
