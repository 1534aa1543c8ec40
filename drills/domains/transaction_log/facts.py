"""What the transaction log holds, against what was accepted: facts of a history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drills.domains.customers.rows import Reply
from drills.domains.orders import facts as orders
from drills.domains.transaction_log.rows import HighWater, LogFile, LogLine, LogTrace, LogVolume
from drills.judge.facts import fact
from drills.judge.timeline import observed_until
from drills.record.history import History

BOOK = "transactions"
REFUSED = "LOG_UNAVAILABLE"
"""What the relay answers where a line cannot be written."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An order that a customer was told is accepted, or that the brokerage holds: when (ns), its worth, its row."""

    key: str
    t_ns: int
    yen: int
    row: str


@fact
def accepted(history: History) -> list[Accepted]:
    """Every order that was accepted by the end, by the customers' word or the brokerage's own; each key once."""
    told = {intent.key: _told(history, intent) for intent in orders.acknowledged(history)}
    held = {each.row.key: each for each in orders.at_brokerage(history)}
    own = {
        key: Accepted(key, each.row.t_ns, each.row.quantity * each.row.price, f"oms:{each.index}")
        for key, each in held.items()
    }
    return sorted({**own, **told}.values(), key=lambda each: (each.t_ns, each.key))


@fact
def unlogged(history: History) -> list[Accepted]:
    """Accepted orders of which no whole line is in any file of the log."""
    lines = {row.key for row in history.books[BOOK] if isinstance(row, LogLine)}
    return [each for each in accepted(history) if each.key not in lines]


def high_water(history: History) -> tuple[str, HighWater] | None:
    """The highest number that was ever given, with its row; None where nobody noted it."""
    rows = enumerate(history.books[BOOK])
    return next(((f"{BOOK}:{index}", row) for index, row in rows if isinstance(row, HighWater)), None)


def of_before(history: History) -> list[LogFile]:
    """The files of the days before, but for copies."""
    mark = high_water(history)
    began = 0 if mark is None else mark[1].began
    return [row for _, row in files(history) if not row.copied and row.ranges and row.ranges[-1][1] <= began]


@fact
def missing_numbers(history: History) -> int:
    """How many of the numbers that were ever given are on no whole line of any file."""
    mark = high_water(history)
    highest = 0 if mark is None else mark[1].sequence
    spans = sorted(span for _, row in files(history) for span in row.ranges)
    there, reached = 0, 0
    for first, last in spans:
        begin = max(first, reached + 1)
        there += max(0, min(last, highest) - begin + 1)
        reached = max(reached, last)
    return highest - there


@fact
def files(history: History) -> list[tuple[str, LogFile]]:
    """Of the log, copies too, wherever they lie, each with its row."""
    rows = enumerate(history.books[BOOK])
    return [(f"{BOOK}:{index}", row) for index, row in rows if isinstance(row, LogFile)]


def traces(history: History) -> Iterator[LogTrace]:
    """Files that the raised level wrote, with a request in them."""
    return (row for row in history.books[BOOK] if isinstance(row, LogTrace) and row.requests)


def volume(history: History) -> tuple[str, LogVolume] | None:
    """As it was at the end, with its row; None where it had no limit of its own."""
    rows = enumerate(history.books[BOOK])
    return next(((f"{BOOK}:{index}", row) for index, row in rows if isinstance(row, LogVolume)), None)


def first_refusal(history: History) -> tuple[int, str] | None:
    """When the relay first refused a request because its line could not be written (ns), and the customer's row."""
    end = observed_until(history)
    for index, row in enumerate(history.books["customers"]):
        if isinstance(row, Reply) and row.error == REFUSED and row.t_ns <= end:
            return row.t_ns, f"customers:{index}"
    return None


def _told(history: History, intent: orders.Intent) -> Accepted:
    index = intent.acknowledged or 0
    quantity, price = intent.terms[3], intent.terms[4]
    return Accepted(intent.key, history.books["customers"][index].t_ns, quantity * price, f"customers:{index}")
