"""A run is ended early by a service that has been bad for long enough, whichever service that is."""

from __future__ import annotations

from typing import Any, cast

import pytest

from drills.execution.observation import Observation
from drills.execution.watch import View
from drills.record.history import NS
from drills.spec.drillfile import FailureRatio, StopIf

from .synthetic import correct

ORDERS, INQUIRY = (StopIf(FailureRatio(service, 0.5, 3 * NS)) for service in ("orders", "inquiry"))


@pytest.fixture
def watcher() -> Observation:
    plan = correct().plan
    none = cast(Any, None)
    return Observation(plan, {}, none, none, View.of(plan), none, none, none, (ORDERS, INQUIRY))


def test_only_what_lasts_ends_it_and_each_service_counts_for_itself(watcher: Observation) -> None:
    above: dict[StopIf, int] = {}
    ended: dict[str, list[int]] = {"orders": [], "inquiry": []}
    for second in range(10, 20):
        watcher.view.services["orders"].add(second * NS, False)
        for _ in range(2 if second == 12 else 1):
            watcher.view.services["inquiry"].add(second * NS, second == 12)
        for rule, service in ((ORDERS, "orders"), (INQUIRY, "inquiry")):
            if watcher._trips(rule, second * NS, above):
                ended[service].append(second)
    assert ended["orders"] == [13, 14, 15, 16, 17, 18, 19], "bad since 10"
    assert ended["inquiry"] == [18, 19], "half of what was asked in 2 s was good until 14: above its limit since 15"


def test_a_service_that_nobody_asks_for_ends_nothing(watcher: Observation) -> None:
    assert not watcher._trips(ORDERS, 10 * NS, {})
