"""Each arm has its turn."""

from __future__ import annotations

from . import rotation


def test_every_arm_has_its_turn() -> None:
    here, there = rotation.on_processes(), rotation.in_containers()
    turns = [rotation.of_commit(number) for number in range(len(here) * len(there))]
    assert {each for each, _ in turns} == set(here)
    assert {each for _, each in turns} == set(there)
    assert not [each for each in here if each.drill in rotation.drills() and each.arm in rotation.ALWAYS]
