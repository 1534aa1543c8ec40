"""The names a drill may use: fault kinds, checks, load profiles, links, services, alerts, phases.

Passed into the loaders: a drill is read for the target that it is to be run on. ``embedded()`` is what the
mini-brokerage offers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from targets.references import NameRange, Refers

if TYPE_CHECKING:
    from targets.operator_tool import OperatorTool
    from targets.target import Capabilities

PHASES = ("E1", "N1", "N2", "N3", "D0", "D1", "D2", "D3", "D4", "D5", "W")
"""Business-time phases of the timing matrix (rkt-05), from after the close to after the next one, and weekends."""


@cache
def standing() -> tuple[str, ...]:
    """Checks that every drill has, asked for or not: they prove that it took place, and that its run can judge."""
    from drills.domains.registry import DOMAINS  # when first asked for, as below

    return tuple(check.id for check in DOMAINS.checks.values() if check.validity)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``faults``: kind -> frozen Struct whose fields are its YAML; ``loads``: profile -> service -> requests/s.

    ``links``, ``services``, ``alerts``, ``accounts`` and ``volumes`` belong to a target; None: whatever is written is
    taken, and the target refuses later what it does not offer. ``operator`` is the target's tool, with which runbooks
    are followed, if any. ``unsupported``: of books, operator and alerts, what it says it does not have.
    ``conditions``: what can be planted in its data -> Struct whose fields are the parameters.
    ``quantities``: load profile -> name -> number of that load or of the target's settings, for governing conditions.
    ``adjustable``: the target's settings that a drill may have otherwise, as they come.
    ``runtime`` is the target's name where it comes with this package; None: a file describes it.
    """

    faults: Mapping[str, type[Any]]
    checks: Collection[str]
    loads: Mapping[str, Mapping[str, float]]
    links: Collection[str] | None = None
    services: Collection[str] | None = None
    alerts: Collection[str] | None = None
    operator: OperatorTool | None = None
    unsupported: Collection[str] = ()
    quantities: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    runtime: str | None = None
    conditions: Mapping[str, type[Any]] = field(default_factory=dict)
    accounts: NameRange | None = None
    volumes: Collection[str] | None = None
    adjustable: Mapping[str, float] = field(default_factory=dict)

    def names(self, thing: Refers) -> Collection[str] | None:
        """The target's names of this sort; None: whatever is written is taken."""
        known: dict[Refers, Collection[str] | None] = {
            Refers.LINK: self.links,
            Refers.SERVICE: self.services,
            Refers.CONDITION: self.conditions,
            Refers.ACCOUNT: self.accounts,
            Refers.VOLUME: self.volumes,
            Refers.ROLE: None if self.operator is None else self.operator.roles,
            Refers.COMMAND: None,  # looked at as a whole: ``faultform``
            Refers.QUERY: None,
            Refers.RATED: sorted({service for load in self.loads.values() for service in load}),
        }
        return known[thing]


def vocabulary(capabilities: Capabilities, runtime: str | None = None) -> Vocabulary:
    """The names for drills on a target that offers this. Imported when asked for: reading a runbook needs none of it.

    A target whose customers come by URL says itself what they ask for; to all others come those of this package.
    """
    from drills.domains.registry import DOMAINS
    from faults import FAULTS
    from loadprofiles import PROFILES

    usual = {name: dict(profile.services) for name, profile in PROFILES.items()}
    by_url = {name: {service: each.rate for service, each in load.items()} for name, load in capabilities.loads.items()}
    links, services, rules = map(sorted, (capabilities.links, capabilities.services, capabilities.rules))
    loads = by_url or usual
    hot = {name: {"load.hot_share": profile.hot_share} for name, profile in PROFILES.items() if profile.hot is not None}
    return Vocabulary(
        FAULTS,
        tuple(DOMAINS.checks),
        loads,
        links,
        services,
        rules,
        capabilities.operator,
        capabilities.unsupported,
        {name: {**_rates(load), **hot.get(name, {}), **capabilities.settings} for name, load in loads.items()},
        runtime,
        capabilities.plantable,
        capabilities.accounts,
        sorted(capabilities.volumes),
        {name: each for name, each in capabilities.settings.items() if name in capabilities.adjustable},
    )


def _rates(load: Mapping[str, float]) -> dict[str, float]:
    return {f"load.{service}": rate for service, rate in load.items()}


@cache
def embedded() -> Vocabulary:
    """All that the mini-brokerage offers."""
    from targets.registry import runtime

    way = runtime("local")
    return vocabulary(way.capabilities(), way.name)
