"""Arms as text and as values, and what a plan has from its target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from drills.record.arm import ARMS, NO_ACTION, NOTHING_BROKEN, RUNBOOK, Arm, ArmKind
from drills.record.history import MONITOR_INTERVAL, NS, REACTION
from drills.spec.drill import load_drill
from drills.spec.request import RunRequest, plan_of
from targets.registry import RUNTIMES, runtime

TEXTS = ("no-fault", "false-alarm", "no-action", "runbook", "without:drain", "wrong:reopen-early")


@pytest.mark.parametrize("text", TEXTS)
def test_an_arm_is_called_as_it_is_written(text: str) -> None:
    assert str(Arm.parse(text)) == text
    assert hash(Arm.parse(text)) == hash(Arm.parse(text))


@pytest.mark.parametrize("text", ["", "runbok", "Runbook", "runbook:", "runbook:x", "without", "wrong:", ":x", "x:y"])
def test_what_is_no_arm(text: str) -> None:
    with pytest.raises(ValueError, match="no"):
        Arm.parse(text)


def test_who_acts_and_what_is_broken() -> None:
    arms = [*map(Arm.parse, TEXTS)]
    assert tuple(arms[:4]) == ARMS
    assert [arm.acts for arm in arms] == [False, True, False, True, True, True]
    assert [arm.kind not in NOTHING_BROKEN for arm in arms] == [False, False, True, True, True, True]
    assert Arm(ArmKind.WRONG, "reopen-early") == arms[-1]


@pytest.mark.parametrize(("every", "planned"), [(0.25, NS // 4), (2.0, 2 * NS), (None, MONITOR_INTERVAL)])
def test_the_plan_has_the_interval_of_the_targets_own_monitor(
    every: float | None, planned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = runtime("local")
    assert local.capabilities().monitor_interval_s == 0.25
    capabilities = replace(local.capabilities(), monitor_interval_s=every)

    class Other:
        compression = 60

        def capabilities(self) -> Any:
            return capabilities

    monkeypatch.setitem(cast(Any, RUNTIMES), "other", Other)
    request = RunRequest(load_drill("exchange-link-down"), NO_ACTION, 7, Path("runs"), target="other")
    plan = plan_of(request, None)
    assert (plan.monitor_interval, plan.compression, plan.reaction) == (planned, 60, REACTION)
    assert (plan.arm, plan.operator, plan.injects) == ("no-action", "none", True)
    assert plan_of(replace(request, arm=RUNBOOK), None).operator == "auto"
