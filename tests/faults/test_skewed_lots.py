from __future__ import annotations

from typing import Any

import pytest

from faults import skewed_lots
from faults.scope import from_intent
from faults.skewed_lots import SkewedLots
from targets.target import Capabilities, ProbeResult

FAULT = SkewedLots("C-0634", 45.0)


class Planted:
    """A target whose planted lots are felt as ``pids`` says, look by look."""

    def __init__(self, pids: list[int | None], there: int = 5) -> None:
        self.pids = pids
        self.there = there
        self.asked: list[tuple[str, Any]] = []

    def plant(self, what: str, wanted: Any) -> ProbeResult:
        self.asked.append((what, dict(wanted)))
        return ProbeResult(True, "planted", {"lots": []})

    def planted(self, what: str, wanted: Any) -> ProbeResult:
        pid = self.pids.pop(0) if len(self.pids) > 1 else self.pids[0]
        return ProbeResult(self.there > 0, "seen", {"added": self.there, "effect": pid is not None, "pid": pid})

    def unplant(self, what: str, wanted: Any) -> ProbeResult:
        self.there = 0
        return ProbeResult(True, "removed", {"lock_s": 46.1})


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skewed_lots, "PAUSE_S", 0.0)
    monkeypatch.setattr(skewed_lots, "WITNESS_S", 0.05)


def test_it_is_asked_for_by_account_and_seconds() -> None:
    target = Planted([None])
    assert from_intent({"kind": "skewed-lots", "account": "C-0634", "outlasts": 45}) == FAULT
    assert FAULT.inject(target).ok  # type: ignore[arg-type]
    assert target.asked == [("lots", {"account": "C-0634", "outlasts": 45.0})]


@pytest.mark.parametrize("outlasts", [0, -1, 601])
def test_a_lock_of_no_length_or_for_ever_is_refused(outlasts: int) -> None:
    with pytest.raises(ValueError, match="outlasts"):
        from_intent({"kind": "skewed-lots", "account": "C-0634", "outlasts": outlasts})


def test_it_needs_a_target_that_can_plant_lots() -> None:
    lacking = Capabilities(frozenset(), frozenset(), (), operator=None, alerts=False)
    able = Capabilities(frozenset(), frozenset(), (), operator=None, alerts=False, plantable=frozenset({"lots"}))
    assert FAULT.missing(lacking) == "lots to plant (it can plant: nothing)"
    assert FAULT.missing(able) is None


def test_the_witness_wants_to_see_the_same_session_block_twice() -> None:
    seen = FAULT.verify_effect(Planted([None, 7, None, 7, 7]))  # type: ignore[arg-type]
    assert seen.ok
    assert seen.data["pid"] == 7
    assert not FAULT.verify_effect(Planted([None])).ok  # type: ignore[arg-type]


def test_it_is_gone_when_neither_lots_nor_waits_are_left() -> None:
    target = Planted([None])
    assert not FAULT.verify_removed(target).ok  # type: ignore[arg-type]
    assert FAULT.rollback(target).data["lock_s"] == 46.1  # type: ignore[arg-type]
    assert FAULT.verify_removed(target).ok  # type: ignore[arg-type]
    assert not FAULT.verify_removed(Planted([7], there=0)).ok  # type: ignore[arg-type]
