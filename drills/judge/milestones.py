"""The milestones of a run and the spans between them, each with its uncertainty, and the tools that date them.

What had to happen and did not has no instant. What never had to happen (service was never bad, the books never
differed) has none either, and a span of nothing. What cannot be known is unknown and says why: a book is missing, or
the run stopped looking by itself before service or the flow of postings had been good for long enough. Such a return
has not failed to come, and it has not been proved; it came at a certain instant at the earliest. At the cap the time is
up, and what has not held is not there; nor is it where harm was still done to customers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drills.judge import outage, timeline
from drills.judge.interval import NOTHING, Interval, later
from drills.record.history import History, Reason


@dataclass(frozen=True, slots=True)
class Milestone:
    """An instant that may not have come: ``not_needed`` if it never had to, ``unknowable`` says why nobody can tell.

    ``unsupported``: the target does not offer what it would be told by.
    ``earliest`` (ns) is known of some that are unknowable: if it came at all, then not before.
    """

    at: Interval | None = None
    not_needed: bool = False
    unknowable: tuple[Reason, ...] = ()
    earliest: int | None = None
    unsupported: bool = False

    def since(self, start: Interval | None) -> Interval | None:
        """The span from ``start``; nothing if not needed, None if it did not come or has no start."""
        if self.not_needed:
            return NOTHING
        return None if self.at is None or start is None else self.at.since(start)

    def if_observed(self, seen: bool) -> Milestone:
        """That it was not needed counts only where that was seen: the fault witnessed, each service asked, the monitor
        heard all along."""
        return self if seen or not self.not_needed else Milestone(unknowable=UNOBSERVED)


UNOBSERVED = (Reason("milestone.unobserved"),)
STOPPED_LOOKING = (Reason("milestone.stopped-looking"),)
NOT_NEEDED = Milestone(not_needed=True)
UNSUPPORTED = Milestone(unsupported=True)
ABSENT = Milestone()
"""It had to come and did not."""


def held(history: History, at: Interval | None) -> Milestone:
    """It came, if it then held until the end of the observation, for at least the hold."""
    holds = at is not None and timeline.observed_until(history) - at.latest >= history.plan.slo.hold
    return Milestone(at if holds else None)


def returned(history: History, back: outage.Return, late: int = 0) -> Milestone:
    """When it was good for good; unknowable where the run ended of itself before that had held.

    ``late``: how late the load was, ns, where it has stamped the instants.
    """
    if not back.disturbed:
        return NOT_NEEDED
    at = back.at.widened(late) if back.at else None
    mark = held(history, at)
    if mark.at is None and at is not None and _stopped_looking(history):
        return Milestone(unknowable=STOPPED_LOOKING, earliest=at.earliest)
    return mark


def _stopped_looking(history: History) -> bool:
    """Whether the observation ended because the runner had seen enough; at the cap and the like, time was up."""
    return history.run.end is not None and history.run.end.reason == "judged"


def missing(history: History, needs: Sequence[str]) -> tuple[Reason, ...]:
    """Why an instant cannot be told without those of these books that are not there; empty where all are."""
    lacks = [book for book in needs if book not in history.books]
    return (Reason("milestone.no-book", {"books": lacks}),) if lacks else ()


def all_of(marks: Sequence[Milestone]) -> Milestone:
    """When all of them had come."""
    needed = [mark for mark in marks if not mark.not_needed]
    if not needed:
        return NOT_NEEDED
    if ABSENT in needed:
        return ABSENT  # one that surely did not come is enough
    why = [reason for mark in needed for reason in mark.unknowable]
    known = [mark.at for mark in needed if mark.at is not None]
    if why:
        sure = [at.earliest for at in known] + [mark.earliest for mark in needed if mark.earliest is not None]
        return Milestone(
            unknowable=tuple(each for n, each in enumerate(why) if each not in why[:n]),
            earliest=max(sure, default=None),
        )
    return Milestone(later(known) if len(known) == len(needed) else None)


@dataclass(frozen=True, slots=True)
class Milestones:
    """All of one run, CLOCK_MONOTONIC ns."""

    inject: Interval | None
    impact: Interval | None
    alert: Interval | None
    declared: Interval | None
    runbook: Interval | None
    contained: Milestone
    available: Milestone
    restored: Milestone
    reconciled: Milestone
    recovered: Milestone
    prevented: bool  # the fault was seen, samples and books were watched without a gap, and nothing bad was in them

    @staticmethod
    def unknown(why: Reason) -> Milestones:
        """Nothing could be dated."""
        blank = Milestone(unknowable=(why,))
        return Milestones(None, None, None, None, None, blank, blank, blank, blank, blank, prevented=False)


@dataclass(frozen=True, slots=True)
class Durations:
    """The spans of a run, ns; negative where the first instant came second."""

    detect: Interval | None
    detect_from_inject: Interval | None
    decide: Interval | None
    contain: Interval | None
    available: Interval | None
    restore: Interval | None
    reconcile: Interval | None
    recover: Interval | None


def start(at: Milestones) -> Interval | None:
    """Where the spans begin: the impact; the injection where no request was ever bad (which is the longer)."""
    return at.impact or at.inject


def durations(at: Milestones) -> Durations:
    """The spans between the instants."""
    alert = Milestone(at.alert)
    return Durations(
        detect=alert.since(start(at)),
        detect_from_inject=alert.since(at.inject),
        decide=Milestone(at.runbook).since(at.alert),
        contain=at.contained.since(at.alert),
        available=at.available.since(start(at)),
        restore=at.restored.since(start(at)),
        reconcile=at.reconciled.since(at.inject if at.restored.not_needed else at.restored.at),
        recover=at.recovered.since(start(at)),
    )
