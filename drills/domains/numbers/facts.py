"""What became of order numbers, by the exchange's book: facts of a history."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from drills.domains.customers.rows import Reply
from drills.domains.numbers.rows import CounterSeen
from drills.domains.orders import facts as orders
from drills.domains.orders.rows import ExchangeCancel, ExchangeExecution
from drills.judge.facts import fact
from drills.judge.timeline import events, observed_until
from drills.record.history import History, Kind

BOOK = "counters"
NOT_TAKEN = "REJECTED"
"""What a customer is answered whose order the exchange would not take."""


@dataclass(frozen=True, slots=True)
class Near:
    """How near the limit a fault has put the counter: the last number given before, and the highest there was room for.

    ``t_ns`` is when it was there.
    """

    last: int
    most: int
    t_ns: int


@fact
def near(history: History) -> Near | None:
    """By the harness's own evidence; None where no fault has done that."""
    for fault in history.plan.faults:
        for event in events(history, f"fault:{fault.index}", "inject", Kind.OK):
            if "most" in event.data:
                return Near(event.data["last"], event.data["most"], event.t)
    return None


@fact
def numbered(history: History) -> list[orders.AtExchange]:
    """Orders that the exchange took with a number up to the end of the observation, in its order."""
    end = observed_until(history)
    return [each for each in orders.at_exchange(history) if each.row.number and each.row.t_ns <= end]


@fact
def shared(history: History) -> list[orders.AtExchange]:
    """Orders that were taken under a number which another live one had, whichever day that came from."""
    ended = _ends(history)
    under: dict[str, list[orders.AtExchange]] = defaultdict(list)
    found = []
    for each in numbered(history):
        number = each.row.number.lstrip("0")
        if any(ended.get(other.row.id, math.inf) > each.row.t_ns for other in under[number]):
            found.append(each)
        under[number].append(each)
    return found


@fact
def not_taken(history: History) -> list[tuple[int, Reply]]:
    """Answers by which customers were told up to the end that the exchange refused their order, with their places."""
    end, rows = observed_until(history), enumerate(history.books["customers"])
    return [
        (index, row)
        for index, row in rows
        if isinstance(row, Reply) and row.action == "order" and row.error == NOT_TAKEN and row.t_ns <= end
    ]


@fact
def reached(history: History) -> orders.AtExchange | None:
    """The first order at the exchange with the last of the numbers there was room for, or beyond; None: none yet."""
    limit = near(history)
    if limit is None:
        return None
    own = (each for each in numbered(history) if each.row.key not in orders.resting(history))
    return next((each for each in own if int(each.row.number) >= limit.most), None)


def looks(history: History) -> list[tuple[int, CounterSeen]]:
    """The brokerage's looks at its counters up to the end of the observation, with their places."""
    end, rows = observed_until(history), enumerate(history.books[BOOK])
    return [(index, row) for index, row in rows if isinstance(row, CounterSeen) and row.t_ns <= end]


def _ends(history: History) -> dict[str, int]:
    """ClOrdID -> when nothing of the order rested any more, ns."""
    wanted = {each.row.id: each.row.quantity for each in orders.at_exchange(history)}
    ended: dict[str, int] = {}
    for row in history.books["exchange"]:
        if isinstance(row, ExchangeCancel):
            ended.setdefault(row.id, row.t_ns)
        elif isinstance(row, ExchangeExecution) and row.order in wanted:
            wanted[row.order] -= row.quantity
            if wanted[row.order] <= 0:
                ended.setdefault(row.order, row.t_ns)
    return ended
