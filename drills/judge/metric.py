"""What is measured of a run: a metric is one registration, and whoever reads metrics reads the registry.

A metric has a value for each window that it declares and, where it has them, for each service. A number is measured in
whole units: time in ns, counts and yen as they are, ratios in millionths. What cannot be known is None.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from drills.judge import outage, timeline
from drills.judge.harm import HarmKind, after
from drills.judge.interval import Interval, point
from drills.judge.milestones import Durations, Milestones, durations
from drills.judge.text import Text
from drills.record.history import NS, History
from drills.record.unsupported import THINGS

MILLION = 1_000_000

SCALE: Mapping[str, int] = {"s": NS, "ratio": MILLION}
"""How many of the measured units make one of the card's; 1 if not named."""


class Window(StrEnum):
    """Which part of the observation a value is of."""

    ALL = "all"
    AFTER_ALERT = "after_alert"
    AFTER_FIRST_STEP = "after_first_step"
    DURING_FAULT = "during_fault"
    AFTER_FAULT = "after_fault"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the observation: from ``since`` (ns; None: its start) to ``until`` (ns, excluded; None: its end).

    A metric of which no window ends before the observation does need not look at ``until``.
    """

    since: int | None = None
    until: int | None = None

    def has(self, t: int) -> bool:
        """Whether the instant (ns) lies in it."""
        return (self.since is None or t >= self.since) and (self.until is None or t < self.until)


@dataclass(frozen=True, slots=True)
class Observed:
    """What metrics are measured from: the history and when what happened in it."""

    history: History
    at: Milestones
    spans: Durations

    @staticmethod
    def of(history: History, at: Milestones) -> Observed:
        """With the spans between the milestones."""
        return Observed(history, at, durations(at))

    def part(self, window: Window) -> Part | None:
        """Where the window lies; None where there is none: nobody was alerted, or the fault outlasted the observation.

        Where the operator never changed anything, nothing of the run came before his first step: all of it counts. So
        it does in an arm that injects nothing, for what holds while a fault strikes and after it must hold without one.
        """
        if window in (Window.DURING_FAULT, Window.AFTER_FAULT):
            return self._of_fault(window)
        if window == Window.AFTER_ALERT:
            return None if self.at.alert is None else Part(self.at.alert.latest)
        return Part(timeline.first_change(self.history) if window == Window.AFTER_FIRST_STEP else None)

    def _of_fault(self, window: Window) -> Part | None:
        """From the first injection to the last undo that was planned, or from that undo on."""
        if not self.history.plan.injects:
            return Part()
        struck = timeline.injected_at(self.history)
        if struck is None:
            return None
        over = timeline.undone_at(self.history)
        if window == Window.DURING_FAULT:
            return Part(struck.earliest, over)
        return None if over is None else Part(over)


@dataclass(frozen=True, slots=True)
class Harm:
    """That a metric counts harm to customers: above zero it has a limit, an acceptance with its reason, or is named.

    ``limited_by``: other metrics whose limit, and checks which, where a drill asks for them, limit this one as well.
    ``sum_of``: metrics whose amounts it only adds up; it is limited or accepted where all of them are.
    """

    limited_by: frozenset[str] = frozenset()
    sum_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """``unit``: ``s``, ``count``, ``yen`` or ``ratio``.

    ``measure`` gives the value in a part of the observation, ``by_service`` that of each service. ``needs``: of books,
    alerts and operator, what a target must have for it; ``books``: those books. ``span``: between milestones, so that
    arms without a fault have none. ``settled``: it waits for all books to be right, where a target keeps any.
    ``always``: shown even where it is zero; ``detail``: shown nowhere but where it explains. ``part_of``: the metric
    that counts those of which these are some.
    """

    id: str
    unit: str
    words: Text
    measure: Callable[[Observed, Part], Interval | None]
    windows: tuple[Window, ...] = (Window.ALL,)
    by_service: Callable[[Observed, Part], Mapping[str, Interval]] | None = None
    more_is_better: bool = False
    needs: frozenset[str] = frozenset()
    books: tuple[str, ...] = ()
    harm: Harm | None = None
    span: bool = False
    settled: bool = False
    always: bool = False
    part_of: str | None = None
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """What was measured in a window; ``of`` names the service it is of, None: all of them."""

    window: Window
    of: str | None
    measured: Interval | None


def values(metric: Metric, observed: Observed) -> list[Value]:
    """All of a metric's values, the whole before its parts; one of no service before those of services."""
    found = []
    for window in metric.windows:
        part = observed.part(window)
        ask = part is not None and is_measurable(metric, observed.history)
        found.append(Value(window, None, metric.measure(observed, part) if ask and part is not None else None))
        if metric.by_service is not None:
            each = metric.by_service(observed, part) if ask and part is not None else {}
            found += [Value(window, name, each.get(name)) for name in observed.history.plan.services]
    return found


def is_measurable(metric: Metric, history: History) -> bool:
    """Whether its books are there and, but for spans, anybody was there to lose anything."""
    asked = metric.span or outage.counts(history).sent > 0
    return asked and all(book in history.books for book in metric.books)


def lacking(metric: Metric, unsupported: Collection[str]) -> list[str]:
    """What the metric needs and the target does not offer, by its own word; empty when it can be judged."""
    return [thing for thing in THINGS if thing in unsupported and thing in metric.needs]


def counted(number: int | None) -> Interval | None:
    """A number that is known exactly."""
    return None if number is None else point(number)


def tally(kind: HarmKind) -> Callable[[Observed, Part], Interval]:
    """How to measure how often a kind of harm was done."""
    return lambda observed, part: point(len(after(kind.find(observed.history), part.since)))
