"""The instants of a run and the spans between them, each with its uncertainty, from samples, books and events.

What had to happen and did not is ``None``. What never had to happen (service was never bad, the books never differed)
has no instant and a span of nothing. What cannot be known is unknown and says why: a book is missing, or the run
stopped looking by itself before service or the flow of postings had been good for long enough. Such a return has not
failed to come, and it has not been proved; it came at a certain instant at the earliest. At the cap the time is up, and
what has not held is not there; nor is it where harm was still done to customers. Where the target's own file says that
it keeps no books, what only they can tell is no part of an instant.
"""

from __future__ import annotations

from dataclasses import dataclass

from drills.domains.figures import oracle
from drills.domains.orders.trades import Trade, trades, unknown_postings
from drills.judge import harm, outage, residuals, timeline
from drills.judge.interval import NOTHING, Interval, later, point
from drills.record.history import NS, History, Kind, Reason
from drills.record.unsupported import ALERTS


@dataclass(frozen=True, slots=True)
class Milestone:
    """An instant that may not have come: ``calm`` if it never had to, ``unknowable`` says why nobody can tell.

    ``exempt``: the target does not offer what it would be told by.
    ``earliest`` (ns) is known of some that are unknowable: if it came at all, then not before.
    """

    at: Interval | None = None
    not_needed: bool = False
    unknowable: tuple[Reason, ...] = ()
    earliest: int | None = None
    unsupported: bool = False

    def since(self, start: Interval | None) -> Interval | None:
        """The span from ``start``; nothing if calm, None if it did not come or has no start."""
        if self.not_needed:
            return NOTHING
        return None if self.at is None or start is None else self.at.since(start)

    def if_observed(self, seen: bool) -> Milestone:
        """Calm counts only where it was seen: the fault witnessed, each service asked, the monitor heard all along."""
        return self if seen or not self.not_needed else Milestone(unknowable=UNOBSERVED)


UNOBSERVED = (Reason("milestone.unobserved"),)
STOPPED_LOOKING = (Reason("milestone.stopped-looking"),)
NOT_NEEDED = Milestone(not_needed=True)
UNSUPPORTED = Milestone(unsupported=True)


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


def instants(history: History) -> Milestones:
    """Everything that can be dated. Nothing is dated from an injection that did not take place."""
    inject = timeline.injected_at(history)
    found = outage.services(history)
    late = outage.lateness_p99(history)
    contained, available, restored, reconciled = (Milestone(),) * 4
    impact = None
    if inject is not None:
        hit = outage.impact(found, inject.earliest)
        impact = hit.widened(late) if hit else None
        contained = _contained(history, inject.earliest, late)
        available = _returned(history, outage.return_of(found, inject.earliest), late)
        restored = _restored(history, inject.earliest, available, late)
        reconciled = _reconciled(history, inject.earliest)
    recovered = _recovered(history, restored, reconciled) if inject else Milestone()
    heard = ALERTS in history.run.not_offered or timeline.watched(history)
    seen = timeline.witnessed(history) and heard and outage.were_asked(found)
    return Milestones(
        inject=inject,
        impact=impact,
        alert=_alert(history),
        declared=_declared(history),
        runbook=_paged(history),
        contained=contained.if_observed(seen),
        available=available.if_observed(seen),
        restored=restored.if_observed(seen),
        reconciled=reconciled.if_observed(seen),
        recovered=recovered.if_observed(seen),
        prevented=seen and impact is None and contained.not_needed and recovered.not_needed,
    )


def _alert(history: History) -> Interval | None:
    mine = (page for page in timeline.pages(history) if timeline.is_for_fault(history, page))
    return next((point(page.t) for page in mine), None)


def _declared(history: History) -> Interval | None:
    done = (step for step in timeline.steps(history) if step.id == "declare" and step.outcome == "ok")
    declared = [Interval(step.start, step.end) for step in done if step.end is not None]
    escalated = [point(event.t) for event in timeline.events(history, "operator", "escalate")]
    return min(declared + escalated, default=None)


def _paged(history: History) -> Interval | None:
    return next((point(event.t) for event in timeline.events(history, "operator", "page", Kind.INVOKE)), None)


def _missing(history: History, needs: tuple[str, ...]) -> tuple[Reason, ...]:
    lacks = [book for book in needs if book not in history.books]
    return (Reason("milestone.no-book", {"books": lacks}),) if lacks else ()


def _holds(history: History, at: Interval) -> bool:
    return timeline.observed_until(history) - at.latest >= history.plan.slo.hold


def _held(history: History, at: Interval | None) -> Milestone:
    return Milestone(at if at is not None and _holds(history, at) else None)


def _returned(history: History, back: outage.Return, late: int = 0) -> Milestone:
    """When it was good for good; unknowable where the run ended of itself before that had held."""
    if not back.disturbed:
        return NOT_NEEDED
    at = back.at.widened(late) if back.at else None
    mark = _held(history, at)
    if mark.at is None and at is not None and _stopped_looking(history):
        return Milestone(unknowable=STOPPED_LOOKING, earliest=at.earliest)
    return mark


