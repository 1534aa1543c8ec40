"""The harness's own lateness: what its clock puts on record, and what is judged of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from drills.cards import score
from drills.execution.pulse import NOTED, TICK, Pulse
from drills.judge.checks.planned import LATE
from drills.record.history import NS, CheckResult, Kind, Status
from reports.words import sentence

from .synthetic import Draft, asked, correct
from .words import said as said_of

CHECK = "harness-kept-going"
PASS, UNKNOWN, INVALID = Status.PASS, Status.UNKNOWN, Status.INVALID
GAP = 2 * NS
"""The monitor's, in the made-up plan."""


class Clock:
    """Stands still until it is set on; everything noted is kept."""

    def __init__(self) -> None:
        self.now = 7 * NS
        self.noted: list[tuple[str, Kind, str, Mapping[str, Any] | None]] = []

    def note(self, actor: str, kind: Kind, what: str, data: Mapping[str, Any] | None) -> None:
        self.noted.append((actor, kind, what, data))

    def __call__(self) -> int:
        return self.now


def beaten(*late: int, rest: int = 0) -> Clock:
    """Ticks that came so late each, and the end so long after the last of them."""
    clock = Clock()
    pulse = Pulse(clock.note, clock)
    for each in late:
        clock.now += TICK + each
        pulse.tick()
    clock.now += rest
    pulse.end()
    return clock


def figures(ticks: int, worst: int, total: int) -> tuple[str, Kind, str, Mapping[str, Any]]:
    return ("runner", Kind.INFO, "lateness", {"ticks": ticks, "worst_ns": worst, "total_ns": total})


def late(ns: int) -> tuple[str, Kind, str, Mapping[str, Any]]:
    return ("runner", Kind.INFO, "late", {"ns": ns})


def test_a_clock_that_is_hardly_late_notes_its_worst_tick_alone() -> None:
    assert beaten(3, NOTED, 5).noted == [figures(3, NOTED, 0)]


def test_each_time_it_stood_still_is_noted_and_they_add_up() -> None:
    assert beaten(NOTED + 1, 9, 5 * NS).noted == [
        late(NOTED + 1), late(5 * NS), figures(3, 5 * NS, 5 * NS + NOTED + 1),
    ]  # fmt: skip


def test_a_tick_that_is_still_due_at_the_end_counts() -> None:
    assert beaten(1, rest=TICK + 4 * NS).noted == [late(4 * NS), figures(1, 4 * NS, 4 * NS)]
    assert beaten(rest=TICK // 2).noted == [figures(0, 0, 0)]


# -- what is judged ---------------------------------------------------------------------------------------------------


def measured(*lost: int, **changed: Any) -> Draft:
    """A run in which the harness stood still for so long each time."""
    draft = correct(3)
    for n, ns in enumerate(lost):
        draft.note(9 + n, "runner", Kind.INFO, "late", ns=ns)
    found = {"worst_ns": max(lost, default=0), "total_ns": sum(lost)} | changed
    for _, _, _, what, data in draft.events:
        if what == "lateness":
            data |= found
    return draft


def ruled(draft: Draft) -> CheckResult:
    return asked(CHECK, draft)


@pytest.mark.parametrize(("lost", "status"), [
    ((), PASS), ((LATE,), PASS), ((LATE + 1,), INVALID), ((LATE,) * 4, PASS), ((LATE,) * 4 + (1,), INVALID),
])  # fmt: skip
def test_it_may_stand_still_for_as_long_as_an_act_may_be_late_and_in_all_as_the_monitor_may_be_silent(
    lost: tuple[int, ...], status: Status
) -> None:
    draft = measured(*lost)
    assert ruled(draft).status == status
    assert score(draft.history(), None).verdict == status
    assert len(ruled(draft).evidence) == (len(lost) if status == INVALID else 0)


def test_a_harness_that_was_stopped_says_for_how_long() -> None:
    draft = measured(5 * NS, NS // 4)
    says = "the harness stood still for at most 5.0 s at a time and 5.25 s in all, limits 0.5 s and 2.0 s"
    verdict = ruled(draft)
    assert (verdict.status, said_of(verdict)) == (INVALID, says)
    events = draft.history().events
    assert [events[int(row.removeprefix("events:"))].data["ns"] for row in verdict.evidence] == [5 * NS, NS // 4]
    assert sentence("ja", verdict) == "訓練実行側の停止は1回あたり最長 5.0 s（上限 0.5 s）、合計 5.25 s（上限 2.0 s）"


def waiting(*waits: Any) -> Draft:
    """A run whose steps waited for so long until their commands were begun."""
    draft = correct(3)
    steps = [data for _, _, kind, what, data in draft.events if what == "step" and kind != Kind.INVOKE]
    for data, wait in zip(steps, [*waits, *[0] * len(steps)], strict=False):
        data["waited_ns"] = wait
    return draft


@pytest.mark.parametrize(("waits", "status"), [
    ((LATE,), PASS), ((LATE + 1,), INVALID), ((0, LATE + 1), INVALID), ((None,), UNKNOWN), (("long",), UNKNOWN),
])  # fmt: skip
def test_a_step_may_wait_for_its_commands_as_long_as_an_act_may_be_late(waits: tuple[Any, ...], status: Status) -> None:
    draft = waiting(*waits)
    assert ruled(draft).status == status
    assert score(draft.history(), None).verdict == status


def test_an_operator_whose_commands_were_begun_late_says_so() -> None:
    says = (
        "the operator's commands waited to be begun for at most 1.5 s a step and 1.75 s in all, limits 0.5 s and 2.0 s"
    )
    verdict = ruled(waiting(3 * NS // 2, NS // 4))
    assert (verdict.status, said_of(verdict), len(verdict.evidence)) == (INVALID, says, 2)
    assert (
        sentence("ja", verdict)
        == "操作コマンドの起動待ちは1手順あたり最長 1.5 s（上限 0.5 s）、合計 1.75 s（上限 2.0 s）"
    )


def test_the_figures_and_the_events_are_each_enough() -> None:
    assert ruled(measured(worst_ns=LATE + 1)).status == INVALID
    assert ruled(measured(total_ns=GAP + 1)).status == INVALID
    assert ruled(measured(total_ns=GAP)).status == PASS
    assert ruled(measured(LATE + 1, worst_ns=0)).status == INVALID
    assert ruled(measured(*(LATE,) * 5, total_ns=0)).status == INVALID


@pytest.mark.parametrize("broken", [
    {"ticks": 0}, {"ticks": None}, {"worst_ns": "much"}, {"total_ns": True}, {"ticks": True},
])  # fmt: skip
def test_what_was_not_measured_is_unknown(broken: dict[str, Any]) -> None:
    draft = measured(**broken)
    says = "nobody measured whether the harness stood still"
    verdict = ruled(draft)
    assert (verdict.status, said_of(verdict)) == (UNKNOWN, says)
    assert score(draft.history(), None).verdict == UNKNOWN
    assert sentence("ja", verdict) == "訓練実行側が停止していなかったかは測定されていない"


def test_a_run_made_before_anybody_measured_it_does_not_pass() -> None:
    draft = correct(3)
    draft.events = [event for event in draft.events if event[3] != "lateness"]
    assert ruled(draft).status == UNKNOWN
    assert score(draft.history(), None).verdict == UNKNOWN


def test_an_event_without_a_number_says_nothing() -> None:
    draft = measured()
    draft.note(9, "runner", Kind.INFO, "late", ns="long")
    assert ruled(draft).status == PASS
    assert sentence("ja", ruled(draft)) == "訓練実行側の停止は1回あたり最長 0.0 s、合計 0.0 s"
