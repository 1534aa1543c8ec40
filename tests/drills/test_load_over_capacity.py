"""A load that is stepped up must be far more than the target takes, and what comes usually less: as it was measured."""

from __future__ import annotations

import msgspec
import pytest

from drills.domains.registry import DOMAINS
from drills.execution.stepping import most_arrivals
from drills.judge.check import run_check
from drills.record.history import NS, Kind, PlannedFault, Status

from .synthetic import Draft, correct

CHECK = DOMAINS.checks["load-over-capacity"]
STEP = PlannedFault(0, "load-step", NS, 8 * NS, {"service": "orders", "to": 60.0})


def stepped(*told: dict[str, object]) -> Draft:
    draft = correct(1)
    draft.plan = msgspec.structs.replace(draft.plan, faults=[STEP])
    for data in told:
        draft.note(-6, "runner", Kind.INFO, "capacity", **data)
    return draft


def measured(per_s: float | None, usual: float = 9.0, most: float = 60.0) -> dict[str, object]:
    return {"service": "orders", "per_s": per_s, "usual_per_s": usual, "most_per_s": most}


@pytest.mark.parametrize(
    ("per_s", "status"),
    [(20.0, Status.PASS), (30.0, Status.PASS), (30.1, Status.INVALID), (11.25, Status.PASS), (11.2, Status.INVALID)],
)
def test_the_usual_load_fits_and_the_step_does_not(per_s: float, status: Status) -> None:
    found = run_check(CHECK, stepped(measured(per_s)).history())
    assert found.status == status
    assert [reason.id for reason in found.reasons] == ["capacity.rates"]


def test_one_service_that_does_not_fit_is_enough() -> None:
    assert run_check(CHECK, stepped(measured(20.0), measured(200.0)).history()).status == Status.INVALID


def test_a_run_that_never_measured_cannot_judge_and_of_a_target_that_cannot_tell_nothing_is_claimed() -> None:
    assert run_check(CHECK, stepped().history()).status == Status.INVALID
    assert run_check(CHECK, stepped(measured(None)).history()).status == Status.NOT_APPLICABLE


def test_without_a_step_there_is_nothing_to_be_over() -> None:
    assert run_check(CHECK, correct(1).history()).status == Status.NOT_APPLICABLE


def test_what_is_measured_are_the_services_that_are_stepped_up() -> None:
    twice = msgspec.structs.replace(STEP, index=1, params={"service": "orders", "times": 10.0})
    plan = msgspec.structs.replace(correct(1).plan, faults=[STEP, twice])
    assert most_arrivals(plan, {"orders": 9.0, "inquiry": 4.0}) == {"orders": 90.0}
    assert most_arrivals(correct(1).plan, {"orders": 9.0, "inquiry": 4.0}) == {}
