"""The independent word on cash: what a customer could rightly have been shown, from witnesses and the world alone.

A cash figure read somewhere between ``sent`` and ``received`` is right when it is the sum of

- the opening cash,
- a *prefix* of the account's executions in the order of the exchange's book: any that holds every execution older than
  ``sent`` minus the grace, and none after ``received``;
- a prefix of its repayments in the order of the bank's book, held to the same, but for this: the brokerage takes the
  money before it asks the bank, so a payment may be in the figure up to the grace before the bank has decided on it;
- the night's variation: the account's lots times the difference of the two closing prices. Before the batch may run it
  is not in; then it may be; it must be in a figure shown for the new business date, and once pages should have rolled.

Adjustments are no part of it. They are the target's own word on what was wrong, and a figure is not right because the
one who shows it has corrected it to be so; no page makes one in a drill whose figures are judged.

A figure marked as not current promises nothing and is never wrong. Undecidable is another figure than cash, one of an
account of which the world knows nothing, one that may hold a repayment where the bank's book is not there, or a
variation whose price is missing, and one of an account whose lots were taken away again while the load went on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drills.domains.cash import rows as cash_rows
from drills.domains.customers.rows import Request
from drills.domains.figures.rows import Acted, Shown
from drills.domains.night import calendar as nights
from drills.domains.orders.rows import ExchangeExecution
from drills.judge.facts import fact
from drills.judge.timeline import observed_until
from drills.record.history import History

CASH = "cash"
"""The figure that this oracle knows; of any other nobody can tell whether it is right."""

AT_THE_BANK = ("repayment", "withdrawal")
"""What customers ask for that a bank decides on."""

Movements = list[tuple[int, int]]
"""Instant in ns and yen, in the order of their book."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Yen after each prefix of movements: ``sums[k]`` after the first k, the k-th at ``times[k - 1]`` ns."""

    sums: tuple[int, ...]
    times: tuple[int, ...]

    @staticmethod
    def of(movements: Movements) -> Sums:
        """Add them up in their order."""
        sums, times, latest = [0], [], 0
        for t, yen in movements:
            sums.append(sums[-1] + yen)
            latest = max(latest, t)  # the book's order decides; a stamp out of order must not break the search
            times.append(latest)
        return Sums(tuple(sums), tuple(times))

    def between(self, sure: int, latest: int) -> Sequence[int]:
        """The values that hold every movement up to ``sure`` and none after ``latest``."""
        low, high = bisect_right(self.times, sure), bisect_right(self.times, latest)
        return self.sums[low : high + 1]


@dataclass(frozen=True, slots=True)
class Account:
    """What moves the cash of one account, yen; from ``unsure`` (ns) on nobody can tell what did."""

    opening: int
    executions: Sums
    repayments: Sums
    variation: tuple[int, ...]
    unsure: int | None


@dataclass(frozen=True, slots=True)
class Oracle:
    """All accounts of a history; ``grace`` in ns."""

    accounts: dict[str, Account]
    night: nights.Night | None
    grace: int

    def right(self, name: str, sent: int, received: int, as_of: str = "") -> frozenset[int] | None:
        """All yen that ``name`` could rightly have been shown in the window, for the date; None if nobody can tell."""
        account = self.accounts.get(name)
        if account is None or (account.unsure is not None and account.unsure <= received):
            return None
        varied = self.varied(account, sent, received, as_of)
        if varied is None:
            return None
        sure = sent - self.grace
        traded = account.executions.between(sure, received)
        repaid = account.repayments.between(sure, received + self.grace)
        return frozenset(account.opening + v + r + e for v in varied for r in repaid for e in traded)

    def in_night(self, t: int) -> bool:
        """Whether the night's batch may have run by ``t``, ns."""
        return self.night is not None and self.night.begins is not None and t >= self.night.begins

    def varied(self, account: Account, sent: int, received: int, as_of: str) -> tuple[int, ...] | None:
        """What the night can have moved in such a figure; None where a price is missing that is needed."""
        if self.night is None:
            return (0,)
        rolled = self.night.rolls is not None and sent > self.night.rolls + self.grace
        must = rolled or as_of >= self.night.day
        if not must and not self.in_night(received):
            return (0,)
        if not account.variation:
            return None
        return account.variation if must else (0, *account.variation)


