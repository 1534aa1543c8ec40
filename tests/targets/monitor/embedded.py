"""The embedded monitor's evaluator on series: what fires at each evaluation, as its own API lists it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from targets.brokerage.monitor.evaluate import Sample
from targets.brokerage.monitor.rules import Group
from targets.brokerage.monitor.service import Engine, Meters

from .series import STEP_NS, Series


@dataclass(frozen=True, slots=True)
class Firing:
    """A firing alert; labels with ``alertname``, annotations with their templates filled in."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def firing(groups: Sequence[Group], series: Sequence[Series]) -> tuple[tuple[Firing, ...], ...]:
    """What fires after each evaluation, until the longest series ends. Fails if a rule cannot be evaluated."""
    meters = Meters()
    found = tuple(_play(Engine(groups, STEP_NS, meters, "http://monitor"), series))
    assert meters.registry.get_sample_value("monitor_rule_failures_total") == 0
    return found


def _play(engine: Engine, series: Sequence[Series]) -> Iterator[tuple[Firing, ...]]:
    for step in range(max(len(each.values) for each in series)):
        engine.turn(step, step * STEP_NS, list(scrape(series, step)))
        active = (alert for alert in engine.active() if alert["state"] == "firing")
        yield tuple(Firing(alert["labels"], alert["annotations"]) for alert in active)


def scrape(series: Sequence[Series], step: int) -> Iterator[Sample]:
    """The samples there are at one step."""
    for each in series:
        if step < len(each.values) and (value := each.values[step]) is not None:
            yield Sample(each.metric, tuple(sorted((k, v) for k, v in each.labels.items() if v)), value)
