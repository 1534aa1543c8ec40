"""The count of what a new drill touches."""

from __future__ import annotations

from tests.packaging.touched import MOST, NEUTRAL, REGISTRIES, ROOT, sorted_by_kind


def test_the_places_it_names_are_there() -> None:
    assert all((ROOT / place).is_dir() for place in NEUTRAL)
    assert all((ROOT / place).is_file() for place in REGISTRIES)


def test_neutral_code_is_told_from_registries_and_tests_do_not_count() -> None:
    found = sorted_by_kind(
        ["drills/judge/score.py", "drills/domains/registry.py", "compose/compose.yaml", "tests/x.py"]
    )
    assert found.neutral == ("drills/judge/score.py",)
    assert found.registries == ("drills/domains/registry.py",)
    assert found.others == ("compose/compose.yaml",)
    assert not found.allowed


def test_so_many_registrations_are_allowed_and_no_more() -> None:
    assert sorted_by_kind(REGISTRIES[:MOST]).allowed
    assert not sorted_by_kind(REGISTRIES[: MOST + 1]).allowed
    assert sorted_by_kind([]).allowed
