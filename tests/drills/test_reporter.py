"""What is reported of a run, and what its picture says then."""

from __future__ import annotations

import pytest

from drills.execution.events import (
    AlertReceived,
    FaultSeen,
    FaultState,
    Injected,
    PhaseChanged,
    RolledBack,
    RunEvent,
    Sampled,
    Started,
    StepBegan,
    StepEnded,
)
from drills.execution.reporter import Reporter
from drills.execution.watch import View
from drills.record.history import NS, Kind
from targets.target import Alert

from .test_injector import plan


class Told:
    """A reporter of a run with two faults, and what it has told."""

    def __init__(self) -> None:
        self.events: list[RunEvent] = []
        self.view = View.of(plan(None, NS))
        self.reporter = Reporter(self.view, self.events.append)

    def picture(self) -> Sampled:
        self.reporter.sample()
        last = self.events.pop()
        assert isinstance(last, Sampled)
        return last


@pytest.fixture
def told() -> Told:
    return Told()


def alert(rule: str, status: str) -> Alert:
    return Alert(rule, status, 5, "page", {}, f"{rule} is {status}", "a-page")


def test_where_the_run_is(told: Told) -> None:
    told.reporter.started("a/run", "runs/a/run")
    told.reporter.phase("baseline")
    started, phase = told.events
    assert isinstance(started, Started)
    assert isinstance(phase, PhaseChanged)
    assert (phase.phase, phase.left_s) == ("baseline", None)
    told.view.ends_at = started.t
    told.reporter.phase("watching")
    assert told.events[-1] == PhaseChanged(told.events[-1].t, "watching", 0.0)  # type: ignore[union-attr]


def test_alerts_fire_until_they_are_resolved(told: Told) -> None:
    for rule, status in (("A", "firing"), ("B", "firing"), ("A", "resolved")):
        told.reporter.alert(alert(rule, status))
    assert told.events[0] == AlertReceived(5, "A", "firing", "page", "A is firing", "a-page")
    assert told.picture().firing == ("B",)
    assert [each.rule for each in told.view.alerts] == ["A", "B", "A"]


def test_a_step_begins_and_ends(told: Told) -> None:
    for step, outcome in (("one", "running"), ("one", "ok"), ("two", "running")):
        told.reporter.step(step, outcome)
    one, ended, two = told.events
    assert isinstance(one, StepBegan)
    assert isinstance(ended, StepEnded)
    assert isinstance(two, StepBegan)
    assert told.picture().steps == (("one", "ok"), ("two", "running"))


def test_faults_are_planned_injected_and_rolled_back(told: Told) -> None:
    kinds = [each.kind for each in told.view.plan.faults]
    told.reporter.fault(0, Kind.INVOKE, "inject", {"service": "api"})
    told.reporter.fault(0, Kind.OK, "inject", {"says": "done"})
    told.reporter.fault(0, Kind.OK, "verify_effect", {"says": "seen"})
    told.reporter.fault(1, Kind.FAIL, "inject", {"says": "not done"})
    (injected, failed) = told.events
    assert (type(injected), injected.index, injected.ok) == (Injected, 0, True)  # type: ignore[union-attr]
    assert (type(failed), failed.index, failed.ok) == (Injected, 1, False)  # type: ignore[union-attr]
    assert told.picture().faults == (
        FaultSeen(0, kinds[0], FaultState.INJECTED), FaultSeen(1, kinds[1], FaultState.PLANNED),
    )  # fmt: skip
    told.events.clear()
    told.reporter.fault(0, Kind.OK, "rollback", {"says": "undone"})
    told.reporter.fault(0, Kind.FAIL, "verify_removed", {"says": "still there"})
    assert told.picture().faults[0].state is FaultState.INJECTED
    told.reporter.fault(0, Kind.OK, "verify_removed", {"says": "verify_removed"})
    assert [(type(each), each.ok) for each in told.events] == [(RolledBack, False), (RolledBack, True)]  # type: ignore[union-attr]
    assert told.picture().faults[0].state is FaultState.ROLLED_BACK


def test_an_arm_that_injects_nothing_shows_no_faults() -> None:
    told = Told()
    told.reporter = Reporter(View.of(plan(None, arm="no-fault")), told.events.append)
    assert told.picture().faults == ()
