"""The run's load as faults see it that step it up: errors are those of a target, and an ended load is no error."""

from __future__ import annotations

from collections.abc import Mapping

from drills.record.history import Plan
from faults import scope
from loadprofiles.commands import Stepped
from loadprofiles.process import Load, LoadError
from targets.target import TargetError


def most_arrivals(plan: Plan, usual: Mapping[str, float]) -> dict[str, float]:
    """Of the services whose load a fault of the plan steps up: the most arrivals a second."""
    found: dict[str, float] = {}
    for planned in plan.faults:
        arrivals = scope.from_intent({"kind": planned.kind, **planned.params}).arrivals(usual)
        for service, rate in arrivals.items():
            if rate != usual[service]:
                found[service] = max(rate, found.get(service, 0.0))
    return found


class Steppable:
    """A load while it runs (``faults.load.Steps``)."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def rate(self, service: str) -> float | None:
        """Arrivals a second of a rated service without a step; None where there is no such service."""
        return self._load.rate(service)

    def step(self, name: str, service: str, per_s: float, lasts_s: float) -> None:
        """So many more a second, from now on and for so long."""
        try:
            self._load.step(name, service, per_s, lasts_s)
        except LoadError as error:
            raise TargetError(str(error)) from error

    def look(self, name: str) -> Stepped | None:
        """How far it has come; None once the load has ended."""
        return self._asked(name, end=False)

    def end(self, name: str) -> Stepped | None:
        """It goes no further; None once the load has ended."""
        return self._asked(name, end=True)

    def _asked(self, name: str, end: bool) -> Stepped | None:
        try:
            return self._load.stepped(name, end=end)
        except LoadError as error:
            if self._load.alive:
                raise TargetError(str(error)) from error
            return None