def _stopped_looking(history: History) -> bool:
    """Whether the observation ended because the runner had seen enough; at the cap and the like, time was up."""
    return history.run.end is not None and history.run.end.reason == "judged"


def _contained(history: History, after: int, late: int) -> Milestone:
    """The last harm, if the rest of the observation, at least the hold, was quiet.

    No figure, action, order or posting escapes the books, so it is as certain as the last harm's own instant.
    """
    if history.withheld(*harm.NEEDS):
        return UNSUPPORTED
    lacks = _missing(history, harm.NEEDS)
    if lacks:
        return Milestone(unknowable=lacks)
    done = [one.window(late) for one in harm.harms(history) if one.t >= after]
    return _held(history, later(done)) if done else NOT_NEEDED


def _restored(history: History, after: int, available: Milestone, late: int) -> Milestone:
    """Good service, no wrong figure shown as current, and balances current again where they were before."""
    needs = ("world", "customers", "exchange")
    if history.withheld(*needs):
        return available
    lacks = _missing(history, needs)
    return _all_of([available, Milestone(unknowable=lacks) if lacks else _figures(history, after, late)])


def _figures(history: History, after: int, late: int) -> Milestone:
    back = _figures_back(history, after)
    return _held(history, back.at.widened(late) if back.at else None) if back.disturbed else NOT_NEEDED


def _figures_back(history: History, after: int) -> outage.Return:
    shown = oracle.figures(history)
    before = [figure.row.current for figure in shown if figure.row.received_ns < after]
    must_be_current = any(before) or not before
    spoilt = [figure.wrong or (must_be_current and not figure.row.current) for figure in shown]
    late = [n for n, bad in enumerate(spoilt) if bad and shown[n].row.received_ns >= after]
    if not late:
        return outage.Return(False, None)
    following = shown[late[-1] + 1 :]
    if not following:
        return outage.Return(True, None)
    last, first = shown[late[-1]].row, following[0].row
    return outage.Return(True, Interval(min(last.sent_ns, first.received_ns), first.received_ns))


def _reconciled(history: History, after: int) -> Milestone:
    """From when on each execution was posted and notified within the grace, and no older difference stood.

    One late execution is noise, two together are a queue: ordinary flow settles in a tenth of the grace, and a machine
    that stands still for longer than the grace holds up the load as well, which makes the run invalid.

    A posting is stamped just before its commit. It was surely there when the next execution had been settled, for they
    are posted in order: the instant lies between the last late one's stamps and those of whatever settled next. That
    is no later than the grace, for which a difference is none; where nothing more was traded, the stamp stands alone.
    """
    needs = ("exchange", "oms", "notices")
    if history.withheld(*needs):
        return UNSUPPORTED
    lacks = _missing(history, needs)
    if lacks:
        return Milestone(unknowable=lacks)
    grace, end = history.plan.slo.grace, timeline.observed_until(history)
    known = trades(history)
    if unknown_postings(history, known) or not all(trade.same for trade in known):
        return Milestone()  # such a difference never goes away by itself
    late = [trade for trade in known if trade.row.t_ns + grace <= end and _is_late(trade, grace)]
    spans = [Interval(trade.row.t_ns + grace, trade.settled_at or end) for trade in late]
    stood = [n for n, span in enumerate(spans) if span.latest >= after and not _is_lone(span, spans, grace)]
    if any(late[n].settled_at is None for n in stood):
        return Milestone()  # it still stands
    last = max((spans[n].latest for n in stood), default=None)
    return _returned(history, outage.Return(bool(stood), None if last is None else _shown_by_next(known, last, grace)))


def _shown_by_next(known: list[Trade], last: int, grace: int) -> Interval:
    """From ``last`` to the first settlement after it, at most the grace."""
    after = (trade.settled_at for trade in known if trade.settled_at is not None and trade.settled_at > last)
    return Interval(last, min(min(after, default=last), last + grace))


def _is_late(trade: Trade, grace: int) -> bool:
    return trade.settled_at is None or trade.settled_at > trade.row.t_ns + grace


def _is_lone(span: Interval, spans: list[Interval], grace: int) -> bool:
    """A difference that stood by itself for less than the grace is one slow commit, not a queue."""
    if span.latest - span.earliest >= grace:
        return False
    near = span.widened(NS)
    return sum(other.earliest <= near.latest and near.earliest <= other.latest for other in spans) == 1


def _recovered(history: History, restored: Milestone, reconciled: Milestone) -> Milestone:
    """Restored, reconciled and nothing left behind."""
    if history.withheld(*residuals.NEEDS):
        return restored
    lacks = _missing(history, residuals.NEEDS)
    if not lacks and any(each.bad for each in residuals.residuals(history)):
        return Milestone()
    return _all_of([restored, reconciled, Milestone(unknowable=lacks) if lacks else NOT_NEEDED])


def _all_of(marks: list[Milestone]) -> Milestone:
    needed = [mark for mark in marks if not mark.not_needed]
    if not needed:
        return NOT_NEEDED
    if Milestone() in needed:
        return Milestone()  # one that surely did not come is enough
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
