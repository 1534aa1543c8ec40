"""What a run cost and what of it had to be, with known answers: see drills/judge/cost.py."""

from __future__ import annotations

import msgspec
import pytest

from drills.cards import score
from drills.judge.cost import Cost, cost
from drills.judge.interval import seconds
from drills.record.history import NS, Kind, PlannedFault, RunEnd

from . import synthetic as made
from .judging import instants
from .synthetic import END, FAULT, Draft, at, correct

BASELINE, ONSET, HOLD = 5, 2, 5
STEPS_END = 14.2
"""Of the page in the made-up history, seconds after the first arrival."""


def priced(draft: Draft) -> Cost:
    history = draft.history()
    return cost(history, instants(history))


def until(t: float) -> int:
    """Baseline and onset as planned, and from the injection to ``t``."""
    return (BASELINE + ONSET) * NS + at(t) - at(FAULT)


def test_a_recovered_run_needs_baseline_fault_recovery_and_hold() -> None:
    draft = correct(1)
    recovered = instants(draft.history()).recovered.at
    assert recovered is not None
    assert at(made.OPENED) < recovered.latest < at(made.UNMARKED + 0.3)
    assert priced(draft).mandatory == (BASELINE + ONSET + HOLD) * NS + recovered.latest - at(FAULT)


def test_a_longer_look_is_no_longer_mandatory() -> None:
    short, long = correct(1), correct(1)
    short.events = [(at(END - 4) if e[3] == "snapshot" else e[0], *e[1:]) for e in short.events]
    short.run = msgspec.structs.replace(short.run, end=RunEnd(at(END + 1), "judged"))
    assert priced(short).mandatory == pytest.approx(priced(long).mandatory, abs=NS // 100)  # but for the lateness
    assert (priced(short).wall, priced(long).wall) == (28 * NS, 32 * NS)  # from the target being ready, a second before


def test_what_never_recovered_must_be_watched_to_the_end() -> None:
    draft = correct(1, effect=False)
    draft.spoil("orders", 8, END + 1)
    assert priced(draft).mandatory == until(END)


def test_a_prevented_impact_needs_the_page_and_a_hold() -> None:
    assert priced(correct(1, effect=False)).mandatory == until(STEPS_END + HOLD)


def test_nothing_to_recover_from_and_nobody_who_acts_needs_the_hold_alone() -> None:
    assert priced(correct(1, "no-action", effect=False)).mandatory == until(FAULT + 0.01 + HOLD)


def test_a_fault_that_was_planned_for_later_has_its_time() -> None:
    draft = correct(1, "no-action", effect=False)
    last = PlannedFault(1, "timeout", 9 * NS, 4 * NS, {"link": "exchange-b"})
    draft.plan = msgspec.structs.replace(draft.plan, faults=[*draft.plan.faults, last])
    for kind, what in ((Kind.INVOKE, "inject"), (Kind.OK, "inject"), (Kind.OK, "verify_effect")):
        draft.note(FAULT + 7, "fault:1", kind, what)
    assert priced(draft).mandatory == until(FAULT + 0.01 + 11)


@pytest.mark.parametrize("named", [True, False])
def test_no_fault_needs_the_baseline_and_the_planned_window_whether_the_drill_names_one_or_not(named: bool) -> None:
    draft = correct(1, "no-fault")
    if not named:
        draft = made.replanned(draft, faults=[])
    observe = next(event for event in draft.events if event[3] == "observe")
    observe[4]["until"] = at(18)
    assert priced(draft).mandatory == 18 * NS


def test_a_false_alarm_needs_its_page_and_a_hold() -> None:
    assert priced(correct(1, "false-alarm")).mandatory == round((STEPS_END + HOLD) * NS)


def test_without_an_injection_all_that_was_watched() -> None:
    draft = correct(1)
    draft.events = [event for event in draft.events if event[3] != "inject"]
    assert priced(draft).mandatory == round(END * NS)


def test_start_and_stop_are_told_apart_and_are_no_overhead() -> None:
    draft = correct(1)
    draft.note(END + 4.6, "runner", Kind.INFO, "finished", reason="judged", says="")
    found = priced(draft)
    assert found.mandatory is not None
    assert (found.start, found.stop) == (NS, round(1.4 * NS))  # the fault was seen gone at END + 3.2
    added = 32 - 1.4 - found.mandatory / NS
    assert found.overhead == pytest.approx(added / (found.mandatory / NS), abs=0.0006)
    card = score(draft.history(), None).cost
    assert (card.wall_s, card.start_s, card.stop_s) == (32.0, 1.0, 1.4)
    assert card.mandatory_s == seconds(found.mandatory)
    assert card.overhead == found.overhead


def test_what_was_not_reached_is_null() -> None:
    draft = correct(1)
    draft.run = msgspec.structs.replace(draft.run, ready=None, end=None)
    found = priced(draft)
    assert (found.wall, found.start, found.stop, found.overhead) == (None, None, None, None)
