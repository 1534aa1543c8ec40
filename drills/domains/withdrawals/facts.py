"""What became of withdrawals: facts of a history.

What was paid is the bank's word and what was wanted the customers'. Both are held against each other, and against what
the brokerage decided, by account and amount: no reference that the brokerage gives or loses is needed for that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from drills.domains.customers.rows import Request
from drills.domains.withdrawals.rows import BankPayout, LinkSent, Withdrawal
from drills.judge.facts import fact
from drills.judge.timeline import observed_until
from drills.record.history import History

BOOK = "withdrawals"

Kind = tuple[str, int]
"""Account and yen."""

T = TypeVar("T", "Held", "Paid")

OPEN = ("pending", "unknown")
NOT_PAID = ("rejected", "reversed")


@dataclass(frozen=True, slots=True)
class Held:
    """A withdrawal as the brokerage had it at the end of the observation, and its place in the book."""

    place: str
    row: Withdrawal
    settled: bool

    @property
    def kind(self) -> Kind:
        """Whose it is, and how much."""
        return self.row.account, self.row.yen


@dataclass(frozen=True, slots=True)
class Paid:
    """A payout that the bank decided on by the end of the observation, and its place in the bank's book."""

    place: str
    row: BankPayout

    @property
    def kind(self) -> Kind:
        """Whose it is, and how much."""
        return self.row.account, self.row.yen


@fact
def held(history: History) -> list[Held]:
    """All that were taken by the end; what was settled or told later was not yet so."""
    end = observed_until(history)
    return [
        Held(f"{BOOK}:{index}", row, row.state not in OPEN and row.settled_ns <= end)
        for index, row in enumerate(history.books[BOOK])
        if isinstance(row, Withdrawal) and row.t_ns <= end
    ]


@fact
def in_doubt(history: History) -> list[Held]:
    """Those that ever were unknown."""
    end = observed_until(history)
    return [each for each in held(history) if 0 < each.row.unknown_ns <= end]


@fact
def decided(history: History) -> list[Paid]:
    """The bank's word on each, booked or rejected, in the order of its book."""
    end = observed_until(history)
    return [
        Paid(f"bank:{index}", row)
        for index, row in enumerate(history.books["bank"])
        if isinstance(row, BankPayout) and row.t_ns <= end
    ]


@fact
def booked(history: History) -> list[Paid]:
    """What the bank has paid."""
    return [each for each in decided(history) if each.row.state == "booked"]


@fact
def wanted(history: History) -> dict[Kind, int]:
    """How often customers meant to have it: attempts at the same intent are one."""
    meant: dict[Kind, set[str]] = defaultdict(set)
    for row in history.books["customers"]:
        if isinstance(row, Request) and row.action == "withdrawal":
            meant[row.account, row.yen].add(row.root or row.key)
    return {kind: len(roots) for kind, roots in meant.items()}


@fact
def paid_twice(history: History) -> list[Paid]:
    """Payments beyond what their customer meant to have, the later ones."""
    left = Counter(wanted(history))
    found = []
    for each in booked(history):
        left[each.kind] -= 1
        if left[each.kind] < 0:
            found.append(each)
    return found


@dataclass(frozen=True, slots=True)
class Differences:
    """Where the brokerage's word is not the bank's: given back although paid, taken although not paid.

    ``unknown_to_us``: further payments of the bank for which the brokerage has no withdrawal.
    """

    reversed_but_paid: tuple[Held, ...]
    completed_but_not_paid: tuple[Held, ...]
    unknown_to_us: tuple[Paid, ...]


@fact
def differences(history: History) -> Differences:
    """Account by account and amount by amount; of what is open nobody has said anything yet."""
    ours, theirs = _by_kind(held(history)), _by_kind(booked(history))
    back, unpaid, more = list[Held](), list[Held](), list[Paid]()
    for kind in {**ours, **theirs}:
        paid = list(theirs.get(kind, ()))
        mine = sorted(ours.get(kind, ()), key=lambda each: each.row.settled_ns)
        completed = [each for each in mine if each.settled and each.row.state == "completed"]
        open_ = [each for each in mine if not each.settled]
        given_back = [each for each in mine if each.settled and each.row.state in NOT_PAID]
        surplus = len(paid) - len(completed)
        if surplus < 0:
            unpaid += completed[surplus:]
        surplus -= len(open_)
        if surplus > 0:
            # the ones an operator gave back before those of which the bank itself said that they were not paid
            suspects = sorted(given_back, key=lambda each: each.row.state == "rejected")
            back += suspects[:surplus]
            more += paid[len(paid) - max(0, surplus - len(suspects)) :]
    return Differences(tuple(back), tuple(unpaid), tuple(more))


@fact
def untraced(history: History) -> list[Paid]:
    """What the bank decided under a reference that no line of the link's log has."""
    known = {row.id for row in history.books[BOOK] if isinstance(row, LinkSent)}
    return [each for each in decided(history) if each.row.key not in known]


def accounts(history: History) -> set[str]:
    """Of all withdrawals."""
    return {each.row.account for each in held(history)}


def open_accounts(history: History) -> set[str]:
    """Of withdrawals that are open, or were settled so lately that its postings may not have been seen."""
    end = observed_until(history) - history.plan.slo.grace
    return {each.row.account for each in held(history) if not each.settled or each.row.settled_ns > end}


@fact
def stuck(history: History) -> list[Held]:
    """Those that were open at the end although they had been taken longer than the grace before it."""
    due = observed_until(history) - history.plan.slo.grace
    return [each for each in held(history) if not each.settled and each.row.t_ns <= due]


def untold(history: History) -> Iterator[Held]:
    """Those that had been unknown whose customer was not told by the end how they ended, or was told what is not so."""
    end, found = observed_until(history), differences(history)
    untrue = {each.row.id for each in (*found.reversed_but_paid, *found.completed_but_not_paid)}
    for each in in_doubt(history):
        told = 0 < each.row.told_ns <= end and each.row.told == each.row.state
        if not (each.settled and told) or each.row.id in untrue:
            yield each


def _by_kind(rows: list[T]) -> dict[Kind, list[T]]:
    found: dict[Kind, list[T]] = defaultdict(list)
    for each in rows:
        found[each.kind].append(each)
    return found
