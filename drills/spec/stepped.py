"""What a drill's load comes to while a fault of its timeline changes it: what the governing condition counts with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from drills.errors import unknown
from drills.record.history import NS
from drills.spec.faultform import DrawnFault
from drills.spec.reader import Node
from drills.spec.seeded import corners, extremes
from drills.spec.timeline import TimedFault
from targets.references import Refers, reference

STEP, STEP_S = "load.step", "load.step_s"
"""Arrivals a second of the service during the step, all told, and how long it lasts; by the least that may be drawn."""


def refuse_other_service(
    timeline: Node, faults: Sequence[TimedFault], services: Mapping[str, float], load: str
) -> None:
    """BadInput where a fault is of a rated service that the drill's load does not have."""
    for index, timed in enumerate(faults):
        for name in _naming_rated(timed.fault):
            for rated in extremes(timed.fault.params[name]):
                if rated not in services:
                    place = timeline.child(index).child("fault").child(name)
                    raise place.bad(f"{place.name}: {unknown(f'service of load {load}', rated, tuple(services))}")


def quantities(faults: Sequence[TimedFault], services: Mapping[str, float]) -> dict[str, float]:
    """Of the first step of the timeline; none where it has none that lasts for a given time."""
    for timed in faults:
        rates = [
            rate
            for arrivals in _arrivals(timed.fault, services)
            for service, rate in arrivals.items()
            if rate != services[service]
        ]
        if rates and timed.lasts is not None:
            return {STEP: min(rates), STEP_S: min(extremes(timed.lasts)) / NS}
    return {}


def busiest(faults: Sequence[TimedFault], services: Mapping[str, float]) -> dict[str, float]:
    """The most arrivals a second that each service may ever have."""
    found = [dict(services), *(each for timed in faults for each in _arrivals(timed.fault, services))]
    return {service: max(each[service] for each in found) for service in services}


def _arrivals(drawn: DrawnFault, services: Mapping[str, float]) -> Iterator[Mapping[str, float]]:
    """While the fault lasts, for each extreme of what may be drawn."""
    from faults import FAULTS  # when asked for: reading a runbook needs none of it
    from faults.fault import DeclaredFault

    for chosen in corners(drawn.params):
        yield cast(DeclaredFault, FAULTS[drawn.kind].of(chosen)).arrivals(services)


def _naming_rated(drawn: DrawnFault) -> list[str]:
    """Those of its fields that name a rated service."""
    from faults import FAULTS

    declared = {field.encode_name: field.type for field in FAULTS[drawn.kind].declared()}
    return [name for name in drawn.params if reference(declared.get(name)) is Refers.RATED]
