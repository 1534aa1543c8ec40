"""What a drill's load comes to while a fault of its timeline steps it up: what the governing condition counts with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from drills.errors import unknown
from drills.record.history import NS
from drills.spec.reader import Node
from drills.spec.seeded import corners, extremes
from drills.spec.timeline import TimedFault

STEP, STEP_S = "load.step", "load.step_s"
"""Arrivals a second of the service during the step, all told, and how long it lasts; by the least that may be drawn."""

KIND = "load-step"


def refuse_other_service(
    timeline: Node, faults: Sequence[TimedFault], services: Mapping[str, float], load: str
) -> None:
    """BadInput where a step is of a service that the drill's load does not have."""
    for index, _, rated in _steps(faults):
        if rated not in services:
            place = timeline.child(index).child("fault").child("service")
            raise place.bad(f"{place.name}: {unknown(f'service of load {load}', rated, tuple(services))}")


def quantities(faults: Sequence[TimedFault], services: Mapping[str, float]) -> dict[str, float]:
    """Of the first step of the timeline; none where it has none that lasts for a given time."""
    from faults.load_step import LoadStep  # when asked for: reading a runbook needs none of it

    for _, timed, service in _steps(faults):
        if timed.lasts is not None and service in services:
            rates = [LoadStep.of(chosen).rate(services[service]) for chosen in corners(timed.fault.params)]
            return {STEP: min(rates), STEP_S: min(extremes(timed.lasts)) / NS}
    return {}


def _steps(faults: Sequence[TimedFault]) -> Iterator[tuple[int, TimedFault, str]]:
    """The steps with their places, and each service that one may be of."""
    for index, timed in enumerate(faults):
        if timed.fault.kind == KIND:
            yield from ((index, timed, each) for each in extremes(timed.fault.params["service"]))
