"""What a domain is: a part of the business that runs are judged by, as data that the judge puts together.

The judge knows no domain. Each is a folder of ``drills.domains`` that offers one ``Domain``;
``drills.domains.registry`` lists them, and whoever judges is handed that list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from drills.judge.check import Check
from drills.judge.harm import HarmKind
from drills.judge.metric import Metric
from drills.judge.milestones import Milestone
from drills.judge.text import Text
from drills.record.books import Row
from drills.record.history import Count, History


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that must be right again after a fault: ``since(history, after, lateness)`` tells from when on it was.

    ``after`` is when the fault was injected, ``lateness`` the load's, both in ns. Without ``books`` nobody can tell.
    """

    books: tuple[str, ...]
    since: Callable[[History, int, int], Milestone]


@dataclass(frozen=True, slots=True)
class Residual:
    """Something that must not be left at the end of the observation, counted from ``books``."""

    books: tuple[str, ...]
    left: Callable[[History], Count]


@dataclass(frozen=True, slots=True)
class Domain:
    """``restored`` are conditions of good service, ``reconciled`` of books that agree; ``words`` by count or reason.

    ``rows`` are its rows of each book. ``only_with`` are books without which there is nothing for it to judge: a run
    that does not list them was made where there were none.
    """

    id: str
    checks: tuple[Check, ...] = ()
    metrics: tuple[Metric, ...] = ()
    harms: tuple[HarmKind, ...] = ()
    restored: tuple[Condition, ...] = ()
    reconciled: tuple[Condition, ...] = ()
    residuals: tuple[Residual, ...] = ()
    words: Mapping[str, Text] = field(default_factory=dict)
    rows: Mapping[str, tuple[type[Row], ...]] = field(default_factory=dict)
    only_with: tuple[str, ...] = ()


def books_of(parts: Iterable[Condition | Residual | HarmKind]) -> tuple[str, ...]:
    """The books that these need, in the order in which they are first named."""
    return tuple(dict.fromkeys(book for part in parts for book in part.books))
