"""The instants of a run, from samples, events and what domains make of the books: when what happened, and what did not.

Where the target's own file says that it keeps no books, what only they can tell is no part of an instant.
"""

from __future__ import annotations

from collections.abc import Sequence

from drills.judge import harm, outage, timeline
from drills.judge.domain import Condition, books_of
from drills.judge.domains import Domains
from drills.judge.interval import Interval, later, point
from drills.judge.milestones import (
    ABSENT,
    NOT_NEEDED,
    UNSUPPORTED,
    Milestone,
    Milestones,
    all_of,
    held,
    missing,
    returned,
)
from drills.record.history import History
from drills.record.unsupported import ALERTS


def instants(history: History, domains: Domains) -> Milestones:
    """Everything that can be dated. Nothing is dated from an injection that did not take place."""
    inject = timeline.injected_at(history)
    found = outage.services(history)
    late = outage.lateness_p99(history)
    contained, available, restored, reconciled = (Milestone(),) * 4
    impact = None
    if inject is not None:
        hit = outage.impact(found, inject.earliest)
        impact = hit.widened(late) if hit else None
        contained = _contained(history, domains, inject.earliest, late)
        available = returned(history, outage.return_of(found, inject.earliest), late)
        restored = all_of([available, *_conditions(history, domains.restored, inject.earliest, late)])
        reconciled = _reconciled(history, domains, inject.earliest, late)
    recovered = _recovered(history, domains, restored, reconciled) if inject else Milestone()
    heard = ALERTS in history.run.unsupported or timeline.watched(history)
    seen = timeline.witnessed(history) and heard and outage.were_asked(found)
    return Milestones(
        inject=inject,
        impact=impact,
        alert=_alert(history),
        declared=_declared(history),
        runbook=_opened(history),
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


def _opened(history: History) -> Interval | None:
    opening = timeline.opened_right(history)
    return None if opening is None else point(opening.t)


def _conditions(history: History, conditions: Sequence[Condition], after: int, late: int) -> list[Milestone]:
    """From when on each held; those of which the target's own file says that it keeps no book are left out."""
    kept = [each for each in conditions if not history.withheld(*each.books)]
    return [_since(history, each, after, late) for each in kept]


def _since(history: History, condition: Condition, after: int, late: int) -> Milestone:
    lacks = missing(history, condition.books)
    return Milestone(unknowable=lacks) if lacks else condition.since(history, after, late)


def _contained(history: History, domains: Domains, after: int, late: int) -> Milestone:
    """The last harm, if the rest of the observation, at least the hold, was quiet.

    No figure, action, order or posting escapes the books, so it is as certain as the last harm's own instant.
    """
    needs = books_of(domains.harms)
    if history.withheld(*needs):
        return UNSUPPORTED
    lacks = missing(history, needs)
    if lacks:
        return Milestone(unknowable=lacks)
    done = harm.happened(history, domains.harms, after, late)
    return held(history, later(done)) if done else NOT_NEEDED


def _reconciled(history: History, domains: Domains, after: int, late: int) -> Milestone:
    found = _conditions(history, domains.reconciled, after, late)
    return all_of(found) if found else UNSUPPORTED


def _recovered(history: History, domains: Domains, restored: Milestone, reconciled: Milestone) -> Milestone:
    """Restored, reconciled and nothing left behind."""
    needs = books_of(domains.residuals)
    if history.withheld(*needs):
        return restored
    lacks = missing(history, needs)
    if not lacks and any(each.left(history).bad for each in domains.residuals):
        return ABSENT
    return all_of([restored, reconciled, Milestone(unknowable=lacks) if lacks else NOT_NEEDED])
