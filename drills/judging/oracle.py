"""The independent word on cash: what a customer could rightly have been shown, from the world and the exchange alone.

A cash figure read somewhere between ``sent`` and ``received`` is right when it equals the opening cash plus a *prefix*
of the account's executions in the order of the exchange's book: any prefix that holds every execution older than
``sent`` minus the grace, and none after ``received``. A figure marked as not current promises nothing and is never
wrong. An account of which the world knows nothing is undecidable.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from drills import books
from drills.history import History
from drills.judging.timeline import observed_until


@dataclass(frozen=True, slots=True)
class Account:
    """Cash after each prefix of executions: ``cash[k]`` in yen after the first k, the k-th at ``times[k - 1]`` ns."""

    cash: tuple[int, ...]
    times: tuple[int, ...]

    def between(self, sure: int, latest: int) -> Sequence[int]:
        """The values that hold every execution up to ``sure`` and none after ``latest``."""
        low, high = bisect_right(self.times, sure), bisect_right(self.times, latest)
        return self.cash[low : high + 1]


def accounts(history: History) -> dict[str, Account]:
    """Every account of the world with what its executions make of its opening cash."""
    effects: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in history.books["exchange"]:
        if isinstance(row, books.ExchangeExecution):
            effects[row.account].append((row.t_ns, effect(row)))
    return {
        row.account or row.id: _account(row.cash, effects[row.account or row.id])
        for row in history.books["world"]
        if isinstance(row, books.Account)
    }


def effect(execution: books.ExchangeExecution) -> int:
    """What an execution does to the customer's cash, yen."""
    value = execution.quantity * execution.price
    return -value if execution.side == "buy" else value


def _account(opening: int, effects: list[tuple[int, int]]) -> Account:
    cash, times, latest = [opening], [], 0
    for t, yen in effects:
        cash.append(cash[-1] + yen)
        latest = max(latest, t)  # the book's order decides; a stamp out of order must not break the search
        times.append(latest)
    return Account(tuple(cash), tuple(times))


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that was shown: its place in the customers' book, and what the oracle says of it."""

    index: int
    row: books.Shown
    wrong: bool
    undecidable: bool


def figures(history: History) -> list[Figure]:
    """Every cash figure received before the end of the observation, judged, in the order received."""
    end, grace = observed_until(history), history.plan.slo.grace
    known = accounts(history)
    found = [
        _judge(index, row, known.get(row.account), grace)
        for index, row in enumerate(history.books["customers"])
        if isinstance(row, books.Shown) and row.received_ns <= end
    ]
    return sorted(found, key=lambda figure: (figure.row.received_ns, figure.index))


def _judge(index: int, row: books.Shown, account: Account | None, grace: int) -> Figure:
    if account is None:
        return Figure(index, row, wrong=False, undecidable=True)
    wrong = row.current and row.yen not in account.between(row.sent_ns - grace, row.received_ns)
    return Figure(index, row, wrong=wrong, undecidable=False)


@dataclass(frozen=True, slots=True)
class Reliance:
    """A customer acted on a figure: place and row of the action, and whether the figure was wrong."""

    index: int
    row: books.Acted
    wrong: bool


def reliances(history: History, shown: list[Figure]) -> list[Reliance]:
    """Every action on a shown figure up to the end of the observation, by time."""
    end = observed_until(history)
    wrong = {figure.row.id for figure in shown if figure.wrong}
    found = [
        Reliance(index, row, row.shown in wrong)
        for index, row in enumerate(history.books["customers"])
        if isinstance(row, books.Acted) and row.t_ns <= end
    ]
    return sorted(found, key=lambda reliance: (reliance.row.t_ns, reliance.index))
