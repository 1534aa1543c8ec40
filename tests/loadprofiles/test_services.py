"""Load and target name the services alike, though neither may import the other."""

from __future__ import annotations

from drills.spec.drill import STOP_METRICS
from drills.spec.vocabulary import embedded
from loadprofiles import profiles
from targets.brokerage import config


def test_customers_use_the_services_that_the_brokerage_has() -> None:
    assert set(profiles.SERVICES) == set(config.SERVICES)


def test_runs_are_stopped_by_services_that_every_load_has() -> None:
    rated = [set(services) for services in embedded().loads.values()]
    assert rated
    assert all(set(STOP_METRICS.values()) <= services for services in rated)
