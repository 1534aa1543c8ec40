"""Timelines in which every arrival is even and every answer takes 10 ms: each instant and span is known exactly.

The fault is injected at 7.00 to 7.01 s, the alert comes at 8.1, the page is opened at 8.3, the observation ends at 26.
Orders come every 40 ms (… 8.00, 8.04 …), inquiries every 1/35 s.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from drills.cards import score
from drills.domains.customers.rows import Reply
from drills.domains.figures.rows import Acted, Shown
from drills.domains.orders.rows import ExchangeExecution, ExchangeOrder, OmsExecution, OmsOrder
from drills.judge.interval import NOTHING, Interval, point
from drills.judge.milestones import Durations, Milestone, Milestones, durations
from drills.record.history import NS, OUTCOMES, Objective, RequestOutcome, RunEnd, Status

from . import synthetic as made
from .judging import instants
from .synthetic import END, FAULT, Draft, at, change, correct
from .test_instants import next_settled
from .words import limits_of, why

Until = Callable[[float], RequestOutcome | None]


def s(earliest: float, latest: float) -> Interval:
    """A span in seconds."""
    return Interval(round(earliest * 1000) * 1_000_000, round(latest * 1000) * 1_000_000)


def i(earliest: float, latest: float) -> Interval:
    return Interval(at(earliest), at(latest))


def clockwork(orders: Until = lambda _: None) -> Draft:
    """Evenly served, but for what ``orders`` says of the order intended at an instant."""
    draft = correct(7, effect=False)
    row = int(draft.customers[0].id)  # the journal is another's
    draft.samples = []
    for n in range(round(END * 25) + 10):
        t, outcome = round(n * 0.04, 3), orders(round(n * 0.04, 3)) or RequestOutcome.OK
        took = {RequestOutcome.TIMEOUT: 2.0, RequestOutcome.UNKNOWN: 1.0}.get(outcome, 0.01)
        draft.samples.append([at(t), at(t), at(t + took), OUTCOMES.index(outcome), 0, row])
    for n in range(round(END * 35) + 10):
        t = n / 35
        draft.samples.append([at(t), at(t), at(t) + 10_000_000, 0, 1, row])
    return draft


def down(*spans: tuple[float, float], outcome: RequestOutcome = RequestOutcome.TIMEOUT) -> Until:
    return lambda t: outcome if any(start <= t < end for start, end in spans) else None


def dated(draft: Draft) -> tuple[Milestones, Durations]:
    found = instants(draft.history())
    return found, durations(found)


def ended(draft: Draft, reason: str) -> Draft:
    draft.run = msgspec.structs.replace(draft.run, end=RunEnd(at(END + 5), reason))
    return draft


def wrong_figures(draft: Draft, start: float, end: float) -> None:
    """A wrong figure every tenth of a second, and nothing but right ones after."""
    for n in range(round((end - start) * 10)):
        draft.customers.append(made.shown(f"w{n}", "C-0001", start + n / 10, 1))


def held_up(draft: Draft, start: float, end: float, until: float) -> None:
    """Executions of [start, end) are posted and notified at ``until``."""
    trades = [row for row in draft.exchange if isinstance(row, ExchangeExecution)]
    late = {row.id for row in trades if at(start) <= row.t_ns < at(end)}
    assert len(late) > 3
    for rows in (draft.oms, draft.notices):
        for place, row in enumerate(rows):
            if {getattr(row, "reference", ""), row.id, row.key} & late:
                change(rows, place, t_ns=max(row.t_ns, at(until)))


# -- one timeline with all of it --------------------------------------------------------------------------------------


def test_every_instant_and_span_of_one_run() -> None:
    """Down from 8 to 12; wrong figures from 12 to 14 (re-opened early); postings held up until 15; declared at 9."""
    draft = clockwork(down((8, 12)))
    draft.customers = [row for row in draft.customers if not isinstance(row, Shown | Acted)]
    draft.customers.append(made.shown("ok", "C-0001", 2, 10_000_000))
    draft.exchange = [r for r in draft.exchange if not isinstance(r, ExchangeExecution) or r.account != "C-0001"]
    known = {row.id for row in draft.exchange}
    kept = [r for r in draft.oms if not (isinstance(r, OmsExecution) and r.id not in known)]
    draft.oms = kept
    draft.notices = [row for row in draft.notices if row.key in known]
    wrong_figures(draft, 12, 14)
    draft.customers.append(made.shown("right", "C-0001", 14.2, 10_000_000))
    held_up(draft, 9, 13, 15)
    made.step(draft, "declare", 9, 9.1, changed=False)
    found, spans = dated(draft)
    shown = next_settled(draft, 15)
    assert at(15) < shown < at(15.2)
    assert found.inject == i(FAULT, FAULT + 0.01)
    assert found.impact == i(7.96, 8.0)
    assert found.alert == point(at(8.1))
    assert found.runbook == point(at(8.3))
    assert found.declared == i(9, 9.1)
    assert found.contained == Milestone(i(13.901, 13.906))
    assert found.available == Milestone(i(11.96, 12.01))
    assert found.restored == Milestone(i(13.901, 14.206))
    assert found.reconciled == found.recovered == Milestone(Interval(at(15), shown))
    assert not found.prevented
    assert spans == Durations(
        detect=s(0.1, 0.14),
        detect_from_inject=s(1.09, 1.1),
        decide=s(0.2, 0.2),
        contain=s(5.801, 5.806),
        available=s(3.96, 4.05),
        restore=s(5.901, 6.246),
        reconcile=Interval(at(15) - at(14.206), shown - at(13.901)),
        recover=Interval(at(15) - at(8), shown - at(7.96)),
    )


# -- single courses ---------------------------------------------------------------------------------------------------


def test_prevented() -> None:
    found, spans = dated(clockwork())
    assert found.prevented
    assert (found.impact, found.contained, found.restored, found.recovered) == (None, *[Milestone(not_needed=True)] * 3)
    assert (spans.contain, spans.available, spans.restore, spans.reconcile, spans.recover) == (NOTHING,) * 5
    assert spans.detect == spans.detect_from_inject == s(1.09, 1.1)


def test_alert_before_the_impact() -> None:
    _, spans = dated(clockwork(down((10, 12))))
    assert (spans.detect, spans.detect_from_inject) == (s(-1.9, -1.86), s(1.09, 1.1))


def test_second_outage_after_a_first_restoration() -> None:
    """Back at 9 for longer than the hold; what breaks again at 16 was not restored."""
    found, spans = dated(clockwork(down((8, 9), (16, 17))))
    assert found.impact == i(7.96, 8.0)
    assert found.available.at == found.restored.at == found.recovered.at == i(16.96, 17.01)
    assert spans.restore == spans.recover == s(8.96, 9.05)


def test_flapping_counts_from_its_last_end() -> None:
    """Down for a second, up for a second, five times over."""
    found, spans = dated(clockwork(down(*((8 + 2 * n, 9 + 2 * n) for n in range(5)))))
    assert found.impact == i(7.96, 8.0)
    assert found.restored.at == i(16.96, 17.01)
    assert spans.restore == s(8.96, 9.05)


def test_planned_closure_is_an_impact_and_its_opening_the_return() -> None:
    draft = clockwork(down((8.4, 14), outcome=RequestOutcome.CLOSED))
    found, spans = dated(draft)
    assert found.impact == i(8.36, 8.4)
    assert found.restored.at == i(13.96, 14.01)
    assert spans.restore == s(5.56, 5.65)
    card = score(draft.history(), None)
    assert (card.number("service_s"), card.number("planned_closure_s")) == (5.6, 5.6)


def test_outage_still_open_at_the_cap() -> None:
    draft = made.replanned(ended(clockwork(down((8, 99))), "cap"), cap=at(END) - at(FAULT))
    found, spans = dated(draft)
    assert (found.available, found.restored, found.recovered) == (Milestone(), Milestone(), Milestone())
    assert (spans.available, spans.restore, spans.recover, spans.contain) == (None, None, None, NOTHING)
    card = score(draft.history(), None)
    assert {one.id: one.verdict for one in card.objectives}["recover"] == Status.FAIL
    assert card.number("service_s") == 18.0
    assert (card.verdict, card.grade) == (Status.FAIL, "unable")


def test_reopened_early_is_available_long_before_it_is_restored() -> None:
    draft = clockwork(down((8, 10)))
    wrong_figures(draft, 10, 15)
    found, spans = dated(draft)
    assert found.available.at == i(9.96, 10.01)
    assert spans.available == s(1.96, 2.05)
    assert found.contained.at == i(14.901, 14.906)
    assert found.restored.at is not None
    assert at(14.901) <= found.restored.at.earliest <= found.restored.at.latest < at(15.3)


# -- one-way loss: requests reach the exchange, its words do not come back --------------------------------------------


def one_way(until: float) -> Draft:
    """Orders of [8, 12) are at the exchange and filled there; the customer hears nothing, the brokerage posts late."""
    draft = clockwork(down((8, 12), outcome=RequestOutcome.UNKNOWN))
    for place, row in enumerate(draft.customers):
        if isinstance(row, Reply) and row.action == "order" and row.state == "new" and at(8) <= row.t_ns < at(12):
            change(draft.customers, place, state="unknown", outcome="unknown", status=504)
            t = (row.t_ns - at(0)) / NS
            made._look(draft, row.account, row.key, max(t + 2, until + 0.2), "new")
    held_up(draft, 8, 12, until)
    return draft


def test_one_way_loss_is_an_outage_that_leaves_no_trace_once_it_is_resolved() -> None:
    draft = one_way(until=13)
    found, spans = dated(draft)
    assert found.impact == i(7.96, 8.0)
    assert found.available.at == i(11.96, 12.01)
    shown = next_settled(draft, 13)
    assert at(13) < shown < at(13.2)
    assert found.reconciled.at == found.recovered.at == Interval(at(13), shown)
    assert spans.recover == Interval(at(13) - at(8), shown - at(7.96))
    card = score(draft.history(), None)
    assert card.verdict == Status.PASS
    assert [card.number(name) for name in ("phantom_orders", "duplicated", "acknowledged_orders_lost")] == [0] * 3


def test_one_way_loss_typed_again_is_twice_at_the_exchange() -> None:
    """What a customer does who heard nothing: the order is in, and now it is in again."""
    draft = one_way(until=13)
    doubt = next(r for r in draft.customers if isinstance(r, Reply) and r.state == "unknown")
    order = next(r for r in draft.exchange if isinstance(r, ExchangeOrder) and r.key == doubt.key)
    terms = {name: getattr(order, name) for name in ("code", "side", "quantity", "price")}
    made._ask(draft, order.account, "again", doubt.key, 14, 14.1, RequestOutcome.OK, 201, terms, state="new")
    draft.exchange.append(msgspec.structs.replace(order, id="x-99", key="again", t_ns=at(14.05)))
    held = next(row for row in draft.oms if isinstance(row, OmsOrder) and row.key == doubt.key)
    draft.oms.append(msgspec.structs.replace(held, id="o-99", key="again", filled=0, state="new"))
    card = score(draft.history(), None)
    assert [check.id for check in card.checks if check.verdict == Status.FAIL] == ["no-duplicates"]
    assert card.number("duplicated") == 1


def test_one_way_loss_never_resolved_is_never_recovered() -> None:
    draft = one_way(until=13)
    place = next(n for n, row in enumerate(draft.oms) if isinstance(row, OmsOrder) and at(8) < row.t_ns < at(12))
    change(draft.oms, place, state="unknown")
    found, _ = dated(ended(draft, "cap"))
    assert found.restored.at is not None
    assert found.recovered == Milestone()


# -- good again, but not for long enough to say so --------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "unknowable"), [("judged", True), ("cap", False), ("stop_if", False)])
def test_service_that_was_back_for_less_than_the_hold(reason: str, unknowable: bool) -> None:
    """Back at 22 of 26 s: at the cap the time is up; a run that stopped by itself stopped too soon."""
    found, spans = dated(ended(clockwork(down((8, 22))), reason))
    assert bool(found.available.unknowable) == bool(found.recovered.unknowable) == unknowable
    assert found.recovered.earliest == (at(21.96) if unknowable else None)
    assert (found.available.at, spans.recover) == (None, None)


@pytest.mark.parametrize(("limit", "status"), [(15, Status.UNKNOWN), (13.9, Status.FAIL)])
def test_recovery_that_is_not_proved_may_be_surely_late(limit: float, status: Status) -> None:
    """It cannot have come before 21.96, which is 13.96 s after the impact."""
    draft = ended(clockwork(down((8, 22))), "judged")
    draft.plan = msgspec.structs.replace(draft.plan, objectives=[Objective("recover", limit, "s")])
    card = score(draft.history(), None)
    assert [(one.measured, one.verdict) for one in card.objectives] == [(None, status)]
    assert any("stopped looking before that had held; at 23.96 s at the earliest" in line for line in limits_of(card))


def test_books_in_step_for_less_than_the_hold() -> None:
    """The last late postings came in at 22: two together are a queue, however short it stood."""
    draft = clockwork(down((8, 12)))
    held_up(draft, 20, 20.4, 22)
    assert dated(ended(draft, "cap"))[0].reconciled == Milestone()
    found, spans = dated(ended(draft, "judged"))
    assert found.reconciled.earliest == at(22)
    assert found.recovered.earliest == at(22)
    assert why(found.reconciled) == "it was good again, and the run stopped looking before that had held"
    assert (spans.reconcile, spans.recover) == (None, None)


def test_difference_that_stands_at_the_end_is_there_however_the_run_ended() -> None:
    draft = clockwork(down((8, 12)))
    trades = [row for row in draft.exchange if isinstance(row, ExchangeExecution)]
    lost = {row.id for row in trades if at(22) < row.t_ns < at(23)}
    draft.notices = [row for row in draft.notices if row.key not in lost]
    found, _ = dated(ended(draft, "judged"))
    assert (found.reconciled, found.recovered) == (Milestone(), Milestone())


def test_harm_in_the_last_hold_is_not_contained_however_the_run_ended() -> None:
    draft = clockwork(down((8, 12)))
    wrong_figures(draft, 12, 22)
    found, _ = dated(ended(draft, "judged"))
    assert (found.contained, found.restored, found.recovered) == (Milestone(), Milestone(), Milestone())


def test_what_surely_did_not_come_is_not_excused_by_a_missing_book() -> None:
    draft = ended(clockwork(down((8, 99))), "cap")
    found = instants(draft.history(without="exchange"))
    assert (found.restored, found.recovered) == (Milestone(), Milestone())
    assert why(found.reconciled) == "no book exchange"


# -- the edges of the hold and the grace ------------------------------------------------------------------------------


@pytest.mark.parametrize(("end", "holds"), [(END - 5.04, True), (END - 4.96, False)])
def test_hold_is_counted_from_the_latest_possible_return(end: float, holds: bool) -> None:
    found, _ = dated(ended(clockwork(down((8, end))), "cap"))
    assert (found.restored.at is not None) == holds


@pytest.mark.parametrize(("lag", "late"), [(1.5, False), (1.501, True)])
def test_grace_is_the_most_a_posting_may_lag(lag: float, late: bool) -> None:
    draft = clockwork()
    trades = [row for row in draft.exchange if isinstance(row, ExchangeExecution) and row.t_ns > at(9)][:2]
    for rows in (draft.oms, draft.notices):
        for place, row in enumerate(rows):
            for n, trade in enumerate(trades):
                if trade.id in {getattr(row, "reference", ""), row.id, row.key}:
                    change(rows, place, t_ns=trades[0].t_ns + round(lag * 1000) * 1_000_000 + n)
    change(draft.exchange, draft.exchange.index(trades[1]), t_ns=trades[0].t_ns + 1)
    found, _ = dated(draft)
    assert found.reconciled.not_needed == (not late)
