"""What became of the executions: each at the exchange, with its posting and its notice, and what matches nothing.

The books are read after the load has stopped, seconds after the end of the observation. What was posted or delivered
in between had not been done at the end, and counts for nothing here, neither for the target nor against it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from drills.domains.cash.rows import Account, Posting
from drills.domains.orders.rows import ExchangeExecution, Notice, OmsExecution
from drills.judge.facts import fact
from drills.judge.timeline import observed_until
from drills.record.books import Row
from drills.record.history import History

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Trade:
    """An execution at the exchange with the rows of ``oms`` and ``notices`` about it, as (place, row)."""

    index: int
    row: ExchangeExecution
    posted: tuple[tuple[int, OmsExecution], ...]
    noticed: tuple[tuple[int, Notice], ...]

    @property
    def settled_at(self) -> int | None:
        """When it was both posted and notified, ns; None if either is missing."""
        if not self.posted or not self.noticed:
            return None
        return max(self.posted[0][1].t_ns, self.noticed[0][1].t_ns)

    @property
    def same(self) -> bool:
        """Whether each posted row says what the exchange says."""
        return all(terms(row) == terms(self.row) for _, row in self.posted)


def terms(row: ExchangeExecution | OmsExecution) -> tuple[str, str, str, int, int]:
    """What two statements of one execution must agree on."""
    return row.account, row.code, row.side, row.quantity, row.price


@fact
def trades(history: History) -> list[Trade]:
    """Every execution in the exchange's book, in its order, with what the target had done about it by the end."""
    posted: dict[str, list[tuple[int, OmsExecution]]] = defaultdict(list)
    for index, execution in posted_executions(history):
        posted[execution.id].append((index, execution))
    noticed: dict[str, list[tuple[int, Notice]]] = defaultdict(list)
    for index, notice in notices(history):
        noticed[notice.key].append((index, notice))
    return [
        Trade(index, row, _by_time(posted[row.id]), _by_time(noticed[row.id]))
        for index, row in enumerate(history.books["exchange"])
        if isinstance(row, ExchangeExecution)
    ]


def posted_executions(history: History) -> Iterator[tuple[int, OmsExecution]]:
    """The executions the target says it had posted by the end of the observation, with their places."""
    end = observed_until(history)
    for index, row in enumerate(history.books.get("oms", ())):
        if isinstance(row, OmsExecution) and row.t_ns <= end:
            yield index, row


def notices(history: History) -> Iterator[tuple[int, Notice]]:
    """The notices the target had delivered by the end of the observation, with their places."""
    end = observed_until(history)
    for index, row in enumerate(history.books.get("notices", ())):
        if isinstance(row, Notice) and row.t_ns <= end:
            yield index, row


def _by_time(rows: list[tuple[int, R]]) -> tuple[tuple[int, R], ...]:
    return tuple(sorted(rows, key=lambda pair: (pair[1].t_ns, pair[0])))


def unknown_postings(history: History, known: list[Trade]) -> list[tuple[int, OmsExecution]]:
    """Posted, but not in the exchange's book."""
    ids = {trade.row.id for trade in known}
    return [(index, row) for index, row in posted_executions(history) if row.id not in ids]


def unknown_notices(history: History, known: list[Trade]) -> list[tuple[int, Notice]]:
    """Delivered, about an execution that the exchange's book does not hold."""
    ids = {trade.row.id for trade in known}
    return [(index, row) for index, row in notices(history) if row.key not in ids]


@fact
def late_notices(history: History) -> list[Trade]:
    """Executions whose notice came later than the limit, or had not come although the limit had passed."""
    limit, end = history.plan.slo.notice, observed_until(history)
    late = []
    for trade in trades(history):
        due = trade.row.t_ns + limit
        came = trade.noticed[0][1].t_ns if trade.noticed else None
        if due <= end and (came is None or came > due):
            late.append(trade)
    return late


@fact
def repeated_postings(history: History) -> list[tuple[int, Posting]]:
    """Customer legs beyond the first of one reference on one account: the same movement posted again."""
    end = observed_until(history)
    customers = {row.account or row.id for row in history.books["world"] if isinstance(row, Account)}
    seen: set[tuple[str, str]] = set()
    again = []
    for index, row in enumerate(history.books.get("oms", ())):
        if isinstance(row, Posting) and row.account in customers and row.t_ns <= end:
            if (row.reference, row.account) in seen:
                again.append((index, row))
            seen.add((row.reference, row.account))
    return again


@fact
def due(history: History) -> list[Trade]:
    """Executions that are old enough, at the end of the observation, to have been settled."""
    until = observed_until(history) - history.plan.slo.grace
    return [trade for trade in trades(history) if trade.row.t_ns <= until]
