"""Cash: no yen comes from nowhere or goes there."""

from __future__ import annotations

from drills.domains.cash.facts import imbalances, openings
from drills.domains.cash.rows import Account, Balance, Posting
from drills.judge.check import Check, combine, count
from drills.record.history import CheckResult, History


def cash_conserved(history: History) -> CheckResult:
    """The legs of each reference sum to zero; each balance is the world's opening cash plus the account's postings."""
    legs, gaps = imbalances(history)
    references: dict[str, int] = {}
    balances: dict[str, int] = {}
    for index, row in enumerate(history.books["oms"]):
        if isinstance(row, Posting):
            references[row.reference] = index
        elif isinstance(row, Balance):
            balances[row.account or row.id] = index
    known = openings(history)
    absent = [
        f"world:{index}"
        for index, row in enumerate(history.books["world"])
        if isinstance(row, Account) and (row.account or row.id) not in balances
    ]
    return combine(
        count("cash.unbalanced", [f"oms:{references[reference]}" for reference in sorted(legs)], len(references)),
        count("cash.balances-off", [f"oms:{balances[account]}" for account in sorted(gaps)], len(balances)),
        count("cash.no-balance", absent, len(known)),
    )


CHECKS = (Check("cash-conserved", "I-01", ("world", "oms"), False, cash_conserved),)
