"""When faults are injected and undone: by what was, not by the clock on the wall; and what is on disk by then."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any, cast

import msgspec
import pytest

from drills.execution.injector import Injector
from drills.execution.observation import Observation
from drills.execution.reporter import Reporter
from drills.execution.watch import View, should_finish
from drills.record.history import NS, Plan, PlannedFault
from loadprofiles.commands import Stepped
from targets.target import ProbeResult, TargetError

from . import synthetic as made

HANG_S = 20.0
"""A guard against a test that waits for ever; no expectation."""
LASTS = NS // 20


class Record:
    """What is noted and journalled, in order, with the instant."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.at: dict[str, int] = {}

    def note(self, actor: str, kind: str, what: str, data: Any = None) -> None:
        self._add(f"{actor} {kind} {what}")

    def journal(self, line: Any) -> None:
        self._add(f"journal {line['what']} {line['index']}")

    def _add(self, what: str) -> None:
        self.said.append(what)
        self.at.setdefault(what, time.monotonic_ns())


def plan(*lasts: int | None, arm: str = "runbook") -> Plan:
    faults = [PlannedFault(n, "kill", 0, each, {"service": "api"}) for n, each in enumerate(lasts)]
    return msgspec.structs.replace(made.plan(arm), faults=faults)


def service(pid: int | None) -> Any:
    return type("Service", (), {"pid": pid, "healthy": pid is not None, "frozen": False})()


class Target:
    """One service."""

    def __init__(self) -> None:
        self.pid: int | None = 1

    def services(self) -> dict[str, Any]:
        return {"api": service(self.pid)}

    def signal(self, name: str, number: int) -> None:
        self.pid = None

    def start(self, name: str) -> None:
        self.pid = os.getpid()


