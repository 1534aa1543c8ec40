"""Several runs of a drill taken as one answer."""

from __future__ import annotations

from typing import Any

import pytest

from drills.judge.repeats import repeated
from reports.card import as_card
from tests.reports.cards import failed, invalid, passed


def missing(objective: str = "recover") -> dict[str, Any]:
    """A run that missed an objective and damaged nothing."""
    card = passed()
    card["verdict"], card["grade"] = "fail", "major-challenges"
    for each in card["objectives"]:
        if each["id"] == objective:
            each["verdict"] = "fail"
    return card


def unknown(objective: str = "recover") -> dict[str, Any]:
    card = passed()
    card["verdict"], card["grade"] = "unknown", None
    for each in card["objectives"]:
        if each["id"] == objective:
            each["verdict"] = "unknown"
    return card


def together(*cards: dict[str, Any]) -> tuple[str, str | None]:
    for number, card in enumerate(cards):
        card["run"], card["arm"] = f"{card['drill']}/{number}", "runbook"
    (found,) = repeated(map(as_card, cards))
    return str(found.verdict), found.grade


@pytest.mark.parametrize(
    ("cards", "verdict", "grade"),
    [
        ((passed, passed, passed), "pass", "performed"),
        ((passed, missing, passed), "pass", "some-challenges"),
        ((missing, missing, passed), "fail", "major-challenges"),
        ((missing,), "fail", "major-challenges"),
        ((missing, passed), "pass", "some-challenges"),
        ((passed, failed, passed), "fail", "unable"),
        ((passed, invalid, passed), "invalid", None),
        ((failed, invalid), "fail", "unable"),
        ((passed, unknown, passed), "unknown", None),
        ((missing, missing, unknown), "fail", "major-challenges"),
    ],
    ids=lambda value: " ".join(each.__name__ for each in value) if isinstance(value, tuple) else None,
)
def test_chance_is_no_failure_and_damage_is_no_chance(cards: Any, verdict: str, grade: str | None) -> None:
    assert together(*(make() for make in cards)) == (verdict, grade)


def test_how_often_an_objective_was_missed_is_said() -> None:
    runs = [missing(), passed(), missing()]
    for number, card in enumerate(runs):
        card["run"] = f"d/{number}"
    (found,) = repeated(map(as_card, runs))
    (recover,) = [each for each in found.objectives if each.id == "recover"]
    assert (recover.failed, recover.unknown, recover.of, recover.verdict) == (2, 0, 3, "fail")
    assert found.runs == ["d/0", "d/1", "d/2"]


def test_each_drill_and_arm_for_itself_and_an_attempt_made_once_more_counts_for_nothing() -> None:
    first, second, other = invalid(), passed(), passed()
    first["run"], second["run"], other["run"] = "d/0", "d/1", "d/2"
    other["arm"] = "no-action"
    second["earlier"] = [{"run": "d/0", "evidence": None, "verdict": "invalid", "causes": []}]
    found = repeated(map(as_card, (first, second, other)))
    assert [(each.arm, each.verdict, each.runs) for each in found] == [
        ("runbook", "pass", ["d/1"]),
        ("no-action", "pass", ["d/2"]),
    ]
