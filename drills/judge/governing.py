"""The condition that governs the incident, with its numbers: from load, settings and measurement, never typed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

from drills.judge.metric import SCALE, Metric
from drills.judge.objectives import Measured
from drills.record.history import Governing, Product

MEASURED = "measured."
"""How the name of a quantity begins that is a metric of this run."""


def names(condition: Governing) -> Iterator[str]:
    """Every quantity that its two sides are made of."""
    for side in (condition.left, condition.right):
        for group in (*side.times, *side.over):
            yield from group


def numbers(condition: Governing, measured: Measured, metrics: Mapping[str, Metric]) -> dict[str, float | None]:
    """Quantity -> its value, None where it cannot be known; times in seconds."""
    return {
        name: _metric(name.removeprefix(MEASURED), measured, metrics)
        if name.startswith(MEASURED)
        else condition.known.get(name)
        for name in names(condition)
    }


def value(side: Product, known: Mapping[str, float | None]) -> float | None:
    """What a side comes to, with three decimals; None where a quantity is not known, or would divide by nothing."""
    times, over = ([_sum(group, known) for group in groups] for groups in (side.times, side.over))
    above, below = ([each for each in found if each is not None] for found in (times, over))
    if len(above) + len(below) < len(times) + len(over) or not all(below):
        return None
    return round(prod(above) / prod(below), 3)


def _sum(group: Sequence[str], known: Mapping[str, float | None]) -> float | None:
    found = [known.get(name) for name in group]
    there = [each for each in found if each is not None]
    return sum(there) if len(there) == len(found) else None


def _metric(name: str, measured: Measured, metrics: Mapping[str, Metric]) -> float | None:
    """In the whole of the run; the latest end of a span."""
    found = next((each.measured for each in measured.get(name, ()) if (each.window, each.of) == ("all", None)), None)
    return None if found is None else found.latest / SCALE.get(metrics[name].unit, 1)