class Slow(Injector):
    """Its witness looks until the fault has been undone."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.undone = threading.Event()

    def verify_effect(self, index: int) -> ProbeResult:
        assert self.undone.wait(HANG_S), "the undo waited for the witness"
        return ProbeResult(True, "seen when it was over")

    def rollback(self, index: int) -> None:
        super().rollback(index)
        self.undone.set()


def observation(injector: Injector, record: Record) -> Observation:
    view = View.of(injector.plan)
    return Observation(
        injector.plan, {}, injector.target, cast(Any, None), view, cast(Any, record.note), injector,
        Reporter(view, lambda _: None), (),
    )  # fmt: skip


WHOLE = [
    "fault:0 invoke inject", "fault:0 ok inject", "fault:0 ok verify_effect", "fault:0 invoke rollback",
    "fault:0 ok rollback", "fault:0 ok verify_removed", "journal undone 0",
]  # fmt: skip


@pytest.mark.parametrize("late", [0, 5 * NS])
def test_a_fault_lasts_as_long_as_planned_however_late_its_injection_came(late: int) -> None:
    record = Record()
    injector = Injector(plan(LASTS), cast(Any, Target()), record.note, record.journal)
    asyncio.run(observation(injector, record)._fault(0, time.monotonic_ns() - late))
    assert record.said == WHOLE
    assert record.at["fault:0 invoke rollback"] - record.at["fault:0 ok inject"] >= LASTS


def test_a_witness_that_is_still_looking_does_not_stretch_it_and_has_seen_nothing() -> None:
    record = Record()
    injector = Slow(plan(LASTS), cast(Any, Target()), record.note, record.journal)
    asyncio.run(observation(injector, record)._fault(0, time.monotonic_ns()))
    assert record.said == [each.replace("ok verify_effect", "fail verify_effect") for each in WHOLE]


def test_a_fault_that_stays_is_looked_at_and_left() -> None:
    record = Record()
    injector = Injector(plan(None), cast(Any, Target()), record.note, record.journal)
    watcher = observation(injector, record)
    asyncio.run(watcher._fault(0, time.monotonic_ns()))
    assert record.said == WHOLE[:3]
    assert watcher.view.pending == set()


def test_the_intents_of_all_faults_are_on_disk_before_any_is_injected() -> None:
    record = Record()
    injector = Injector(plan(None, NS), cast(Any, Target()), record.note, record.journal)
    injector.intend()
    assert record.said == ["journal intent 0", "journal intent 1"]
    injector.inject(1)
    assert record.said[2:] == ["fault:1 invoke inject", "fault:1 ok inject"]


def test_each_fault_is_undone_once() -> None:
    record = Record()
    injector = Injector(plan(None, NS), cast(Any, Target()), record.note, record.journal)
    injector.rollback(1)
    injector.rollback_all()
    assert [each for each in record.said if each.startswith("journal")] == ["journal undone 1", "journal undone 0"]


def test_an_arm_without_a_fault_intends_and_undoes_nothing() -> None:
    record = Record()
    injector = Injector(plan(None, arm="no-fault"), cast(Any, Target()), record.note, record.journal)
    injector.intend()
    injector.rollback_all()
    assert record.said == []


def test_what_cannot_be_injected_ends_the_run() -> None:
    record, target = Record(), Target()
    target.pid = None
    injector = Injector(plan(NS), cast(Any, target), record.note, record.journal)
    with pytest.raises(TargetError):
        asyncio.run(observation(injector, record)._fault(0, time.monotonic_ns()))
    assert record.said == ["fault:0 invoke inject", "fault:0 fail inject"]


# -- not judged before every fault has had its time -------------------------------------------------------------------

QUIET = round(7.5 * NS)
"""Hold, grace and a second."""


def view(*lasts: int | None, ended: int) -> View:
    """Of a run without services, whose page has ended."""
    found = View.of(msgspec.structs.replace(plan(*lasts), services={}))
    found.was_followed, found.acted_until, found.ends_at = True, ended, 100 * NS
    return found


def test_a_run_is_not_seen_to_its_end_before_the_faults_that_are_still_to_come_or_to_end() -> None:
    found = view(None, NS, ended=10 * NS)
    assert should_finish(found, 30 * NS) is None
    found.had_its_time(0, 20 * NS)
    assert should_finish(found, 30 * NS) is None
    found.had_its_time(1, 25 * NS)
    assert should_finish(found, 25 * NS + QUIET - 1) is None
    assert should_finish(found, 25 * NS + QUIET) == "judged"
    assert should_finish(view(None, ended=10 * NS), 100 * NS) == "cap"


def test_after_them_the_page_has_its_quiet_too() -> None:
    found = view(None, ended=30 * NS)
    found.had_its_time(0, 20 * NS)
    assert should_finish(found, 30 * NS + QUIET - 1) is None
    assert should_finish(found, 30 * NS + QUIET) == "judged"


def test_where_nothing_is_injected_nothing_is_waited_for() -> None:
    assert View.of(plan(None, NS, arm="false-alarm")).pending == set()


class Crowd:
    """A load that takes any step at once."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, float, float]] = []

    def rate(self, service: str) -> float | None:
        return 20.0

    def step(self, name: str, service: str, per_s: float, lasts_s: float) -> None:
        self.asked.append((name, service, per_s, lasts_s))

    def look(self, name: str) -> Stepped | None:
        return Stepped(1, 1, 0, 1, 1, over=not self.asked)

    def end(self, name: str) -> Stepped | None:
        return Stepped(1, 1, 0, 1, 1, over=True)


def test_a_step_of_the_load_is_handed_the_load_and_how_long_it_lasts() -> None:
    crowd, record = Crowd(), Record()
    params = {"service": "orders", "times": 3.0}
    faults = [PlannedFault(n, "load-step", 0, lasts, params) for n, lasts in enumerate((8 * NS, None))]
    fixed = msgspec.structs.replace(made.plan("runbook"), faults=faults)
    injector = Injector(fixed, cast(Any, None), record.note, record.journal, crowd)
    injector.inject(0)
    injector.inject(1)
    assert crowd.asked == [("step0", "orders", 40.0, 8.0), ("step1", "orders", 40.0, fixed.cap / NS)]


def test_without_a_load_a_step_cannot_be_injected_and_is_undone_all_the_same() -> None:
    record = Record()
    fault = PlannedFault(0, "load-step", 0, NS, {"service": "orders", "to": 60.0})
    fixed = msgspec.structs.replace(made.plan("runbook"), faults=[fault])
    injector = Injector(fixed, cast(Any, None), record.note, record.journal)
    with pytest.raises(TargetError, match="no load runs"):
        injector.inject(0)
    injector.rollback(0)
    assert record.said[-1] == "journal undone 0"
