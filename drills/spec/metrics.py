"""What an objective may limit, how a limit is written, and which harm a drill accepts.

``recover: 15s`` or ``duplicated: 0`` is the most that is allowed; ``served_ratio: {at_least: 0.5}`` the least. Which of
the two makes sense belongs to the metric, so the other one is refused instead of being an objective that cannot fail.
``{after_first_step: 0}`` or ``{during_fault: 0.9}`` limits the value in a window that the metric has,
``{of: {orders: 5s}}`` that of a service, and ``because:`` says why it is this limit. ``accepts:`` names metrics that
count harm and have no limit, each with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from drills.errors import unknown
from drills.record.history import NS, Objective
from drills.spec.reader import Node, Words

if TYPE_CHECKING:
    from drills.judge.metric import Metric


@cache
def metrics() -> Mapping[str, Metric]:
    """Metric id -> what it is."""
    from drills.domains.registry import DOMAINS  # when first asked for: reading a runbook needs no judge

    return DOMAINS.metrics


def limitable() -> Iterator[str]:
    """What objectives are called: a metric, or one in a part of the observation (``METRIC.WINDOW``)."""
    for name, metric in metrics().items():
        yield from (name if window == "all" else f"{name}.{window}" for window in metric.windows)


def objectives(node: Node, services: Collection[str] = ()) -> tuple[Objective, ...]:
    """``{METRIC: limit}`` in the file's order; at least one. ``services`` are those of any load."""
    found = node.mapping("a mapping of metrics to limits")
    if not found:
        raise node.expected("at least one objective")
    for key, value in found.items():
        if key not in metrics():
            raise value.bad(f"objectives: {unknown('metric', key, tuple(metrics()))}", at_key=True)
    return tuple(one for key, value in found.items() for one in _objectives(metrics()[key], value, services))


def counting_harm() -> tuple[str, ...]:
    """The metrics that a drill may accept: those that count harm."""
    return tuple(name for name, metric in metrics().items() if metric.harm is not None)


def accepts(node: Node) -> dict[str, Words]:
    """``{METRIC: {en, ja}}``: harm that the drill accepts, and why."""
    known = counting_harm()
    for key, value in node.mapping("a mapping of metrics to reasons").items():
        if key not in known:
            raise value.bad(f"accepts: {unknown('metric that counts harm', key, known)}", at_key=True)
    return {key: value.words() for key, value in node.mapping().items()}


def _objectives(metric: Metric, node: Node, services: Collection[str]) -> Iterator[Objective]:
    word = "at_least" if metric.more_is_better else "at_most"
    if not isinstance(node.value, dict):
        if metric.more_is_better:
            raise node.expected(f"{{{word}: …}}, because more is better")
        yield _objective(metric, node)
        return
    windows = tuple(str(window) for window in metric.windows if window != "all")
    per_service = ("of",) if metric.by_service is not None else ()
    fields = node.fields((), (word, *windows, *per_service, "because"))
    because = fields["because"].words() if "because" in fields else None
    if not fields.keys() - {"because"}:
        raise node.expected(f"a limit: {', '.join((word, *windows, *per_service))}")
    for key in (word, *windows):
        if key in fields:
            yield _objective(metric, fields[key], "all" if key == word else key, because=because)
    if "of" in fields:
        for name, limit in fields["of"].mapping("a mapping of services to limits").items():
            if name not in services:
                raise limit.bad(f"{fields['of'].name}: {unknown('service', name, tuple(services))}", at_key=True)
            yield _objective(metric, limit, of=name, because=because)


def _objective(
    metric: Metric, node: Node, window: str = "all", of: str | None = None, because: Words | None = None
) -> Objective:
    why = None if because is None else {"en": because.en, "ja": because.ja}
    return Objective(metric.id, float(_limit(metric, node)), metric.unit, metric.more_is_better, window, of, why)


def _limit(metric: Metric, node: Node) -> float:
    if metric.span or isinstance(node.value, str):
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
