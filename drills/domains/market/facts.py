"""Which price an instrument had when: facts of a history."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from drills.domains.congestion.facts import LATE
from drills.domains.customers.rows import Request
from drills.domains.market.rows import MarketPrice
from drills.domains.orders import facts as orders
from drills.domains.orders.rows import ExchangeOrder
from drills.judge.facts import fact
from drills.judge.timeline import observed_until
from drills.record.history import History

BOOK = "market"


@dataclass(slots=True)
class Path:
    """An instrument's price from each of the instants on (ns), in that order."""

    since: list[int] = field(default_factory=list)
    prices: list[int] = field(default_factory=list)

    def at(self, instant: int) -> int | None:
        """The price then; None before the first."""
        index = bisect_right(self.since, instant) - 1
        return self.prices[index] if index >= 0 else None

    def within(self, start: int, end: int) -> list[int]:
        """Every price that it had between the two, both included."""
        first = max(0, bisect_right(self.since, start) - 1)
        return self.prices[first : bisect_left(self.since, end + 1)]


@fact
def paths(history: History) -> dict[str, Path]:
    """Code -> how its price moved; of those alone that did."""
    found: dict[str, Path] = {}
    for row in sorted((each for each in history.books[BOOK] if isinstance(each, MarketPrice)), key=lambda r: r.t_ns):
        path = found.setdefault(row.id, Path())
        path.since.append(row.t_ns)
        path.prices.append(row.price)
    return found


@dataclass(frozen=True, slots=True)
class Late:
    """A late order, and by how much the price had moved since its customer meant it to be there, yen a share."""

    row: ExchangeOrder
    moved: int


@fact
def late(history: History) -> list[Late]:
    """The orders of instruments whose price moves that came late, up to the end."""
    meant: dict[str, int] = {}
    for row in history.books["customers"]:
        if isinstance(row, Request) and row.action == "order":
            meant.setdefault(row.root or row.key, row.intended_ns)
            meant.setdefault(row.key, meant[row.root or row.key])
    end, found = observed_until(history), []
    for each in orders.at_exchange(history):
        path, due = paths(history).get(each.row.code), meant.get(each.row.key)
        if path is None or due is None or each.row.t_ns > end or each.row.t_ns - due <= LATE:
            continue
        before, now = path.at(due), path.at(each.row.t_ns)
        if before is not None and now is not None:
            found.append(Late(each.row, abs(now - before)))
    return found
