"""The numbers of a page that no card holds: how a disruption went, when harm was done, where the time went.

Pure functions of a history. A history whose run cannot judge is not asked (``claims``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from drills.domains.registry import DOMAINS
from drills.judge import outage, timeline
from drills.judge.harm import HarmKind
from drills.judge.instants import instants
from drills.judge.milestones import Milestones, start
from drills.judge.service_level import Surveyed
from drills.judge.survey import BAD, CLOSED
from drills.record.history import NS, PERSON_ACTS, History


@dataclass(frozen=True, slots=True)
class Served:
    """Requests that were sent, those of them that were not served, and of those the ones that we turned away."""

    sent: int
    unserved: int
    closed: int


@dataclass(frozen=True, slots=True)
class Disruption:
    """From the first request of an outage until every service was back (``back``), else to the end of observation.

    Instants in ns; ``served`` is of all services, ``by_service`` of each.
    """

    since: int
    until: int
    back: bool
    served: Served
    by_service: dict[str, Served]

    @property
    def seconds(self) -> float:
        """How long it lasted, by the clock."""
        return (self.until - self.since) / NS


@dataclass(frozen=True, slots=True)
class Split:
    """How much there was in all, before the alert and before the operator first changed anything; None: no such split.

    A kind of harm whose books are not there has no numbers at all (``whole`` is None).
    """

    whole: int | None
    before_alert: int | None
    before_step: int | None


@dataclass(frozen=True, slots=True)
class Spent:
    """Where the time from the first impact to the recovery went, in seconds; together they are ``whole``.

    ``noticing``: until the alert. ``people``: until the runbook was open, and between its steps. ``machine``: commands
    at work. ``waiting``: for what a command had begun to show, and for the rest after the last step. ``over`` says that
    it was recovered; else the time is that until the end of the observation.
    """

    noticing: float
    people: float
    machine: float
    waiting: float
    over: bool

    @property
    def whole(self) -> float:
        """All of it."""
        return self.noticing + self.people + self.machine + self.waiting


def milestones(history: History) -> Milestones:
    """When what happened."""
    return instants(history, DOMAINS.of_run(history.run))


def served(history: History, since: int = 0, until: int | None = None) -> dict[str, Served]:
    """How each service's requests intended in [``since``, ``until``) went."""
    return {service.name: _served(service, since, until) for service in outage.services(history)}


def together(parts: Sequence[Served]) -> Served:
    """Of all services."""
    return Served(*(sum(getattr(each, name) for each in parts) for name in ("sent", "unserved", "closed")))


def _served(service: Surveyed, since: int, until: int | None) -> Served:
    return Served(*(service.count(mark, since, until) for mark in (0, BAD, CLOSED)))


def disruption(history: History, at: Milestones) -> Disruption | None:
    """The outage that customers saw; None where there was none."""
    if at.impact is None:
        return None
    since = _first_hit(history, at.impact.earliest)
    back = at.available.at
    until = timeline.observed_until(history) if back is None else back.latest
    each = served(history, since, until)
    return Disruption(since, until, back is not None, together(list(each.values())), each)


def _first_hit(history: History, after: int) -> int:
    hit = outage.impact(outage.services(history), after)
    return after if hit is None else hit.latest


def harms(history: History, at: Milestones) -> dict[str, Split]:
    """Each kind of harm that is counted, by its metric, split at the alert and at the operator's first change."""
    kinds = DOMAINS.of_run(history.run).harms
    by_metric: dict[str, list[HarmKind]] = {}
    for kind in kinds:
        by_metric.setdefault(kind.metric, []).append(kind)
    return {metric: _split(history, at, of) for metric, of in by_metric.items()}


def harmful_actions(history: History, at: Milestones) -> Split:
    """Transactions of customers that have to be put right."""
    return _split(history, at, [kind for kind in DOMAINS.of_run(history.run).harms if kind.action])


def _split(history: History, at: Milestones, kinds: Sequence[HarmKind]) -> Split:
    if any(book not in history.books for kind in kinds for book in kind.books):
        return Split(None, None, None)
    when = [one.t for kind in kinds for one in kind.find(history)]
    return _cut(history, at, lambda before: sum(before is None or t < before for t in when))


def unserved(history: History, at: Milestones) -> Split:
    """Requests that were not served in the whole observation, split in the same way."""
    return _cut(history, at, lambda before: together(list(served(history, 0, before).values())).unserved)


def _cut(history: History, at: Milestones, before: Callable[[int | None], int]) -> Split:
    """``before(t)`` counts what came before ``t``, None: all of it."""
    step = timeline.first_change(history)
    return Split(
        before(None),
        None if at.alert is None else before(at.alert.latest),
        None if step is None else before(step),
    )


def spent(history: History, at: Milestones) -> Spent | None:
    """Where the time went; None where nobody was affected, or recovery cannot be dated."""
    begun = start(at)
    if begun is None or at.recovered.not_needed or at.recovered.unknowable or at.recovered.unsupported:
        return None
    first = begun.earliest  # the longest that it can have been, as a limit is held against
    last = timeline.observed_until(history) if at.recovered.at is None else at.recovered.at.latest
    alert = last if at.alert is None else min(max(at.alert.latest, first), last)
    parts = {"noticing": alert - first, "people": 0, "machine": 0, "waiting": 0}
    now = alert
    for what, end in _phases(history):
        end = min(max(end, now), last)
        parts[what] += end - now
        now = end
    parts["waiting"] += last - now
    return Spent(**{name: ns / NS for name, ns in parts.items()}, over=at.recovered.at is not None)


def _phases(history: History) -> Iterator[tuple[str, int]]:
    """What went on, and until when (ns): the operator until a command, the command, and what it waited for then.

    Without a command a step is the operator's own, such as a call that he confirms.
    """
    person = history.plan.operator == PERSON_ACTS
    for step in timeline.steps(history):
        data = history.events[step.event].data
        yield "people", step.start
        if step.end is None:
            continue
        if isinstance(began := data.get("began"), int):
            yield "people", began
        own = person and "answered" not in data
        yield "people" if own else "machine", step.end if own or step.answered is None else step.answered
        yield "waiting", step.end
