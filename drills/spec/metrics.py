"""The card's metrics that an objective may limit, and how a limit is written.

``recover: 15s`` or ``duplicated: 0`` is the most that is allowed; ``served_ratio: {at_least: 0.5}`` the least. Which of
the two makes sense belongs to the metric, so the other one is refused instead of being an objective that cannot fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drills.errors import unknown
from drills.record.history import NS, Objective
from drills.spec.reader import Node


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured: its unit on the card, and whether more is better."""

    unit: str
    more_is_better: bool = False


DURATIONS = ("detect", "detect_from_inject", "decide", "contain", "available", "restore", "reconcile", "recover")
"""Between instants of the run; the card gives seconds."""

METRICS: Mapping[str, Metric] = {
    **{name: Metric("s") for name in DURATIONS},
    "service_s": Metric("s"),
    "planned_closure_s": Metric("s"),
    "wrong_figures_shown": Metric("count"),
    "wrong_figures_acted_on": Metric("count"),
    "late_notices": Metric("count"),
    "duplicated": Metric("count"),
    "phantom_orders": Metric("count"),
    "acknowledged_orders_lost": Metric("count"),
    "unbalanced_yen": Metric("yen"),
    "harmful_actions": Metric("count"),
    "undecidable_figures": Metric("count"),
    "served_ratio": Metric("ratio", more_is_better=True),
}
"""Metric id -> what it is."""


def objectives(node: Node) -> tuple[Objective, ...]:
    """``{METRIC: limit}`` in the file's order; at least one."""
    found = node.mapping("a mapping of metrics to limits")
    if not found:
        raise node.expected("at least one objective")
    for key, value in found.items():
        if key not in METRICS:
            raise value.bad(f"objectives: {unknown('metric', key, tuple(METRICS))}", at_key=True)
    return tuple(_objective(key, value) for key, value in found.items())


def _objective(name: str, node: Node) -> Objective:
    metric = METRICS[name]
    word = "at_least" if metric.more_is_better else "at_most"
    if isinstance(node.value, dict):
        node = node.fields((word,))[word]
    elif metric.more_is_better:
        raise node.expected(f"{{{word}: …}}, because more is better")
    return Objective(name, float(_limit(name, metric, node)), metric.unit, metric.more_is_better)


def _limit(name: str, metric: Metric, node: Node) -> float:
    if name in DURATIONS or isinstance(node.value, str):
        if metric.unit != "s":
            raise node.expected(_wanted(metric))
        return node.time() / NS
    if metric.unit == "s":
        return node.number(low=0)
    if metric.unit == "ratio":
        return node.number(0, 1)
    return node.integer(low=0)


def _wanted(metric: Metric) -> str:
    return "a number from 0 to 1" if metric.unit == "ratio" else "a whole number of at least 0"
