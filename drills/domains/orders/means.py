"""Whether customers bought within their means, by the exchange's book and the cash that they began with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from drills.domains.cash.rows import Account
from drills.domains.orders.rows import ExchangeCancel, ExchangeExecution, ExchangeOrder
from drills.judge.check import combine, count
from drills.judge.facts import fact
from drills.judge.timeline import observed_until
from drills.record.history import CheckResult, History


@fact
def beyond_means(history: History) -> dict[str, int]:
    """Account -> the row of the exchange's book with which its purchases first came to more than it could pay."""
    free: dict[str, int] = defaultdict(int)
    free |= {row.id: row.cash for row in history.books["world"] if isinstance(row, Account)}
    found: dict[str, int] = {}
    for index, account, yen in _changes(history):
        free[account] += yen
        if yen < 0 and free[account] < 0:
            found.setdefault(account, index)
    return found


def _changes(history: History) -> Iterator[tuple[int, str, int]]:
    """Row, account, and by how many yen it changes what the account may still buy for: up to the end."""
    end = observed_until(history)
    left: dict[str, tuple[int, int]] = {}  # purchase -> shares that have not been traded, and their price
    for index, row in enumerate(history.books["exchange"]):
        if row.t_ns > end:
            continue
        if isinstance(row, ExchangeOrder) and row.side == "buy":
            left[row.id] = row.quantity, row.price
            yield index, row.account, -row.quantity * row.price
        elif isinstance(row, ExchangeExecution) and row.side == "sell":
            yield index, row.account, row.quantity * row.price
        elif isinstance(row, ExchangeExecution) and row.order in left:
            shares, price = left[row.order]
            left[row.order] = shares - row.quantity, price
        elif isinstance(row, ExchangeCancel) and row.id in left:
            shares, price = left.pop(row.id)
            yield index, row.account, shares * price


def bought_within_means(history: History) -> CheckResult:
    """No account's purchases, those that rest included, came to more than its cash and what it had sold by then."""
    accounts = {row.account for row in history.books["exchange"] if isinstance(row, ExchangeOrder)}
    rows = [f"exchange:{index}" for index in beyond_means(history).values()]
    return combine(count("orders.beyond-means", rows, len(accounts)))
