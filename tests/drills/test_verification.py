"""An arm held against what its drill declares of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from drills.judge.scorecard import Scorecard
from drills.spec.drill import load_drill
from drills.verification import cases, verify_arm
from tests.reports.cards import failed

CARD = msgspec.convert(failed() | {"arm": "no-action"}, Scorecard)
DRILL = load_drill("exchange-link-down")
CAUGHT = {
    "no-duplicates": True,
    "wrong_figures_acted_on": True,
    "wrong_figures_acted_on.after_first_step": True,
    "wrong_figures_acted_on.after_alert": False,
    "detect": False,
}
"""By what a declaration names -> whether that was red: a check, a metric, and a metric in one part of the run."""


@pytest.mark.parametrize(
    ("name", "caught"), {**CAUGHT, "wrong_figures_acted_on.after_alert": False, "detect": False}.items()
)
def test_what_an_arm_is_declared_to_be_caught_by(name: str, caught: bool) -> None:
    arms: Mapping[object, object] = {
        arm: msgspec.structs.replace(wanted, verdict="fail", grade=None, by=(name,))
        for arm, wanted in DRILL.arms.items()
    }
    row = verify_arm(msgspec.structs.replace(DRILL, arms=arms), CARD, None)
    assert row.as_declared == caught
    assert ("is not red" in row.says) != caught


def test_cases_of_arms_that_were_run_several_times_are_numbered() -> None:
    row = verify_arm(DRILL, CARD, None)
    file = Path("drill.yaml")
    once = cases([row], {row.called: file}, "local")["drill.yaml"]
    twice = cases([row, row], {row.called: file}, "a.yaml")["drill.yaml"]
    assert [each.name for each in once] == ["no-action"]
    assert [each.name for each in twice] == ["no-action (repeat 1)", "no-action (repeat 2)"]
    assert {each.classname for each in twice} == {"exchange-link-down.a_yaml"}
