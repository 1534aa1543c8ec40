"""Changes of level among recoveries: found where there is one, hardly ever where there is none."""

from __future__ import annotations

import random

from drills.archive.levels import LEAST, level_changes


def runs(values: list[float]) -> list[tuple[str, float]]:
    return [(f"2026{n:04d}", value) for n, value in enumerate(values)]


def drawn(rng: random.Random, n: int, level: float) -> list[float]:
    return [level + rng.gauss(0, 1) for _ in range(n)]


def test_a_step_is_found_where_it_is() -> None:
    rng = random.Random(7)
    (found,) = level_changes(runs(drawn(rng, 20, 15.0) + drawn(rng, 20, 22.0)))
    assert found.at == "20260020"
    assert 14 < found.before < 16
    assert 21 < found.after < 23


def test_two_steps() -> None:
    rng = random.Random(11)
    found = level_changes(runs(drawn(rng, 15, 10.0) + drawn(rng, 15, 20.0) + drawn(rng, 15, 10.0)))
    assert [each.at for each in found] == ["20260015", "20260030"]


def test_chance_is_seldom_taken_for_a_change() -> None:
    rng = random.Random(23)
    false = sum(bool(level_changes(runs(drawn(rng, 40, 15.0)))) for _ in range(200))
    assert false <= 10, f"{false} of 200"


def test_a_single_outlier_is_no_level() -> None:
    rng = random.Random(3)
    values = drawn(rng, 30, 15.0)
    values[12] = 60.0
    assert level_changes(runs(values)) == []


def test_runs_far_off_part_no_level() -> None:
    rng = random.Random(7)
    for _ in range(20):
        values = drawn(rng, 50, 15.0)
        for place in (5, 18, 31, 44):
            values[place] = 8.0
        assert level_changes(runs(values)) == []
    values = drawn(rng, 25, 42.0) + drawn(rng, 25, 48.0)
    values[40] = 8.0
    (found,) = level_changes(runs(values))
    assert found.at == "20260025"


def test_too_few_or_all_the_same_say_nothing() -> None:
    assert level_changes(runs([1.0] * (LEAST // 2) + [9.0] * (LEAST // 2 - 1))) == []
    assert level_changes(runs([5.0] * 40)) == []
    assert level_changes([]) == []


def test_equal_values_with_one_step() -> None:
    (found,) = level_changes(runs([5.0] * 20 + [9.0] * 20))
    assert (found.at, found.before, found.after) == ("20260020", 5.0, 9.0)


def test_a_long_history_is_searched_from_its_end() -> None:
    rng = random.Random(5)
    (found,) = level_changes(runs(drawn(rng, 5000, 30.0) + drawn(rng, 200, 15.0)))
    assert found.at == "20265000"
