"""Load and target name the services alike, though neither may import the other."""

from __future__ import annotations

from loadprofiles import profiles
from targets.brokerage import config


def test_customers_use_the_services_that_the_brokerage_has() -> None:
    assert set(profiles.SERVICES) == set(config.SERVICES)
