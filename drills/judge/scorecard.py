"""The scorecard, ``kunren.scorecard/2``: what a run was, what was measured, and what it is worth.

Field order is the order in the JSON. ``None`` means "did not happen or cannot be known"; ``limits`` says which.
Nothing in it depends on when or where it is computed.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import field

from drills.record.history import Cause, Count, Reason, Status

RULES = 2
"""Version of the scoring rules: the same history gives the same bytes under the same number."""

Span = tuple[float, float]
"""[earliest, latest] in seconds."""


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record with named fields."""


class ClockCell(_Part, frozen=True, kw_only=True):
    """Time compression, and how often the monitor looks."""

    compression: int
    monitor_interval_s: float


class InstantCells(_Part, frozen=True, kw_only=True):
    """Seconds since the run's start."""

    t_inject: Span | None
    t_impact: Span | None
    t_alert: Span | None
    t_declared: Span | None
    t_runbook: Span | None
    t_contained: Span | None
    t_available: Span | None
    t_restored: Span | None
    t_reconciled: Span | None
    t_recovered: Span | None


class ValueCell(_Part, frozen=True, kw_only=True):
    """What was measured in a window, of the service ``of`` (null: of all).

    ``[earliest, latest]`` for a span of time, negative where the later instant came first, [0, 0] where there was
    nothing to do; a number for all else.
    """

    window: str
    of: str | None
    value: Span | int | float | None


class MetricCell(_Part, frozen=True, kw_only=True):
    """A metric with all its values; ``unit`` is ``s``, ``count``, ``yen`` or ``ratio``."""

    id: str
    unit: str
    values: list[ValueCell]


class ObjectiveCell(_Part, frozen=True, kw_only=True):
    """A limit fixed before the run, and what was measured: at most, unless ``at_least``.

    On the value of ``metric`` in ``window``, of the service ``of``. ``headroom`` is what is left of the limit,
    negative where it is exceeded; ``because`` says why it is this limit, by language, ``approved_by`` who agreed to it.
    """

    id: str
    metric: str
    window: str
    of: str | None
    limit: float
    unit: str
    at_least: bool
    measured: Span | None
    headroom: Span | None
    because: dict[str, str] | None
    verdict: Status
    approved_by: str | msgspec.UnsetType = msgspec.UNSET


class AcceptedCell(_Part, frozen=True, kw_only=True):
    """Harm that was done and that the drill accepts, with its reason by language."""

    metric: str
    reason: dict[str, str]


class CheckCell(_Part, frozen=True, kw_only=True):
    """What a check found, with its evidence as ``book:row`` or ``events:index``.

    ``validity``: whether it asks if the run can judge at all.
    """

    id: str
    invariant: str
    validity: bool
    verdict: Status
    counts: list[Count]
    reasons: list[Reason]
    evidence: list[str]


class LoadCell(_Part, frozen=True, kw_only=True):
    """Requests of the observation; ``rate`` in requests per second over all services."""

    rate: float
    intended: int
    sent: int
    good: int
    bad: int
    indeterminate: int
    lateness_p99_ms: float | None
    dropped: int


class AlertCell(_Part, frozen=True, kw_only=True):
    """A firing alert; ``t`` in seconds since the run's start, ``runbook`` its own link; ``synthetic``: the false alarm.

    ``opened`` are the runbooks that the operator opened for it, one led on to by the other; ``ended`` is how the last
    of them ended.
    """

    rule: str
    t: float
    severity: str | None
    layer: str | None
    runbook: str | None
    for_this_fault: bool
    synthetic: bool
    opened: list[str]
    ended: str | None


class OpenedCell(_Part, frozen=True, kw_only=True):
    """A runbook that was opened for an alert, or by another runbook (``source``); seconds since the run's start."""

    runbook: str
    alert: str
    source: str | None
    start: float = field(name="from")
    end: float | None = field(name="to")
    ended: str | None


class OperatorCell(_Part, frozen=True, kw_only=True):
    """Who acted: ``robot``, ``human`` or ``none``; the robot's reaction before each opening, and all that was opened.

    ``name`` and ``role`` are a person's. ``pace``: that of the run, ``robot`` or ``person``.
    """

    kind: str
    reaction_s: float | None
    name: str | None
    role: str | None
    pace: str
    opened: list[OpenedCell]


class StepCell(_Part, frozen=True, kw_only=True):
    """One attempt at a step; ``end`` and ``outcome`` are None where it never ended."""

    id: str
    start: float
    end: float | None
    outcome: str | None


