"""Objectives against what was measured: each metric of the card as an interval, and the ruling on its limit.

A duration is measured in ns, a count as itself, a ratio in millionths. Pass if the whole interval keeps the limit,
fail if none of it does, else unknown. What did not happen is a fail; what cannot be known is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from drills.judge import outage, timeline
from drills.judge.interval import Interval, point
from drills.judge.loss import Loss
from drills.judge.milestones import Durations, Milestone, Milestones, durations, start
from drills.record.history import NS, History, Objective, Status
from drills.record.unsupported import lacking

MILLION = 1_000_000
SPANS = tuple(field.name for field in fields(Durations))
"""Metrics that are spans between instants: not asked of the arms without a fault."""

FROM_START = ("available", "restore", "recover")
"""Those of them that begin where the harm to service began."""

QUIET_LOSS = Objective("service_s", 0.5, "s")
"""What an arm without a fault may lose in service."""


@dataclass(frozen=True, slots=True)
class Measured:
    """All that objectives may speak of."""

    history: History
    at: Milestones
    spans: Durations
    loss: Loss

    @staticmethod
    def of(history: History, at: Milestones, loss: Loss) -> Measured:
        """The same with the spans between the instants."""
        return Measured(history, at, durations(at), loss)


def _count(number: int | None) -> Interval | None:
    return None if number is None else point(number)


def _served(measured: Measured) -> Interval | None:
    counts = outage.counts(measured.history)
    return point(counts.good * MILLION // counts.sent) if counts.sent else None


COUNTS: Mapping[str, Callable[[Measured], Interval | None]] = {
    "service_s": lambda m: None if m.loss.service is None else point(m.loss.service.worst),
    "planned_closure_s": lambda m: None if m.loss.service is None else point(m.loss.service.planned),
    "not_current_s": lambda m: _count(m.loss.not_current),
    "wrong_figures_shown": lambda m: _count(m.loss.harms.shown),
    "wrong_figures_acted_on": lambda m: _count(
        m.loss.after_first_step
    ),  # before the first step it is loss, shown apart
    "late_notices": lambda m: _count(m.loss.harms.late_notices),
    "duplicated": lambda m: _count(m.loss.harms.duplicated),
    "harmful_actions": lambda m: _count(m.loss.harms.harmful_actions),
    "yen_to_restore": lambda m: _count(m.loss.harms.yen),
    "phantom_orders": lambda m: _count(m.loss.orders.phantom),
    "acknowledged_orders_lost": lambda m: _count(m.loss.orders.lost),
    "unbalanced_yen": lambda m: _count(m.loss.unbalanced),
    "undecidable_figures": lambda m: _count(m.loss.undecidable),
    "served_ratio": _served,
}
"""Metric -> what was measured; None where it cannot be known."""

UNITS: Mapping[str, int] = {"s": NS, "ratio": MILLION}
"""How many of the measured units make one of the card's; 1 if not named."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An objective, what was measured for it, and the ruling."""

    objective: Objective
    measured: Interval | None
    status: Status

    @property
    def shown(self) -> tuple[float, float] | None:
        """What was measured, in the card's unit."""
        if self.measured is None:
            return None
        if self.objective.unit == "s":
            return self.measured.seconds()
        low, high = (end / UNITS.get(self.objective.unit, 1) for end in self.measured)
        return low, high


def judge_objectives(measured: Measured) -> list[Judged]:
    """Every objective of the plan, in its order, and in the arms without a fault that hardly any service was lost."""
    plan = measured.history.plan
    asked = list(plan.objectives)
    if not plan.injects:
        asked = [one for one in asked if one.id != QUIET_LOSS.id] + [QUIET_LOSS]
    return [_judge(measured, objective) for objective in asked]


def unjudged(objectives: list[Objective]) -> list[Judged]:
    """What there is to say of objectives when measuring broke."""
    return [Judged(objective, None, Status.UNKNOWN) for objective in objectives]


def _judge(measured: Measured, objective: Objective) -> Judged:
    if lacking(objective.id, measured.history.run.not_offered):
        return Judged(objective, None, Status.NOT_APPLICABLE)
    if objective.id in SPANS:
        return _judge_span(measured, objective)
    measure = COUNTS.get(objective.id)
    found = measure(measured) if measure else None
    return Judged(objective, found, Status.UNKNOWN if found is None else status(objective, found))


def _judge_span(measured: Measured, objective: Objective) -> Judged:
    if not measured.history.plan.injects:
        return Judged(objective, None, Status.NOT_APPLICABLE)
    found: Interval | None = getattr(measured.spans, objective.id)
    if found is not None:
        return Judged(objective, found, status(objective, found))
    open_ = _unknowable(measured, objective.id) and not _surely_late(measured.at, objective)
    return Judged(objective, None, Status.UNKNOWN if open_ else Status.FAIL)


def _marks(at: Milestones) -> dict[str, Milestone]:
    """Span -> the instant it ends with."""
    marks = {"contain": at.contained, "available": at.available, "restore": at.restored}
    return marks | {"reconcile": at.reconciled, "recover": at.recovered}


def _unknowable(measured: Measured, span: str) -> bool:
    """Whether nobody can tell if it happened: nothing was injected, a book is missing, the monitor was not heard."""
    at, marks = measured.at, _marks(measured.at)
    needs_alert = span in ("detect", "detect_from_inject", "decide", "contain")
    blind = needs_alert and at.alert is None and not timeline.watched(measured.history)
    return at.inject is None or blind or (span in marks and bool(marks[span].unknowable))


def _surely_late(at: Milestones, objective: Objective) -> bool:
    """Whether even the earliest instant at which it may have come would have been too late."""
    begun = start(at)
    mark = _marks(at)[objective.id] if objective.id in FROM_START else Milestone()
    if begun is None or mark.earliest is None:
        return False
    return status(objective, point(mark.earliest - begun.latest)) == Status.FAIL


def status(objective: Objective, measured: Interval) -> Status:
    """Where the interval lies against the limit."""
    limit = round(objective.limit * UNITS.get(objective.unit, 1))
    low, high = measured
    if objective.at_least:
        low, high, limit = -high, -low, -limit
    if high <= limit:
        return Status.PASS
    return Status.FAIL if low > limit else Status.UNKNOWN
