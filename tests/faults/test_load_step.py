"""A step of the load as a fault: what it says, when it counts as struck, what its witness sees, and its end."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from faults import load_step
from faults.load_step import Driven, LoadStep
from faults.scope import from_intent, to_intent
from loadprofiles.commands import Stepped
from targets.target import Target

TARGET = cast(Target, None)


class Crowd:
    """A load whose customers come at ``share`` of the rate that it is asked for; ``first_after`` looks at least."""

    def __init__(self, share: float = 1.0, first_after: int = 0, alive: bool = True) -> None:
        self.share, self.left, self.alive = share, first_after, alive
        self.asked: tuple[str, str, float, float] | None = None
        self.began = 0
        self.over = False

    def rate(self, service: str) -> float | None:
        return 18.0 if service == "orders" else None

    def step(self, name: str, service: str, per_s: float, lasts_s: float) -> None:
        self.asked, self.began = (name, service, per_s, lasts_s), time.monotonic_ns()

    def look(self, name: str) -> Stepped | None:
        if not self.alive:
            return None
        if self.asked is None:
            return Stepped()
        self.left -= 1
        age = (time.monotonic_ns() - self.began) / 1e9
        due = int(age * self.asked[2])
        first = self.began if self.left < 0 and self.share else 0
        return Stepped(due, int(due * self.share), 0, self.began, first, self.over)

    def end(self, name: str) -> Stepped | None:
        self.over = True
        return self.look(name)


def driven(crowd: Crowd, lasts_s: float = 0.4, **fields: Any) -> Driven:
    return Driven(LoadStep(**{"service": "orders", **(fields or {"to": 1000.0})}), crowd, "step0", lasts_s)


@pytest.mark.parametrize(("fields", "more"), [({"times": 3}, 36.0), ({"to": 120}, 102.0)])
def test_only_what_comes_in_addition_is_asked_for(fields: dict[str, float], more: float) -> None:
    crowd = Crowd()
    found = driven(crowd, 8.0, **fields).inject(TARGET)
    assert found.ok, found.says
    assert crowd.asked == ("step0", "orders", more, 8.0)
    assert (found.data["usual_per_s"], found.data["per_s"]) == (18.0, 18.0 + more)


def test_it_has_struck_when_the_first_has_come() -> None:
    crowd = Crowd(first_after=10)
    assert driven(crowd).inject(TARGET).data["first_ns"] == crowd.began
    assert crowd.left < 0


def test_where_nobody_comes_it_was_not_injected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_step, "FIRST_WITHIN_S", 0.05)
    assert not driven(Crowd(share=0.0)).inject(TARGET).ok
    assert not driven(Crowd(), service="repayment", to=100.0).inject(TARGET).ok
    assert not driven(Crowd(), to=18.0).inject(TARGET).ok
    assert not LoadStep(service="orders", to=18.0).inject(TARGET).ok


@pytest.mark.parametrize(("share", "seen"), [(1.0, True), (0.5, False), (0.0, False)])
def test_the_witness_counts_who_came(share: float, seen: bool) -> None:
    crowd = Crowd(share)
    crowd.step("step0", "orders", 982.0, 0.4)
    found = driven(crowd).verify_effect(TARGET)
    assert (found.ok, found.data["effect_seen"]) == (seen, seen)
    assert found.data["due"] > 0


def test_a_witness_of_a_load_that_has_ended_has_seen_nothing() -> None:
    assert driven(Crowd(alive=False)).verify_effect(TARGET).data["effect_seen"] is None


def test_it_is_undone_when_nobody_more_comes_twice_over_and_by_another_process() -> None:
    crowd = Crowd()
    fault = driven(crowd)
    fault.inject(TARGET)
    assert not fault.verify_removed(TARGET).ok
    assert fault.rollback(TARGET).ok
    assert fault.rollback(TARGET).ok
    assert fault.verify_removed(TARGET).ok
    later = from_intent(to_intent(fault))
    assert later.rollback(TARGET).ok
    assert later.verify_removed(TARGET).ok
    assert driven(Crowd(alive=False)).verify_removed(TARGET).ok


@pytest.mark.parametrize("fields", [{}, {"times": 2, "to": 50}, {"times": 1}, {"to": 3000}])
def test_it_says_how_many_come_one_way_or_the_other(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  which of the two is said in words of msgspec
        from_intent({"kind": "load-step", "service": "orders", **fields})
