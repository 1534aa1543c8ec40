"""The ledger: opening balances, and what of it does not add up."""

from __future__ import annotations

from drills.domains.cash.rows import Account, Balance, Posting
from drills.judge import timeline
from drills.judge.facts import fact
from drills.record.history import History


@fact
def openings(history: History) -> dict[str, int]:
    """Opening cash by account, yen, from the world."""
    return {row.account or row.id: row.cash for row in history.books["world"] if isinstance(row, Account)}


def unbalanced(history: History) -> int:
    """Yen that are in no order: legs that do not sum to zero, and balances that are not opening plus postings."""
    legs, gaps = imbalances(history)
    return sum(abs(yen) for yen in legs.values()) + sum(abs(yen) for yen in gaps.values())


@fact
def imbalances(history: History) -> tuple[dict[str, int], dict[str, int]]:
    """References whose legs do not sum to zero, and accounts whose balance is off: by how many yen."""
    legs = _legs(history)
    expected = dict(openings(history))  # a house account opens at nothing
    gaps: dict[str, int] = {}
    for row in history.books["oms"]:
        if isinstance(row, Posting):  # the balances are as old as the reading, so all postings belong to them
            expected[row.account] = expected.get(row.account, 0) + row.yen
    for row in history.books["oms"]:
        if isinstance(row, Balance):
            gaps[row.account or row.id] = row.cash - expected.get(row.account or row.id, 0)
    return (
        {reference: yen for reference, yen in legs.items() if yen},
        {account: yen for account, yen in gaps.items() if yen},
    )


def _legs(history: History) -> dict[str, int]:
    """Yen by reference as it stood at the end; one begun within the grace before it was in flight, and counts whole."""
    end = timeline.observed_until(history)
    postings = [row for row in history.books["oms"] if isinstance(row, Posting)]
    begun: dict[str, int] = {}
    for row in postings:
        begun[row.reference] = min(row.t_ns, begun.get(row.reference, row.t_ns))
    legs: dict[str, int] = {}
    for row in postings:
        if row.t_ns <= end or end - history.plan.slo.grace < begun[row.reference] <= end:
            legs[row.reference] = legs.get(row.reference, 0) + row.yen
    return legs
