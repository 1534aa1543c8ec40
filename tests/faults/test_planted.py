from __future__ import annotations

from typing import Any

import pytest

from faults.planted import Planted
from faults.scope import from_intent, to_intent
from targets.target import Capabilities, ConditionState, ProbeResult, TargetError

INTENT = {"kind": "planted", "what": "wet-floor", "room": "C-0634", "litres": 45}
FAULT = Planted("wet-floor", {"room": "C-0634", "litres": 45})


class System:
    """A target whose condition is there and felt as it says."""

    def __init__(self, there: bool = True, felt: bool = False) -> None:
        self.there, self.felt = there, felt
        self.asked: list[tuple[str, Any]] = []

    @property
    def conditions(self) -> System:
        return self

    def plant(self, what: str, wanted: Any) -> ProbeResult:
        self.asked.append((what, dict(wanted)))
        return ProbeResult(True, "planted", {"lots": []})

    def look(self, what: str, wanted: Any, *, wait: bool) -> ConditionState:
        self.asked.append((what, dict(wanted)))
        return ConditionState(self.there, self.felt, "waited" if wait else "seen", {"added": 5})

    def unplant(self, what: str, wanted: Any) -> ProbeResult:
        self.there = False
        self.asked.append((what, dict(wanted)))
        return ProbeResult(True, "removed", {"lock_s": 46.1})


def test_it_is_written_flat_and_the_target_gets_the_condition_with_its_parameters() -> None:
    target: Any = System()
    assert from_intent(INTENT) == FAULT
    assert to_intent(FAULT) == INTENT
    for verb in (FAULT.inject, FAULT.verify_effect, FAULT.rollback, FAULT.verify_removed):
        verb(target)
    assert target.asked == [("wet-floor", {"room": "C-0634", "litres": 45})] * 4


def test_one_that_does_not_say_what_is_refused() -> None:
    with pytest.raises(ValueError, match="missing required field `what`"):
        from_intent({"kind": "planted", "room": "C-0634"})


def test_it_needs_a_target_that_can_plant_it() -> None:
    lacking = Capabilities(frozenset(), frozenset(), (), operator=None, alerts=False)
    able = Capabilities(frozenset(), frozenset(), (), operator=None, alerts=False, plantable={"wet-floor": int})
    assert FAULT.missing(lacking) == "wet-floor to plant (it can plant: nothing)"
    assert FAULT.missing(able) is None


def test_a_target_without_conditions_says_so() -> None:
    bare: Any = type("Bare", (), {"conditions": None})()
    with pytest.raises(TargetError, match="the target has no conditions to plant"):
        FAULT.rollback(bare)


def test_the_witness_waits_for_the_effect() -> None:
    felt: Any = System(felt=True)
    seen = FAULT.verify_effect(felt)
    assert (seen.ok, seen.says, seen.data) == (True, "waited", {"added": 5, "effect_seen": True})
    calm: Any = System()
    assert not FAULT.verify_effect(calm).ok


def test_it_is_gone_when_it_is_neither_there_nor_felt() -> None:
    target: Any = System()
    assert not FAULT.verify_removed(target).ok
    assert FAULT.rollback(target).data["lock_s"] == 46.1
    assert FAULT.verify_removed(target).says == "seen"
    assert FAULT.verify_removed(target).ok
    lasting: Any = System(there=False, felt=True)
    assert not FAULT.verify_removed(lasting).ok
