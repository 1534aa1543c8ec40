"""The card: the same history gives the same bytes, the worst cell is the verdict, and no number hides another."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest

from drills.cards import score
from drills.domains import congestion
from drills.domains.figures.rows import Acted
from drills.domains.registry import DOMAINS
from drills.judge.check import Check
from drills.judge.interval import Interval
from drills.judge.objectives import Judged, status
from drills.judge.scorecard import Scorecard
from drills.judge.verdict import verdict
from drills.record.history import NS, CheckResult, Event, Kind, Objective, RequestOutcome, RunEnd, Status

from . import synthetic as made
from .crowded import correct_crowded
from .judging import CHECKS
from .made_histories import correct_whole
from .plants import failed_step, retried
from .synthetic import END, Draft, at, correct
from .words import limits_of

PASS, FAIL, UNKNOWN, INVALID, NA = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.INVALID, Status.NOT_APPLICABLE


def card(draft: Draft) -> Scorecard:
    return score(draft.history(), "3f9c")


def ruled(found: Scorecard) -> dict[str, Status]:
    return {c.id: c.verdict for c in found.checks} | {o.id: o.verdict for o in found.objectives}


# -- the whole card ---------------------------------------------------------------------------------------------------


def test_card_has_every_field_of_its_schema_in_order() -> None:
    document = msgspec.json.decode(msgspec.json.encode(card(correct_whole(1))))
    assert list(document)[:3] == ["schema", "drill", "variant"]
    wanted = {
        "schema", "drill", "variant", "title", "sources", "drill_sha256", "runbook_sha256", "arm", "operator", "seed",
        "attempts", "run", "started", "subject", "kunren", "rules", "evidence", "clock", "governing", "target",
        "engines", "fidelity", "limits", "verdict", "grade", "instants", "metrics", "objectives", "accepted",
        "no_limit", "checks", "load", "alerts", "runbook", "heal", "cost",
    }  # fmt: skip
    assert wanted <= set(document)
    assert [metric["id"] for metric in document["metrics"]] == list(DOMAINS.metrics)
    assert document["evidence"] == "3f9c"
    assert document["schema"] == "kunren.scorecard/2"


def test_same_history_same_bytes() -> None:
    one, other = (msgspec.json.encode(card(correct(4))) for _ in range(2))
    assert one == other


def test_card_survives_being_read_and_written_again() -> None:
    once = msgspec.json.encode(card(correct(4)))
    assert msgspec.json.encode(msgspec.json.decode(once, type=Scorecard)) == once


def test_order_of_rows_that_share_an_instant_does_not_matter() -> None:
    history = correct(4).history()
    again = correct(4)
    random.Random(1).shuffle(again.oms)
    again.samples.reverse()
    want, got = score(history, None), score(again.history(), None)
    assert (want.verdict, want.metrics) == (got.verdict, got.metrics)


def test_card_tells_of_alerts_steps_heal_and_cost() -> None:
    found = card(correct(1))
    assert [(alert.rule, alert.t, alert.for_this_fault) for alert in found.alerts] == [("LinkSilent", 10.1, True)]
    assert found.runbook is not None
    begun = found.runbook.steps[0]
    assert (begun.id, begun.start, begun.end, begun.outcome) == ("close", 10.3, 10.5, "ok")
    assert (found.heal.injected, found.heal.undone, found.heal.verified_removed) == (1, 1, 1)
    assert found.clock.monitor_interval_s == 0.25


def test_step_that_never_ended_is_shown_open() -> None:
    draft = correct(1)
    draft.note(15, "operator", Kind.INVOKE, "step", id="tell")
    found = card(draft)
    assert found.runbook is not None
    assert (found.runbook.steps[-1].end, found.runbook.steps[-1].outcome) == (None, None)


def test_arm_without_a_page_has_no_runbook() -> None:
    assert card(correct(1, "no-action")).runbook is None


# -- loss -------------------------------------------------------------------------------------------------------------


def test_service_lost_is_the_worst_services() -> None:
    draft = correct(1, effect=False)
    orders, inquiry = draft.spoil("orders", 9, 14), draft.spoil("inquiry", 9, 10)
    found = card(draft)
    assert found.value("service_s", of="orders") == round(orders / 25, 3) == found.value("service_s")
    assert found.value("service_s", of="inquiry") == round(inquiry / 35, 3)


def test_planned_closure_is_in_the_loss_and_counted_apart() -> None:
    draft = correct(1, effect=False)
    draft.spoil("orders", 9, 10, RequestOutcome.TIMEOUT)
    closed = draft.spoil("orders", 10, 14, RequestOutcome.CLOSED)
    found = card(draft)
    assert found.number("planned_closure_s") == round(closed / 25, 3) < (found.number("service_s") or 0)


def test_not_current_lasts_until_the_next_current_figure() -> None:
    draft = correct(1)
    found = card(draft).number("not_current_s")
    assert found is not None
    assert abs(found - (made.UNMARKED - made.MARKED)) < 0.5


def test_after_the_alert_only_what_came_after_it() -> None:
    draft = correct(1, effect=False)
    before, after = draft.spoil("orders", 7.5, 8.1), draft.spoil("orders", 8.1, 10)
    draft.customers += [made.shown("w1", "C-0001", 7.6, 1), made.shown("w2", "C-0001", 9, 1)]
    found = card(draft)
    assert before
    assert found.number("service_s", "after_alert") == round(after / 25, 3)
    assert [found.number("wrong_figures_shown", window) for window in ("all", "after_alert")] == [2, 1]


def test_without_an_alert_nothing_is_after_it() -> None:
    draft = correct(1)
    draft.events = [event for event in draft.events if event[3] != "alert"]
    found = card(draft)
    assert {found.number(name, "after_alert") for name in ("service_s", "wrong_figures_shown")} == {None}
    assert found.number("service_s") is not None


def test_numbers_that_need_a_missing_book_are_null() -> None:
    found = score(correct(1).history(without="exchange"), None)
    assert {found.value(name) for name in ("duplicated", "phantom_orders", "acknowledged_orders_lost")} == {None}
    assert found.value("unbalanced_yen") is None  # it is in the books that are there; but the run cannot judge
    assert any(line.startswith("t_recovered: cannot be known") for line in limits_of(found))


# -- objectives -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "at_least", "expected"),
    [
        (1, 2, False, PASS), (4, 5, False, PASS), (5, 6, False, UNKNOWN), (4, 6, False, UNKNOWN), (6, 7, False, FAIL),
        (5, 6, True, PASS), (4, 6, True, UNKNOWN), (3, 4, True, FAIL), (-2, -1, False, PASS),
    ],
)  # fmt: skip
def test_limit_against_an_interval(low: int, high: int, at_least: bool, expected: Status) -> None:
    objective = Objective("detect", 5, "s", at_least)
    assert status(objective, Interval(low * NS, high * NS)) == expected


@pytest.mark.parametrize(("count", "expected"), [(3, PASS), (4, FAIL)])
def test_limit_on_a_count(count: int, expected: Status) -> None:
    assert status(Objective("duplicated", 3, "count"), Interval(count, count)) == expected


def test_every_metric_a_drill_may_limit_is_measured() -> None:
    crowd = {metric.id for metric in congestion.DOMAIN.metrics}
    limits = [
        Objective(metric.id, 10**9, metric.unit, window=str(window))
        for metric in DOMAINS.metrics.values()
        for window in metric.windows
        if not metric.id.endswith("forecast_error")  # of a limit, which is not reached on an ordinary day
        if window != "after_fault"  # which is in place to the end
    ]
    crowded = [each for each in limits if each.metric in crowd]
    draft = made.replanned(correct_crowded(1), objectives=crowded)
    assert all(cell.measured is not None for cell in card(draft).objectives)
    limits = [each for each in limits if each.metric not in crowd]
    limits += [Objective("service_s", 10**9, "s", of="orders"), Objective("planned_closure_s", 10**9, "s", of="orders")]
    draft = made.replanned(correct_whole(1), objectives=limits)
    assert len(limits) + len(crowded) > len(DOMAINS.metrics) + 5
    assert all(cell.measured is not None for cell in card(draft).objectives)


def test_unknown_metric_is_unknown() -> None:
    draft = made.replanned(correct(1), objectives=[Objective("no-such-metric", 1, "s")])
    assert card(draft).verdict == UNKNOWN


def test_what_did_not_happen_fails_its_objective() -> None:
    draft = correct(1, effect=False)
    draft.spoil("orders", 8, END + 1)
    draft.events = [event for event in draft.events if event[3] != "alert"]
    found = card(draft)
    assert ruled(found)["recover"] == FAIL
    assert ruled(found)["detect"] == FAIL
    assert (found.verdict, found.grade) == (FAIL, "unable")
    assert "t_alert: did not happen" in limits_of(found)


def test_no_alert_with_a_gap_in_the_watch_is_unknown() -> None:
    draft = correct(1)
    draft.events = [event for event in draft.events if event[1] != "monitor"]
    assert ruled(card(draft))["detect"] == UNKNOWN


def test_served_ratio() -> None:
    draft = correct(1, effect=False)
    draft.spoil("orders", 6, END)
    (cell,) = (cell for cell in card(draft).objectives if cell.id == "served_ratio")
    assert cell.measured is not None
    assert abs(cell.measured[0] - (1 - 25 / 60 * (END - 6) / END)) < 0.05


@pytest.mark.parametrize("arm", ["no-fault", "false-alarm"])
def test_arms_without_a_fault(arm: str) -> None:
    found = card(correct(1, arm))
    cells = ruled(found)
    assert [cells[name] for name in ("detect", "contain", "recover", "fault-really-happened")] == [NA] * 4
    assert [cells[name] for name in ("no-page", "nothing-injected", "service_s")] == [PASS] * 3
    assert {found.value(metric.id) for metric in DOMAINS.metrics.values() if metric.span} == {None}
    assert (found.verdict, found.grade) == (PASS, "performed")


# -- verdict and grade ------------------------------------------------------------------------------------------------


def cells(*rulings: tuple[str, bool, Status]) -> list[tuple[Check, CheckResult]]:
    return [
        (Check(name, "", (), standing, lambda _: CheckResult(PASS, "")), CheckResult(r, ""))
        for name, standing, r in rulings
    ]


def judged(*rulings: Status) -> list[Judged]:
    return [Judged(Objective("x", 1, "s"), None, one) for one in rulings]


@pytest.mark.parametrize(
    ("checks", "objectives", "expected"),
    [
        (cells(("books", False, PASS), ("load", True, PASS)), judged(PASS), PASS),
        (cells(("books", False, PASS), ("load", True, NA)), judged(NA), PASS),
        (cells(("books", False, PASS)), judged(UNKNOWN), UNKNOWN),
        (cells(("books", False, UNKNOWN)), judged(PASS), UNKNOWN),
        (cells(("books", False, UNKNOWN)), judged(FAIL), FAIL),
        (cells(("books", False, PASS), ("page", True, FAIL)), judged(PASS), FAIL),
        (cells(("books", False, PASS), ("load", True, INVALID)), judged(FAIL), INVALID),
        (cells(("books", False, FAIL), ("load", True, INVALID)), judged(PASS), FAIL),
        (cells(("books", False, FAIL), ("run-ended", True, INVALID)), judged(PASS), INVALID),
        (cells(("books", False, FAIL), ("history-whole", True, INVALID)), judged(PASS), INVALID),
        (cells(("books", False, FAIL)), judged(UNKNOWN), FAIL),
        (cells(("load", True, PASS)), [], UNKNOWN),
        ([], [], UNKNOWN),
    ],
)
def test_worst_cell_is_the_verdict(
    checks: list[tuple[Check, CheckResult]], objectives: list[Judged], expected: Status
) -> None:
    assert verdict(checks, objectives) == expected


def as_is(_: Draft) -> None:
    pass


def monitor_never_heard(draft: Draft) -> None:
    draft.events = [event for event in draft.events if event[1] != "monitor"]


@pytest.mark.parametrize("span", ["detect", "detect_from_inject", "decide", "contain"])
def test_what_an_alert_begins_or_ends_is_unknown_where_nobody_was_listening(span: str) -> None:
    draft = made.replanned(correct(1), objectives=[Objective(span, 3, "s")])
    monitor_never_heard(draft)
    assert ruled(card(draft))[span] == UNKNOWN


def test_a_steps_outcome_is_told_in_its_own_word() -> None:
    draft = correct(1)
    failed_step(draft)
    page = card(draft).runbook
    assert page is not None
    assert page.steps[-1].outcome == "failed"


def late_recovery(draft: Draft) -> None:
    draft.plan = msgspec.structs.replace(draft.plan, objectives=[Objective("recover", 3, "s")])


def lost_order(draft: Draft) -> None:
    draft.exchange = [row for row in draft.exchange if not (row.t_ns < at(4))]


def never_back(draft: Draft) -> None:
    draft.spoil("orders", 15, END + 1)


def never_back_and_nobody_asked(draft: Draft) -> None:
    never_back(draft)
    draft.plan = msgspec.structs.replace(draft.plan, objectives=[Objective("detect", 3, "s")])


def never_alerted(draft: Draft) -> None:
    """Not by any rule of the drill: what paged the operator was another one that links to the same page."""
    draft.events = [event for event in draft.events if event[3] != "alert"]
    made.alert(draft, 8.1, "DiskFull")
    draft.plan = msgspec.structs.replace(draft.plan, objectives=[Objective("recover", 15, "s")])


def paged_before_the_alert(draft: Draft) -> None:
    never_alerted(draft)
    made.alert(draft, 8.4)


@pytest.mark.parametrize(
    ("plant", "total", "grade"),
    [
        (as_is, PASS, "performed"),
        (never_alerted, PASS, "some-challenges"),
        (paged_before_the_alert, PASS, "some-challenges"),
        (retried, PASS, "some-challenges"),
        (failed_step, PASS, "some-challenges"),
        (late_recovery, FAIL, "major-challenges"),
        (lost_order, FAIL, "unable"),
        (never_back, FAIL, "unable"),
        (never_back_and_nobody_asked, PASS, "unable"),
    ],
)
def test_grade_in_words(plant: Callable[[Draft], None], total: Status, grade: str) -> None:
    draft = correct(1)
    plant(draft)
    found = card(draft)
    assert (found.verdict, found.grade) == (total, grade)


def test_refused_at_the_guard_is_the_right_end_of_a_false_alarm() -> None:
    draft = correct(1, "false-alarm")
    draft.events = [event for event in draft.events if event[3] != "step"]
    made.step(draft, "look", 8.3, 8.4, outcome="refused", changed=False)
    assert card(draft).grade == "performed"


def test_interrupted_run_is_invalid_whatever_its_books_lack() -> None:
    draft = correct(1)
    lost_order(draft)
    draft.run = msgspec.structs.replace(draft.run, end=RunEnd(at(END + 5), "interrupted"))
    found = card(draft)
    assert (found.verdict, found.grade) == (INVALID, None)


def test_standing_checks_are_asked_of_every_run() -> None:
    draft = made.replanned(correct(1), checks=["cash-conserved"])
    asked = {check.id for check in card(draft).checks}
    assert asked == {"cash-conserved"} | {check.id for check in CHECKS.values() if check.validity}


def test_every_event_named_as_evidence_is_there() -> None:
    draft = correct(1)
    history = draft.history()
    rows: list[Event] = list(history.events)
    for cell in score(history, None).checks:
        for place in cell.evidence:
            book, _, index = place.partition(":")
            assert book != "events" or rows[int(index)].index == int(index)


# -- harm without a limit ---------------------------------------------------------------------------------------------


def harmed() -> Draft:
    draft = correct(1, effect=False)
    draft.customers += [made.shown("w1", "C-0001", 7.6, 1), made.shown("w2", "C-0001", 9, 1)]
    return made.replanned(draft, checks=[], objectives=[Objective("detect", 30, "s")])


def test_harm_that_nobody_limits_is_named_and_costs_the_grade() -> None:
    found = card(harmed())
    assert (found.verdict, found.grade) == (PASS, "some-challenges")
    assert (found.no_limit, found.accepted) == (["wrong_figures_shown"], [])


def test_harm_that_the_drill_accepts_is_told_with_its_reason() -> None:
    why = {"en": "it cannot be helped", "ja": "やむを得ない"}
    found = card(made.replanned(harmed(), accepts={"wrong_figures_shown": why, "duplicated": why}))
    assert (found.verdict, found.grade, found.no_limit) == (PASS, "performed", [])
    assert [(one.metric, one.reason) for one in found.accepted] == [("wrong_figures_shown", why)]


def test_harm_that_an_objective_limits_is_not_named() -> None:
    limits = [Objective("detect", 30, "s"), Objective("wrong_figures_shown", 5, "count", window="after_alert")]
    found = card(made.replanned(harmed(), objectives=limits))
    assert (found.grade, found.no_limit) == ("performed", [])


def test_lost_service_is_limited_by_how_long_it_may_take_to_come_back() -> None:
    draft = correct(1, effect=False)
    draft.spoil("orders", 9, 10)
    bare = made.replanned(draft, objectives=[Objective("detect", 30, "s")])
    assert card(bare).no_limit == ["service_s"]
    assert card(made.replanned(draft, objectives=[Objective("recover", 30, "s")])).no_limit == []


def test_a_sum_of_harms_has_a_limit_where_those_parts_have_that_added_something() -> None:
    draft = correct(1)
    acted = made.shown("w1", "C-0001", 7.6, 1)
    draft.customers += [acted, Acted(t_ns=at(7.7), id="a1", account="C-0001", shown="w1", yen=5, what="order")]
    some = made.replanned(draft, checks=[], objectives=[Objective("recover", 30, "s")])
    assert card(some).no_limit == ["wrong_figures_shown", "wrong_figures_acted_on", "harmful_actions", "affected_yen"]
    why = {"en": "x", "ja": "x"}
    other = made.replanned(some, accepts={"duplicated": why, "wrong_figures_shown": why})
    assert card(other).no_limit == ["wrong_figures_acted_on", "harmful_actions", "affected_yen"]
    assert (
        card(
            made.replanned(some, accepts=dict.fromkeys(["wrong_figures_acted_on", "wrong_figures_shown"], why))
        ).no_limit
        == []
    )


def test_headroom_is_what_is_left_of_the_limit() -> None:
    limits = [Objective("recover", 30, "s"), Objective("served_ratio", 0.25, "ratio", at_least=True)]
    recover, served = card(made.replanned(correct(1), objectives=limits)).objectives
    assert recover.measured is not None
    assert served.measured is not None
    assert recover.headroom == (pytest.approx(30 - recover.measured[1]), pytest.approx(30 - recover.measured[0]))
    assert served.headroom == (pytest.approx(served.measured[0] - 0.25), pytest.approx(served.measured[1] - 0.25))
