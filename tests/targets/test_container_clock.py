"""Whether containers share this machine's clock: three stamps in a row, and what is said where they do not lie so."""

from __future__ import annotations

import time

import pytest

from targets.containers.clock import Bracket, brackets, shared
from targets.target import TargetError


def test_stamps_of_this_machine_lie_between() -> None:
    seen = brackets(time.monotonic_ns)
    assert len(seen) == 5
    assert all(each.holds and each.off == 0 for each in seen)
    assert shared(seen).startswith("CLOCK_MONOTONIC shared with containers, 5 looks, to within ")


def test_the_narrowest_says_how_well_it_is_known() -> None:
    assert shared([Bracket(0, 5, 2_000_000), Bracket(10, 10, 500_010)]).endswith("to within 0.500 ms")


@pytest.mark.parametrize(
    ("bracket", "says"),
    [
        (Bracket(10, 5_000_030, 30), "5.000 ms after the moment"),
        (Bracket(2_000_010, 10, 2_000_030), "2.000 ms before the moment"),
    ],
)
def test_one_that_lies_outside_is_another_clock(bracket: Bracket, says: str) -> None:
    assert not bracket.holds
    with pytest.raises(TargetError, match=says):
        shared([Bracket(0, 1, 2), bracket])
