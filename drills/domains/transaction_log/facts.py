"""What the transaction log holds, against what was accepted: facts of a history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drills.domains.customers.rows import Reply, Request
from drills.domains.orders import facts as orders
from drills.domains.orders.rows import OmsOrder
from drills.domains.transaction_log.rows import LogFile, LogLine, LogTrace, VolumeState
from drills.judge.facts import fact
from drills.judge.timeline import observed_until
from drills.record.history import History

BOOK = "transactions"
KEYED = ("order", "repayment")
"""What customers ask for under a key of their own."""
REFUSED = "LOG_UNAVAILABLE"
"""What the relay answers where a line cannot be written."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Something that was accepted: when (ns), its worth in yen, and the row that says so."""

    account: str
    key: str
    t_ns: int
    yen: int
    row: str


@fact
def accepted(history: History) -> list[Accepted]:
    """What customers were told by the end is accepted, and what the brokerage has stored of it, a row each."""
    return [*_told(history), *_stored(history)]


@fact
def unlogged(history: History) -> list[Accepted]:
    """Of these, what stands on no whole line of any file. A log that lost its end is seen by this alone."""
    logged = {(row.account, row.key) for row in history.books[BOOK] if isinstance(row, LogLine) and row.key}
    return [each for each in accepted(history) if (each.account, each.key) not in logged]


def files(history: History) -> Iterator[LogFile]:
    """Of the log, copies too, wherever they lie."""
    return (row for row in history.books[BOOK] if isinstance(row, LogFile))


def traces(history: History) -> list[LogTrace]:
    """Files that the raised level wrote, with a request in them."""
    return [row for row in history.books[BOOK] if isinstance(row, LogTrace) and row.requests]


def volume(history: History) -> VolumeState | None:
    """The log's volume at the end; None where it had no limit of its own."""
    return next((row for row in history.books[BOOK] if isinstance(row, VolumeState)), None)


def first_refusal(history: History) -> tuple[int, str] | None:
    """When the relay first refused a request because its line could not be written (ns), and the customer's row."""
    end = observed_until(history)
    for index, row in enumerate(history.books["customers"]):
        if isinstance(row, Reply) and row.error == REFUSED and row.t_ns <= end:
            return row.t_ns, f"customers:{index}"
    return None


def _told(history: History) -> Iterator[Accepted]:
    end, worth = observed_until(history), dict[str, int]()
    for index, row in enumerate(history.books["customers"]):
        if isinstance(row, Request):
            worth[row.key] = row.quantity * row.price
        elif isinstance(row, Reply) and row.action in KEYED and row.outcome == "ok" and row.t_ns <= end:
            yield Accepted(row.account, row.key, row.t_ns, worth.get(row.key, 0), f"customers:{index}")


def _stored(history: History) -> Iterator[Accepted]:
    end, earlier = observed_until(history), orders.resting(history)
    for index, row in enumerate(history.books["oms"]):
        if isinstance(row, OmsOrder) and row.t_ns <= end and row.key not in earlier:
            yield Accepted(row.account, row.key, row.t_ns, row.quantity * row.price, f"oms:{index}")
