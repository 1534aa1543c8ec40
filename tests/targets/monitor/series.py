"""Series for a rule, each with the evaluations at which it fires, counted by hand and not by either evaluator."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from targets.brokerage.monitor.rules import Expr, Rule

STEP_NS = 250_000_000
"""Scrape and evaluation interval of both monitors."""

Value = float | None
"""One scrape of a series; None: the scrape succeeded and did not have it."""

LEAD, FIRE, TAIL = 3, 4, 5
QUIET = 1_260
"""More evaluations than fit into the 5 min for which PromQL looks back."""


@dataclass(frozen=True, slots=True)
class Series:
    """A metric's values, one per scrape; every scrape is followed by an evaluation at the same instant."""

    metric: str
    labels: Mapping[str, str]
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A series' course and the evaluations, from 0, at which its alert fires."""

    name: str
    values: tuple[Value, ...]
    fires_at: tuple[int, ...]


def wait(rule: Rule) -> int:
    """How many evaluations lie between the first that holds and the one that fires."""
    return -(-rule.hold_ns // STEP_NS)


def edge(expr: Expr) -> tuple[float, float]:
    """The two neighbouring floats of which the comparison holds for the first and not for the second."""
    number = expr.number
    above, below = math.nextafter(number, math.inf), math.nextafter(number, -math.inf)
    return {
        ">": (above, number),
        "<": (below, number),
        ">=": (number, below),
        "<=": (number, above),
        "==": (number, above),
        "!=": (below, number),
    }[expr.op]


def selected(expr: Expr) -> dict[str, str]:
    """Labels that the expression's matchers accept."""
    return {each.label: each.value if each.equal else f"not {each.value}" for each in expr.matchers}


def unselected(expr: Expr) -> Iterator[dict[str, str]]:
    """Labels that differ from the accepted ones in one matcher."""
    for each in expr.matchers:
        yield {**selected(expr), each.label: f"not {each.value}" if each.equal else each.value}


def shapes(rule: Rule) -> Iterator[Shape]:
    """The courses in which a rule can go wrong; values lie as close to the threshold as floats can."""
    yes, no = edge(rule.expr)
    due = LEAD + wait(rule)
    lead, held, tail = (no,) * LEAD, (yes,) * wait(rule), (no,) * TAIL
    fire = held + (yes,) * FIRE
    once = tuple(range(due, due + FIRE))
    again = tuple(range(due + FIRE + TAIL + wait(rule), due + 2 * FIRE + TAIL + wait(rule)))
    yield Shape("fires", lead + fire, once)
    yield Shape("fires from the first evaluation", fire, tuple(range(wait(rule), wait(rule) + FIRE)))
    yield Shape("just short", lead + held + tail, ())
    yield Shape("fires and resolves", lead + fire + tail, once)
    yield Shape("resolves and fires again", lead + fire + tail + fire, once + again)
    yield Shape("vanishes", lead + fire + (None,) * TAIL, once)
    yield Shape("vanishes and comes back pending", lead + fire + (None,) + held, once)
    yield Shape("vanishes while pending", lead + held + (None,) + held + (None,) * TAIL, ())
    yield Shape("appears", (None,) * LEAD + fire + tail, once)
    yield Shape("just short, twice", lead + held + (no,) + held + tail, ())
    if rule.expr.op != "!=":
        yield Shape("turns into NaN", lead + fire + (math.nan,) * TAIL, once)
    yield Shape("stays quiet", (no,) * QUIET, ())


def of(rule: Rule, shape: Shape) -> Series:
    """The shape as a series that the rule selects, labelled as a scrape would."""
    labels = {"job": "gateway", "instance": "i:1", "link": "A"} | selected(rule.expr)
    return Series(rule.expr.metric, labels, shape.values)
