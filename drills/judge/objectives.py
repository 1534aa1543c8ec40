"""Objectives against what was measured: a value of a metric as an interval, and the ruling on its limit.

Pass if the whole interval keeps the limit, fail if none of it does, else unknown. What did not happen is a fail; what
cannot be known is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drills.judge import timeline
from drills.judge.interval import Interval, point
from drills.judge.metric import SCALE, Metric, Observed, Value, lacking
from drills.judge.milestones import Milestone, Milestones, start
from drills.record.history import Objective, Status

FROM_START = ("available", "restore", "recover")
"""Spans that begin where the harm to service began."""

QUIET_LOSS = Objective("service_s", 0.5, "s")
"""What an arm without a fault may lose in service."""

Measured = Mapping[str, list[Value]]
"""Metric -> its values."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An objective, what was measured for it, and the ruling."""

    objective: Objective
    measured: Interval | None
    status: Status

    @property
    def headroom(self) -> Interval | None:
        """How much of the limit is left, negative where it is exceeded; None where nothing was measured."""
        if self.measured is None:
            return None
        limit, (low, high) = scaled(self.objective), self.measured
        return Interval(low - limit, high - limit) if self.objective.at_least else Interval(limit - high, limit - low)


def judge_objectives(observed: Observed, measured: Measured, metrics: Mapping[str, Metric]) -> list[Judged]:
    """Every objective of the plan, in its order, and in the arms without a fault that hardly any service was lost."""
    plan = observed.history.plan
    asked = list(plan.objectives)
    if not plan.injects:
        asked = [one for one in asked if one.id != QUIET_LOSS.id] + [QUIET_LOSS]
    return [_judge(observed, objective, measured, metrics.get(objective.metric)) for objective in asked]


def unjudged(objectives: list[Objective]) -> list[Judged]:
    """What there is to say of objectives when measuring broke."""
    return [Judged(objective, None, Status.UNKNOWN) for objective in objectives]


def _judge(observed: Observed, objective: Objective, measured: Measured, metric: Metric | None) -> Judged:
    if metric is None:  # of another version
        return Judged(objective, None, Status.UNKNOWN)
    if lacking(metric, observed.history.run.unsupported) or (metric.span and not observed.history.plan.injects):
        return Judged(objective, None, Status.NOT_APPLICABLE)
    found = _value(objective, measured.get(metric.id, []))
    if found is not None:
        return Judged(objective, found, status(objective, found))
    open_ = not metric.span or (_unknowable(observed, metric.id) and not _surely_late(observed.at, objective))
    return Judged(objective, None, Status.UNKNOWN if open_ else Status.FAIL)


def _value(objective: Objective, values: list[Value]) -> Interval | None:
    place = (objective.window, objective.of)
    return next((value.measured for value in values if (value.window, value.of) == place), None)


def _ends(at: Milestones) -> dict[str, Milestone]:
    """Span -> the milestone it ends with."""
    ends = {"contain": at.contained, "available": at.available, "restore": at.restored}
    return ends | {"reconcile": at.reconciled, "recover": at.recovered}


def _unknowable(observed: Observed, span: str) -> bool:
    """Whether nobody can tell if it happened: nothing was injected, a book is missing, the monitor was not heard."""
    at, ends = observed.at, _ends(observed.at)
    needs_alert = span in ("detect", "detect_from_inject", "decide", "contain")
    blind = needs_alert and at.alert is None and not timeline.watched(observed.history)
    return at.inject is None or blind or (span in ends and bool(ends[span].unknowable))


def _surely_late(at: Milestones, objective: Objective) -> bool:
    """Whether even the earliest instant at which it may have come would have been too late."""
    begun = start(at)
    end = _ends(at)[objective.metric] if objective.metric in FROM_START else Milestone()
    if begun is None or end.earliest is None:
        return False
    return status(objective, point(end.earliest - begun.latest)) == Status.FAIL


def scaled(objective: Objective) -> int:
    """The limit in the units that are measured."""
    return round(objective.limit * SCALE.get(objective.unit, 1))


def status(objective: Objective, measured: Interval) -> Status:
    """Where the interval lies against the limit."""
    limit = scaled(objective)
    low, high = measured
    if objective.at_least:
        low, high, limit = -high, -low, -limit
    if high <= limit:
        return Status.PASS
    return Status.FAIL if low > limit else Status.UNKNOWN