class RunbookCell(_Part, frozen=True, kw_only=True):
    """The runbook that was followed, and how long the operator waited after the alert."""

    id: str
    reaction_s: float | None
    steps: list[StepCell]


class HealCell(_Part, frozen=True, kw_only=True):
    """Faults injected, undone, and seen to be gone."""

    injected: int
    undone: int
    verified_removed: int


class CostCell(_Part, frozen=True, kw_only=True):
    """Seconds from the target being ready to the end of the run, and those it had to take.

    ``start_s`` came before, ``stop_s`` lies within ``wall_s``; ``overhead`` is a share of ``mandatory_s`` and counts
    neither.
    """

    wall_s: float | None
    mandatory_s: float | None
    start_s: float | None = None
    stop_s: float | None = None
    overhead: float | None = None


class AskedCell(_Part, frozen=True, kw_only=True):
    """What, beside arm, seed and subject, to ask for to have the very same run again, as on the command line."""

    drill: str
    runbook: str | None
    proxy: str
    reaction_s: float


class EarlierCell(_Part, frozen=True, kw_only=True):
    """An attempt at the same run before this one: what came of it, and why it was made once more."""

    run: str
    evidence: str | None
    verdict: str
    causes: list[Cause]


class LimitCell(_Part, frozen=True, kw_only=True):
    """Something that the run cannot show: ``reasons`` of ``about`` (a check, objective, instant, engine …).

    Or ``words``, the drill's own, by language.
    """

    about: str | None = None
    reasons: list[Reason] = []
    words: dict[str, str] | None = None


class GoverningCell(_Part, frozen=True, kw_only=True):
    """The condition under which the incident happens: ``left`` is more than ``right``, null where it cannot be known.

    ``words`` are a template by language; ``numbers`` are what its two sides were made of in this run.
    """

    id: str
    words: dict[str, str]
    numbers: dict[str, float | None]
    left: float | None
    right: float | None


class CannotJudgeCell(_Part, frozen=True, kw_only=True):
    """Why a run cannot judge, the verdict being ``unknown`` or ``invalid``.

    ``causes`` are ids of checks or objectives, the first of them first; ``fix`` names what is to be done about it.
    ``checks`` and ``objectives`` count the others that nobody can answer because of that.
    """

    causes: list[str]
    fix: str
    checks: int
    objectives: int


class Scorecard(_Part, frozen=True, kw_only=True):
    """All of it. A run that cannot judge claims nothing: ``judge.unjudged`` takes out what its cells would claim."""

    schema: Literal["kunren.scorecard/2"] = "kunren.scorecard/2"
    drill: str
    variant: str | None
    title: dict[str, str]
    sources: list[str]
    drill_sha256: str
    runbook_sha256: str | None
    arm: str
    operator: OperatorCell
    seed: int
    attempts: int
    run: str
    started: str
    subject: str | None
    kunren: str
    rules: int
    evidence: str | None
    clock: ClockCell
    governing: GoverningCell | None
    target: str
    engines: dict[str, str | None]
    fidelity: str
    limits: list[LimitCell]
    verdict: Status
    grade: str | None
    cannot_judge: CannotJudgeCell | None = None  # null where the verdict is pass or fail
    prevented: bool
    instants: InstantCells
    metrics: list[MetricCell]
    objectives: list[ObjectiveCell]
    accepted: list[AcceptedCell]
    no_limit: list[str]  # metrics that counted harm which the drill neither limits nor accepts
    checks: list[CheckCell]
    load: LoadCell | None
    alerts: list[AlertCell]
    runbook: RunbookCell | None
    heal: HealCell
    cost: CostCell
    asked: AskedCell | None = None
    earlier: list[EarlierCell] = []
    settings: dict[str, float] | msgspec.UnsetType = msgspec.UNSET  # of the target, those otherwise than usual, if any
    unsupported: list[str] | msgspec.UnsetType = msgspec.UNSET  # stands there only where the target's file names some

    def value(self, metric: str, window: str = "all", of: str | None = None) -> Span | int | float | None:
        """What was measured; None where it did not happen, cannot be known, or is not on this card."""
        cells = (cell for each in self.metrics if each.id == metric for cell in each.values)
        return next((cell.value for cell in cells if (cell.window, cell.of) == (window, of)), None)

    def span(self, metric: str) -> Span | None:
        """Of a metric that is a span of time."""
        found = self.value(metric)
        return found if isinstance(found, tuple) else None

    def number(self, metric: str, window: str = "all") -> float | None:
        """Of a metric that is a number."""
        found = self.value(metric, window)
        return None if isinstance(found, tuple) else found
