from __future__ import annotations

from typing import Any

import pytest

from faults.scope import from_intent
from faults.skewed_lots import SkewedLots
from targets.target import Capabilities, ConditionState, ProbeResult

FAULT = SkewedLots("C-0634", 45.0)


class Planted:
    """A target whose planted lots are there and felt as it says."""

    def __init__(self, there: bool = True, felt: bool = False) -> None:
        self.there, self.felt = there, felt
        self.asked: list[tuple[str, Any]] = []

    @property
    def conditions(self) -> Planted:
        return self

    def plant(self, what: str, wanted: Any) -> ProbeResult:
        self.asked.append((what, dict(wanted)))
        return ProbeResult(True, "planted", {"lots": []})

    def look(self, what: str, wanted: Any, *, wait: bool) -> ConditionState:
        return ConditionState(self.there, self.felt, "waited" if wait else "seen", {"added": 5})

    def unplant(self, what: str, wanted: Any) -> ProbeResult:
        self.there = False
        return ProbeResult(True, "removed", {"lock_s": 46.1})


def test_it_is_asked_for_by_account_and_seconds() -> None:
    target = Planted()
    assert from_intent({"kind": "skewed-lots", "account": "C-0634", "outlasts": 45}) == FAULT
    assert FAULT.inject(target).ok  # type: ignore[arg-type]
    assert target.asked == [("skewed-lots", {"account": "C-0634", "outlasts": 45.0})]


@pytest.mark.parametrize("outlasts", [0, -1, 601])
def test_a_lock_of_no_length_or_for_ever_is_refused(outlasts: int) -> None:
    with pytest.raises(ValueError, match="outlasts"):
        from_intent({"kind": "skewed-lots", "account": "C-0634", "outlasts": outlasts})


def test_it_needs_a_target_that_can_plant_lots() -> None:
    lacking = Capabilities(frozenset(), frozenset(), (), operator=False, alerts=False)
    able = Capabilities(frozenset(), frozenset(), (), operator=False, alerts=False, plantable={"skewed-lots": int})
    assert FAULT.missing(lacking) == "skewed-lots to plant (it can plant: nothing)"
    assert FAULT.missing(able) is None


def test_the_witness_waits_for_the_effect() -> None:
    seen = FAULT.verify_effect(Planted(felt=True))  # type: ignore[arg-type]
    assert (seen.ok, seen.says, seen.data) == (True, "waited", {"added": 5, "effect_seen": True})
    assert not FAULT.verify_effect(Planted()).ok  # type: ignore[arg-type]


def test_it_is_gone_when_neither_lots_nor_waits_are_left() -> None:
    target = Planted()
    assert not FAULT.verify_removed(target).ok  # type: ignore[arg-type]
    assert FAULT.rollback(target).data["lock_s"] == 46.1  # type: ignore[arg-type]
    assert FAULT.verify_removed(target).says == "seen"  # type: ignore[arg-type]
    assert FAULT.verify_removed(target).ok  # type: ignore[arg-type]
    assert not FAULT.verify_removed(Planted(there=False, felt=True)).ok  # type: ignore[arg-type]
