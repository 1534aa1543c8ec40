"""Every single harm done to a customer, as a list of instants: the counters behind containment and loss.

Lost availability is not in here; it is measured from samples. Domains say what harm they know of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drills.judge.interval import Interval
from drills.record.history import History


@dataclass(frozen=True, slots=True, order=True)
class Instance:
    """One harm: when the counter went up (ns), what its transaction is worth (yen), and the book row that shows it.

    ``began`` is before ``t`` where the harm was done at some instant between the two: a figure was read after it had
    been asked for and before it was received.
    """

    t: int
    yen: int
    evidence: str
    began: int | None = None

    def window(self, lateness: int) -> Interval:
        """When it was done, widened by ``lateness`` ns."""
        return Interval(self.t if self.began is None else self.began, self.t).widened(lateness)


@dataclass(frozen=True, slots=True)
class HarmKind:
    """A kind of harm, counted by ``metric``: how to find all of it up to the end of the observation, from ``books``.

    ``in_journal``: it stands in the customers' journal, and so is as late as the load. ``action``: a customer's
    transaction that has to be put right, and not only something that he was shown or told late.
    """

    metric: str
    books: tuple[str, ...]
    find: Callable[[History], list[Instance]]
    in_journal: bool = False
    action: bool = False


def happened(history: History, kinds: Sequence[HarmKind], since: int, lateness: int) -> list[Interval]:
    """When each harm at or after ``since`` was done; ``lateness`` (ns) is the load's."""
    return [
        one.window(lateness if kind.in_journal else 0) for kind in kinds for one in kind.find(history) if one.t >= since
    ]


def after(found: Sequence[Instance], since: int | None) -> list[Instance]:
    """Those at or after ``since``, all of them if None."""
    return [one for one in found if since is None or one.t >= since]