@fact
def oracle(history: History) -> Oracle:
    """Every account of the world with what the witnesses make of its opening cash."""
    night = nights.night(history)
    traded, repaid, unsure = _executions(history), _repayments(history), _unsure(history)
    varied = nights.variations(history, night) if night is not None else {}
    known = {row.account or row.id: row.cash for row in history.books["world"] if isinstance(row, cash_rows.Account)}
    accounts = {
        name: Account(cash, Sums.of(traded[name]), Sums.of(repaid[name]), varied.get(name, (0,)), unsure.get(name))
        for name, cash in known.items()
    }
    return Oracle(accounts, night, history.plan.slo.grace)


def effect(execution: ExchangeExecution) -> int:
    """What an execution does to the customer's cash, yen."""
    value = execution.quantity * execution.price
    return -value if execution.side == "buy" else value


def _executions(history: History) -> dict[str, Movements]:
    found: dict[str, Movements] = defaultdict(list)
    for row in history.books["exchange"]:
        if isinstance(row, ExchangeExecution):
            found[row.account].append((row.t_ns, effect(row)))
    return found


def _repayments(history: History) -> dict[str, Movements]:
    """What was rejected is taken and given back, so that a figure around that instant may be without the money."""
    found: dict[str, Movements] = defaultdict(list)
    for row in history.books.get("bank", ()):
        if isinstance(row, cash_rows.BankPayment):
            found[row.account].append((row.t_ns, -row.yen))
            if row.state == "rejected":
                found[row.account].append((row.t_ns, row.yen))
    return found


def _unsure(history: History) -> dict[str, int]:
    """Account -> the instant from which on nobody can tell, ns."""
    found: dict[str, int] = {}
    for account, t in (*_unrecorded(history), *_taken_away(history)):
        found[account] = min(t, found.get(account, t))
    return found


def _unrecorded(history: History) -> Iterable[tuple[str, int]]:
    """Repayments and withdrawals asked for of which no book of a bank tells what became."""
    if "bank" in history.books:
        return ()
    rows = history.books.get("customers", ())
    return ((row.account, row.t_ns) for row in rows if isinstance(row, Request) and row.action in AT_THE_BANK)


def _taken_away(history: History) -> Iterable[tuple[str, int]]:
    """Accounts whose added lots were removed again: what was booked for them is taken back at no certain instant."""
    gone = ((lots, lots.gone) for lots in nights.added(history))
    return ((account, t) for lots, t in gone if t is not None for account, _, _ in lots.lots)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that was shown: its place in the customers' book, and what the oracle says of it."""

    index: int
    row: Shown
    wrong: bool
    undecidable: bool


@fact
def figures(history: History) -> list[Figure]:
    """Every figure received before the end of the observation, judged, in the order received."""
    end, word = observed_until(history), oracle(history)
    found = [
        _judge(index, row, word)
        for index, row in enumerate(history.books["customers"])
        if isinstance(row, Shown) and row.received_ns <= end
    ]
    return sorted(found, key=lambda figure: (figure.row.received_ns, figure.index))


def _judge(index: int, row: Shown, word: Oracle) -> Figure:
    known = row.figure == CASH
    right = word.right(row.account, row.sent_ns, row.received_ns, row.as_of) if known else None
    if right is None:
        return Figure(index, row, wrong=False, undecidable=True)
    return Figure(index, row, wrong=row.current and row.yen not in right, undecidable=False)


@dataclass(frozen=True, slots=True)
class Reliance:
    """A customer acted on a figure: place and row of the action, and what the oracle says of the figure."""

    index: int
    row: Acted
    wrong: bool
    undecidable: bool


@fact
def reliances(history: History) -> list[Reliance]:
    """Every action on a shown figure up to the end of the observation, by time.

    Of a figure that is in nobody's journal nobody can tell whether it was right.
    """
    end, shown = observed_until(history), figures(history)
    wrong = {figure.row.id for figure in shown if figure.wrong}
    decided = {figure.row.id for figure in shown if not figure.undecidable}
    found = [
        Reliance(index, row, row.shown in wrong, row.shown not in decided)
        for index, row in enumerate(history.books["customers"])
        if isinstance(row, Acted) and row.t_ns <= end
    ]
    return sorted(found, key=lambda reliance: (reliance.row.t_ns, reliance.index))
