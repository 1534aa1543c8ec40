"""The names a drill may use: fault kinds, checks, load profiles, links, services, alerts, phases.

Passed into the loaders, so that a test or an own target can bring its own; ``embedded()`` is what the mini-brokerage
and this package offer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

PHASES = ("E1", "N1", "N2", "N3", "D0", "D1", "D2", "D3", "D4", "D5", "W")
"""Business-time phases of the timing matrix (rkt-05), from after the close to after the next one, and weekends."""


@cache
def standing() -> tuple[str, ...]:
    """Checks that every drill has, asked for or not: they prove that it took place, and that its run can judge."""
    from drills.checkers import CHECKS  # when first asked for, as below

    return tuple(check.id for check in CHECKS.values() if check.standing)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``faults``: kind -> frozen Struct whose fields are its YAML; ``loads``: profile -> service -> requests/s.

    ``links``, ``services`` and ``alerts`` belong to a target; None: whatever is written is taken, and the target
    refuses later what it does not offer.
    """

    faults: Mapping[str, type[Any]]
    checks: Collection[str]
    loads: Mapping[str, Mapping[str, float]]
    links: Collection[str] | None = None
    services: Collection[str] | None = None
    alerts: Collection[str] | None = None


@cache
def embedded() -> Vocabulary:
    """All that stands in this package. Imported when first asked for: reading a runbook needs none of it."""
    from drills.checkers import CHECKS
    from faults import FAULTS
    from loadprofiles import PROFILES
    from targets.registry import runtime

    offer = runtime("local").offer()
    loads = {name: dict(profile.services) for name, profile in PROFILES.items()}
    return Vocabulary(FAULTS, tuple(CHECKS), loads, *map(sorted, (offer.links, offer.services, offer.rules)))
