"""Instants and spans with known answers, on timelines made by hand: every number counts from the first arrival."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drills.domains.figures.rows import Acted, Shown
from drills.domains.orders.rows import ExchangeExecution, Notice, OmsExecution, OmsOrder
from drills.judge import outage, timeline
from drills.judge.interval import NOTHING, Interval, point, seconds
from drills.judge.milestones import Durations, Milestones, durations
from drills.record.history import NS, Kind, RequestOutcome

from . import synthetic as made
from .judging import instants
from .synthetic import END, FAULT, Draft, at, change, correct, first
from .words import why

CLOSE = 0.35
"""Seconds within which a dated instant must lie: some spacings of 25 arrivals a second, by chance."""


def dated(draft: Draft) -> tuple[Milestones, Durations]:
    found = instants(draft.history())
    return found, durations(found)


def not_needed() -> Draft:
    """A fault that is witnessed and disturbs nothing."""
    return correct(7, effect=False)


def near(interval: Interval | None, t: float) -> bool:
    return interval is not None and abs(interval.earliest - at(t)) + abs(interval.latest - at(t)) < 2 * CLOSE * NS


# -- the ordinary course ----------------------------------------------------------------------------------------------


def test_plain_outage() -> None:
    draft = not_needed()
    draft.spoil("orders", 8, 12)
    found, spans = dated(draft)
    assert found.inject == Interval(at(FAULT), at(FAULT + 0.01))
    assert near(found.impact, 8)
    assert found.alert == point(at(8.1))
    assert found.runbook == point(at(8.3))
    assert near(found.available.at, 12)
    assert found.restored == found.available
    assert found.reconciled.not_needed
    assert found.recovered.at == found.restored.at
    assert spans.decide == point(round(0.2 * NS))
    assert spans.detect_from_inject == Interval(at(8.1) - at(FAULT + 0.01), at(8.1) - at(FAULT))
    assert spans.restore is not None
    assert abs(spans.restore.latest - 4 * NS) < 2 * CLOSE * NS
    assert not found.prevented


def test_intervals_are_widened_by_the_lateness_of_the_load() -> None:
    draft = not_needed()
    draft.spoil("orders", 8, 12)
    sharp, _ = dated(draft)
    for sample in draft.samples[::20]:
        sample[1] = sample[0] + 40_000_000
        sample[2] = max(sample[2], sample[1] + 1)
    wide, _ = dated(draft)
    assert sharp.impact is not None
    assert wide.impact is not None
    assert 37_000_000 < sharp.impact.earliest - wide.impact.earliest < 41_000_000


def test_whole_run_that_is_handled_well() -> None:
    found, spans = dated(correct(7))
    assert near(found.impact, FAULT)
    assert near(found.available.at, made.OPENED)
    assert near(found.restored.at, made.UNMARKED)
    assert found.reconciled.at is not None
    assert at(made.SWITCHED) < found.reconciled.at.latest < at(made.DRAINED + 0.4)
    assert found.recovered.at == found.restored.at
    assert spans.reconcile is not None
    assert spans.reconcile.latest < 0  # the books agreed before the doors opened: legal, and good
    assert spans.contain == NOTHING


# -- what need not happen, or does not --------------------------------------------------------------------------------


def test_prevented_impact() -> None:
    found, spans = dated(not_needed())
    assert found.prevented
    assert found.impact is None
    assert (spans.contain, spans.restore, spans.recover) == (NOTHING, NOTHING, NOTHING)
    assert spans.detect == spans.detect_from_inject == Interval(at(8.1) - at(FAULT + 0.01), at(8.1) - at(FAULT))


@pytest.mark.parametrize("gap", ["verify_effect", "heartbeat"])
def test_nothing_seen_by_nobody_is_not_prevented(gap: str) -> None:
    draft = not_needed()
    draft.events = [event for event in draft.events if event[3] != gap]
    found, spans = dated(draft)
    assert not found.prevented
    assert (spans.contain, spans.restore, spans.recover) == (None, None, None)
    assert found.recovered.unknowable


def test_alert_before_the_impact_is_a_negative_detection() -> None:
    draft = not_needed()
    draft.spoil("orders", 10, 12)
    _, spans = dated(draft)
    assert spans.detect is not None
    assert spans.detect.latest < -1.5 * NS
    assert spans.detect_from_inject is not None
    assert spans.detect_from_inject.earliest > NS


@pytest.mark.parametrize(("rule", "t"), [("DiskFull", 8.1), ("LinkSilent", FAULT - 0.5), ("LinkSilent", END + 1)])
def test_alert_of_another_rule_or_time_is_not_for_this_fault(rule: str, t: float) -> None:
    draft = not_needed()
    draft.events = [event for event in draft.events if event[3] != "alert"]
    made.alert(draft, t, rule)
    draft.spoil("orders", 8, 12)
    found, spans = dated(draft)
    assert found.alert is None
    assert (spans.detect, spans.detect_from_inject, spans.decide) == (None, None, None)


def test_lone_slow_request_neither_is_an_impact_nor_moves_restoration() -> None:
    draft = not_needed()
    draft.spoil("orders", 8, 12)
    lone = next(sample for sample in draft.samples if sample[4] == 1 and sample[0] > at(19))
    lone[2] = lone[0] + 3 * NS
    found, _ = dated(draft)
    assert near(found.restored.at, 12)


def test_outage_open_at_the_cap() -> None:
    draft = not_needed()
    draft.spoil("orders", 8, END + 1)
    found, spans = dated(draft)
    assert (found.available.at, found.restored.at, found.recovered.at) == (None, None, None)
    assert (spans.available, spans.restore, spans.recover) == (None, None, None)


def test_back_for_less_than_the_hold_is_not_restored() -> None:
    draft = not_needed()
    draft.spoil("orders", 8, END - 4)
    found, _ = dated(draft)
    assert found.restored.at is None


def test_relapse_counts_from_its_last_end() -> None:
    draft = not_needed()
    draft.spoil("orders", 8, 10)
    draft.spoil("orders", 16, 17)
    found, _ = dated(draft)
    assert near(found.restored.at, 17)


def test_planned_closure_is_lost_service_until_it_opens() -> None:
    draft = not_needed()
    draft.spoil("orders", 8.4, 14, RequestOutcome.CLOSED)
    found, _ = dated(draft)
    assert near(found.impact, 8.4)
    assert near(found.restored.at, 14)
    assert not found.prevented


# -- books ------------------------------------------------------------------------------------------------------------


def test_early_reopening_is_available_and_not_restored() -> None:
    """Service is good at 10; wrong figures are shown as current until 15."""
    draft = not_needed()
    draft.spoil("orders", 8, 10)
    for n in range(50):
        draft.customers.append(made.shown(f"w{n}", "C-0001", 10 + n / 10, 1))
    found, spans = dated(draft)
    assert near(found.available.at, 10)
    assert near(found.restored.at, 15)
    last = draft.history()
    late = outage.lateness_p99(last)
    assert found.contained.at == Interval(at(14.901), at(14.906)).widened(late)  # between being asked for and received
    assert 0 < late < NS // 100
    assert spans.contain == found.contained.at.since(point(at(8.1)))


def test_wrong_figures_until_the_end_are_never_contained() -> None:
    draft = not_needed()
    for n in range(160):
        draft.customers.append(made.shown(f"w{n}", "C-0001", 10 + n / 10, 1))
    found, spans = dated(draft)
    assert (found.contained.at, found.contained.not_needed, spans.contain) == (None, False, None)
    assert found.restored.at is None


def test_balances_that_were_current_must_be_current_again() -> None:
    draft = not_needed()
    draft.spoil("orders", 8, 10)
    for place, row in enumerate(draft.customers):
        if isinstance(row, Shown) and row.t_ns > at(9):
            change(draft.customers, place, current=False)
    found, _ = dated(draft)
    assert near(found.available.at, 10)
    assert found.restored.at is None


def test_balances_that_never_were_current_need_not_be() -> None:
    draft = not_needed()
    draft.spoil("orders", 8, 10)
    for place, row in enumerate(draft.customers):
        if isinstance(row, Shown):
            change(draft.customers, place, current=False)
    found, _ = dated(draft)
    assert near(found.restored.at, 10)


def delay(draft: Draft, start: float, end: float, until: float) -> int:
    """Post nothing of [start, end) before ``until``; how many executions that is."""
    late = {row.id for row in draft.exchange if isinstance(row, ExchangeExecution) and at(start) <= row.t_ns < at(end)}
    for rows in (draft.oms, draft.notices):
        for place, row in enumerate(rows):
            if {getattr(row, "reference", ""), row.id, row.key} & late:
                change(rows, place, t_ns=max(row.t_ns, at(until)))
    return len(late)


def test_reconciled_when_the_last_late_posting_is_in() -> None:
    draft = not_needed()
    assert delay(draft, 8, 12, 15) > 5
    found, _ = dated(draft)
    assert found.reconciled.at == Interval(at(15), next_settled(draft, 15))


def next_settled(draft: Draft, t: float) -> int:
    """When the first execution after ``t`` was posted and notified."""
    posted = {row.id: row.t_ns for row in draft.oms if isinstance(row, OmsExecution)}
    settled = [max(row.t_ns, posted[row.key]) for row in draft.notices]
    return min(t_ns for t_ns in settled if t_ns > at(t))


def test_without_another_execution_the_last_stamp_stands_alone() -> None:
    draft = not_needed()
    assert delay(draft, 8, 12, 15) > 5
    later = {row.id for row in draft.exchange if isinstance(row, ExchangeExecution) and row.t_ns >= at(12)}
    for name in ("exchange", "oms", "notices"):
        rows = getattr(draft, name)
        setattr(draft, name, [row for row in rows if not {getattr(row, "reference", ""), row.id, row.key} & later])
    found, _ = dated(draft)
    assert found.reconciled.at == point(at(15))


def test_it_is_shown_no_later_than_the_grace() -> None:
    draft = not_needed()
    assert delay(draft, 8, 12, 15) > 5
    assert delay(draft, 14, 17, 17.3) > 5  # these settle late themselves, but for the last second's
    found, _ = dated(draft)
    assert found.reconciled.at is not None
    assert at(17.3) <= found.reconciled.at.earliest <= found.reconciled.at.latest <= at(17.3 + 1.5)


def test_one_slow_commit_is_no_queue() -> None:
    draft = not_needed()
    _, trade = first(draft.exchange, ExchangeExecution, lambda row: row.t_ns > at(10))
    place, _ = first(draft.notices, Notice, lambda row: row.key == trade.id)
    change(draft.notices, place, t_ns=trade.t_ns + 2 * NS)
    found, _ = dated(draft)
    assert found.reconciled.not_needed


def test_single_execution_that_stays_out_for_long_is_a_difference() -> None:
    draft = not_needed()
    _, trade = first(draft.exchange, ExchangeExecution, lambda row: row.t_ns > at(8))
    place, _ = first(draft.notices, Notice, lambda row: row.key == trade.id)
    change(draft.notices, place, t_ns=at(14))
    found, _ = dated(draft)
    assert found.reconciled.at == Interval(at(14), next_settled(draft, 14))


def drop_a_posting(draft: Draft) -> None:
    _, trade = first(draft.exchange, ExchangeExecution, lambda row: row.t_ns > at(8))
    draft.oms = [row for row in draft.oms if row.id != trade.id]


def drop_a_notice(draft: Draft) -> None:
    _, trade = first(draft.exchange, ExchangeExecution, lambda row: row.t_ns > at(8))
    draft.notices = [row for row in draft.notices if row.key != trade.id]


def garble_a_posting(draft: Draft) -> None:
    place, row = first(draft.oms, OmsExecution)
    change(draft.oms, place, quantity=row.quantity + 100)


def invent_a_posting(draft: Draft) -> None:
    place, _row = first(draft.oms, OmsExecution)
    change(draft.oms, place, id="e-99")


@pytest.mark.parametrize("plant", [drop_a_posting, drop_a_notice, garble_a_posting, invent_a_posting])
def test_difference_that_stands_is_never_reconciled(plant: Callable[[Draft], None]) -> None:
    draft = not_needed()
    plant(draft)
    found, _ = dated(draft)
    assert (found.reconciled.at, found.reconciled.not_needed, found.recovered.at) == (None, False, None)


def test_recovered_needs_nothing_left_behind() -> None:
    draft = not_needed()
    draft.spoil("orders", 8, 10)
    place, _ = first(draft.oms, OmsOrder)
    change(draft.oms, place, state="unknown")
    found, spans = dated(draft)
    assert found.restored.at is not None
    assert (found.recovered.at, spans.recover) == (None, None)


def test_recovered_when_the_last_of_restored_and_reconciled() -> None:
    draft = not_needed()
    draft.spoil("orders", 8, 10)
    assert delay(draft, 8, 12, 15) > 5
    draft.customers = [row for row in draft.customers if not isinstance(row, Shown | Acted)]
    found, _ = dated(draft)
    assert near(found.restored.at, 10)
    assert found.recovered.at == found.reconciled.at
    assert found.recovered.at is not None
    assert found.recovered.at.earliest == at(15)


@pytest.mark.parametrize("book", ["world", "customers", "exchange", "oms", "notices"])
def test_missing_book_makes_recovery_unknowable(book: str) -> None:
    found = instants(correct(7).history(without=book))
    assert why(found.contained) == f"no book {book}"
    assert book in why(found.recovered) or book == "world"
    assert found.recovered.at is None


def test_nothing_is_dated_without_an_injection() -> None:
    found, spans = dated(correct(7, "no-fault"))
    assert (found.inject, found.impact, found.alert) == (None, None, None)
    assert (spans.restore, spans.recover, spans.contain) == (None, None, None)


# -- declared ---------------------------------------------------------------------------------------------------------


def test_declared_by_a_step_or_by_escalation() -> None:
    draft = not_needed()
    assert dated(draft)[0].declared is None
    draft.note(11, "operator", Kind.INFO, "escalate", to="duty-manager")
    assert dated(draft)[0].declared == point(at(11))
    made.step(draft, "declare", 9, 9.5, changed=False)
    assert dated(draft)[0].declared == Interval(at(9), at(9.5))


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ns", "shown"),
    [(0, 0.0), (499_999, 0.0), (500_000, 0.001), (1_499_999, 0.001), (12_031_000_000, 12.031), (-1_500_000, -0.001)],
)
def test_one_rounding_rule(ns: int, shown: float) -> None:
    assert seconds(ns) == shown


def test_span_between_intervals_keeps_all_that_is_possible() -> None:
    assert Interval(10, 12).since(Interval(1, 4)) == Interval(6, 11)


def test_an_observation_without_a_baseline_begins_when_it_was_begun_else_with_the_run() -> None:
    draft = not_needed()
    draft.events = [event for event in draft.events if event[3] != "baseline"]
    assert timeline.observed_from(draft.history()) == at(5)
    draft.events = [event for event in draft.events if event[3] != "observe"]
    assert timeline.observed_from(draft.history()) == draft.run.t0
