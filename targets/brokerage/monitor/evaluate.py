"""Evaluates rules against samples: pure, and with the semantics of Prometheus.

For each rule, each selected series whose value satisfies the comparison is *pending* from the first evaluation that
found it so, and *firing* from the first evaluation at which it has been so for at least ``for`` (at once without
one). A series that no longer satisfies it, or has vanished, ends the pending state silently and resolves a firing
alert. An alert is identified by its label set: the series' labels without the metric's name, overridden by the rule's
labels, plus ``alertname``. NaN satisfies no comparison but ``!=``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from targets.brokerage.monitor.rules import Expr, Rule, expand

Labels = tuple[tuple[str, str], ...]
"""A label set, sorted by name."""

Status = Literal["firing", "resolved"]

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


class DuplicateAlert(Exception):
    """Two series of one rule give the same alert, because a rule's label hides what told them apart."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series' value at one scrape; ``labels`` are without the metric's name."""

    metric: str
    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Alert:
    """An active alert: since when its condition holds, and when it fired (None: still pending). Times in ns."""

    rule: Rule
    labels: Labels
    annotations: Mapping[str, str]
    value: float
    active_ns: int
    fired_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An alert that has just fired or just resolved, at ``t_ns``."""

    status: Status
    alert: Alert
    t_ns: int


State = Mapping[Labels, Alert]
"""The active alerts of one rule, by label set."""


def evaluate(rule: Rule, samples: Iterable[Sample], t_ns: int, state: State) -> tuple[State, tuple[Change, ...]]:
    """One step of one rule at ``t_ns``: the new state, and what fired or resolved by this step.

    ``t_ns`` must not go back between steps. Raises DuplicateAlert; the state then stays as it was.
    """
    found = _holding(rule, samples, t_ns)
    stepped = {key: _step(state.get(key), fresh, t_ns) for key, fresh in found.items()}
    fired = [
        Change("firing", alert, t_ns)
        for key, alert in stepped.items()
        if alert.fired_ns is not None and (key not in state or state[key].fired_ns is None)
    ]
    resolved = [
        Change("resolved", alert, t_ns)
        for key, alert in state.items()
        if alert.fired_ns is not None and key not in stepped
    ]
    return stepped, (*fired, *resolved)


def holds(expr: Expr, sample: Sample) -> bool:
    """Whether ``expr`` selects this series and its value satisfies the comparison."""
    if sample.metric != expr.metric or not _OPERATORS[expr.op](sample.value, expr.number):
        return False
    labels = dict(sample.labels)
    return all(matcher.accepts(labels) for matcher in expr.matchers)


def _holding(rule: Rule, samples: Iterable[Sample], t_ns: int) -> dict[Labels, Alert]:
    found: dict[Labels, Alert] = {}
    for sample in samples:
        if holds(rule.expr, sample):
            alert = _alert(rule, sample, t_ns)
            if alert.labels in found:
                raise DuplicateAlert(f"{rule.alert}: more than one series gives {dict(alert.labels)}")
            found[alert.labels] = alert
    return found


def _alert(rule: Rule, sample: Sample, t_ns: int) -> Alert:
    series = dict(sample.labels)
    labels = {**series, **rule.labels, "alertname": rule.alert}
    named = {**series, "__name__": sample.metric}  # a comparison keeps the name, and templates may show it
    annotations = {name: expand(text, named) for name, text in rule.annotations.items()}
    return Alert(rule, tuple(sorted(labels.items())), annotations, sample.value, t_ns)


def _step(before: Alert | None, now: Alert, t_ns: int) -> Alert:
    active_ns = now.active_ns if before is None else before.active_ns
    fired_ns = None if before is None else before.fired_ns
    if fired_ns is None and t_ns - active_ns >= now.rule.hold_ns:
        fired_ns = t_ns
    return replace(now, active_ns=active_ns, fired_ns=fired_ns)
