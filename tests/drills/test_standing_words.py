"""What the standing checks say, word for word, and the events they show for it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from drills.domains.night.rows import Calendar
from drills.judge.check import Check, because, run_check
from drills.judge.run_checks import unfinished, unfollowed
from drills.record.history import CheckResult, History, Kind, Reason, RunEnd, Status

from . import nights
from . import synthetic as made
from .judging import CHECKS, run_checks
from .nights import correct_night
from .plants import Plant, balances_unread, injected, own_error, silent_load, unaccounted
from .synthetic import END, Draft, at, change, correct, first
from .words import said as said_of

PASS, FAIL, UNKNOWN, INVALID = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.INVALID


def asked(name: str, draft: Draft | History) -> CheckResult:
    return run_check(CHECKS[name], draft.history() if isinstance(draft, Draft) else draft)


def without(actor: str, what: str, *kinds: Kind) -> Plant:
    def plant(draft: Draft) -> None:
        draft.events = [
            e for e in draft.events if not (e[1] == actor and e[3] == what and (not kinds or e[2] in kinds))
        ]

    return plant


def running(**fields: object) -> Plant:
    def plant(draft: Draft) -> None:
        draft.run = msgspec.structs.replace(draft.run, **fields)

    return plant


def planned(**fields: object) -> Plant:
    def plant(draft: Draft) -> None:
        draft.plan = msgspec.structs.replace(draft.plan, **fields)

    return plant


def baseline_failed(draft: Draft) -> None:
    without("runner", "baseline", Kind.OK)(draft)
    draft.note(5, "runner", Kind.FAIL, "baseline")


def no_load(draft: Draft) -> None:
    draft.samples = []


def first_service_idle(draft: Draft) -> None:
    """Of two; the other has all its arrivals."""
    draft.samples = [sample for sample in draft.samples if sample[4] == 1]


def watched_for_nothing(draft: Draft) -> None:
    without("runner", "snapshot")(draft)
    draft.note(0, "runner", Kind.INVOKE, "snapshot")


def two_rules_paged(draft: Draft) -> None:
    planned(alerts=["LinkSilent", "DiskFull"])(draft)
    for t, name in ((9, "LinkSilent"), (10, "DiskFull"), (11, "LinkSilent")):
        made.alert(draft, t, name)


def two_in_trouble(draft: Draft) -> None:
    own_error("load")(draft)
    own_error("proxy", "ended by itself", 2, "")(draft)
    unaccounted("harness")(draft)


ENDED_BADLY = running(end=RunEnd(at(END), "error", "the disk was full"))
SAID: dict[str, tuple[str, Plant, Status, str, str]] = {  # arm, what happened, ruling, check, its whole sentence
    "never ended": ("runbook", running(end=None), INVALID, "run-ended", "the run did not end"),
    "ended badly": ("runbook", ENDED_BADLY, INVALID, "run-ended", "ended: error (the disk was full)"),
    "one clock reading": (
        "runbook", running(clock={"start": 1}), UNKNOWN, "one-clock", "clock offsets were not recorded at both ends",
    ),
    "bad baseline": ("runbook", baseline_failed, INVALID, "baseline-good", "the baseline was not good"),
    "no baseline": ("runbook", without("runner", "baseline"), INVALID, "baseline-good", "no baseline was taken"),
    "baseline never ended": (
        "runbook", without("runner", "baseline", Kind.OK), INVALID, "baseline-good", "no baseline was taken",
    ),
    "no load": ("runbook", no_load, INVALID, "load-on-time", "no request was sent"),
    "no service": (
        "runbook", planned(services={}), INVALID, "load-reached-its-rate", "no service was to be asked",
    ),
    "first service idle": (
        "runbook", first_service_idle, INVALID, "load-reached-its-rate",
        "arrivals of orders: 0 of 650; arrivals of inquiry: 896 of 910",
    ),
    "watched for nothing": (
        "runbook", watched_for_nothing, INVALID, "load-reached-its-rate", "nothing was observed",
    ),
    "both services silent": (
        "runbook", silent_load(9, 11.5), INVALID, "load-reached-its-rate",
        "arrivals of orders: 631 of 650; nothing sent to orders for 2.57 s"
        "; arrivals of inquiry: 794 of 910; nothing sent to inquiry for 2.559 s",
    ),
    "balances unread": (
        "runbook", balances_unread, UNKNOWN, "figures-right", "the target's book holds no balance",
    ),
    "no fault planned": ("runbook", planned(faults=[]), INVALID, "fault-really-happened", "no fault was planned"),
    "fault in a quiet arm": (
        "no-fault", injected(0), INVALID, "nothing-injected", "2 injections in an arm without a fault",
    ),
    "fault left": (
        "runbook", without("fault:0", "verify_removed"), INVALID, "nothing-still-injected",
        "1 of 1 faults not seen gone: run `kunren heal`",
    ),
    "monitor dead": (
        "runbook", without("monitor", "heartbeat"), INVALID, "monitoring-had-no-gap", "the monitor was never heard",
    ),
    "an error of our own": (
        "runbook", own_error("load", "out of memory", 3, "a; b"), INVALID, "own-parts-sound",
        "kunren's load: 3 × out of memory; first of load: a; b",
    ),
    "two parts in trouble, one silent": (
        "runbook", two_in_trouble, INVALID, "own-parts-sound",
        "kunren's load: 1 × too many open files; first of load: accept on x; kunren's proxy: 2 × ended by itself"
        "; no account of their own errors by harness",
    ),
    "false pages": ("no-fault", two_rules_paged, FAIL, "no-page", "3 false pages: DiskFull, LinkSilent"),
    "no rules": ("no-fault", planned(alerts=[]), UNKNOWN, "no-page", "the drill names no rules"),
}  # fmt: skip


@pytest.mark.parametrize(("arm", "plant", "status", "check", "says"), SAID.values(), ids=SAID)
def test_each_says_what_it_saw_and_nothing_else(arm: str, plant: Plant, status: Status, check: str, says: str) -> None:
    draft = correct(3, arm)
    plant(draft)
    verdict = asked(check, draft)
    assert (verdict.status, said_of(verdict)) == (status, says)


# -- evidence ---------------------------------------------------------------------------------------------------------


def shown(history: History, verdict: CheckResult) -> list[tuple[str, str, Kind, int]]:
    events = (history.events[int(place.removeprefix("events:"))] for place in verdict.evidence)
    return [(event.actor, event.what, event.kind, event.t) for event in events]


EVIDENCE: dict[str, tuple[str, Plant, str, list[tuple[str, str, Kind, int]]]] = {
    "the baseline that failed": (
        "runbook", baseline_failed, "baseline-good", [("runner", "baseline", Kind.FAIL, at(5))],
    ),
    "the injections of a quiet arm": (
        "no-fault", injected(0), "nothing-injected",
        [("fault:0", "inject", Kind.INVOKE, at(9)), ("fault:0", "inject", Kind.OK, at(9))],
    ),
    "the fault that nobody planned, and none else": (
        "runbook", injected(1), "fault-really-happened",
        [("fault:1", "inject", Kind.INVOKE, at(9)), ("fault:1", "inject", Kind.OK, at(9))],
    ),
    "the last that is known of a fault": (
        "runbook", without("fault:0", "verify_removed"), "nothing-still-injected",
        [("fault:0", "rollback", Kind.OK, at(END + 3.1))],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arm", "plant", "check", "events"), EVIDENCE.values(), ids=EVIDENCE)
def test_events_that_give_it_away_are_shown(
    arm: str, plant: Plant, check: str, events: list[tuple[str, str, Kind, int]]
) -> None:
    draft = correct(3, arm)
    plant(draft)
    history = draft.history()
    assert shown(history, asked(check, history)) == events


def test_a_silence_is_shown_by_the_heartbeats_around_it() -> None:
    draft = correct(3)
    draft.events = [event for event in draft.events if not (event[3] == "heartbeat" and at(15) < event[0] < at(18))]
    history = draft.history()
    beats = [("monitor", "heartbeat", Kind.INFO, at(15)), ("monitor", "heartbeat", Kind.INFO, at(18))]
    assert shown(history, asked("monitoring-had-no-gap", history)) == beats
    assert asked("monitoring-had-no-gap", correct(3)).evidence == []


def test_the_first_event_out_of_number_is_named_be_it_the_only_one() -> None:
    history = correct(3).history()
    last = len(history.events) - 1
    for since in (9, last):
        events = tuple(
            msgspec.structs.replace(one, index=one.index + 1) if one.index >= since else one for one in history.events
        )
        verdict = asked("history-whole", replace(history, events=events))
        says = f"events are not numbered without gaps from {since} on"
        assert (verdict.status, said_of(verdict), verdict.evidence) == (INVALID, says, [f"events:{since}"])


def test_all_damage_is_told_and_the_first_of_each_kind_is_shown() -> None:
    draft = correct(3)
    draft.damage += ["one file is cut off", "another, too"]
    for t in (7, 9):
        draft.note(t, "monitor", Kind.INFO, "heartbeat", n=0, t_ns="soon")
    history = draft.history()
    first_one = next(event.index for event in history.events if event.data.get("t_ns") == "soon")
    garbled = "2 events carry a stamp that is no number of nanoseconds"
    verdict = asked("history-whole", history)
    assert (verdict.status, verdict.evidence) == (INVALID, [f"events:{first_one}"])
    assert said_of(verdict) == f"one file is cut off; another, too; {garbled}"


# -- checks that cannot be asked --------------------------------------------------------------------------------------


def test_all_the_books_that_are_missing_are_named() -> None:
    history = correct(3).history()
    books = {name: rows for name, rows in history.books.items() if name not in ("world", "oms")}
    wanted = because(UNKNOWN, "no-book", books=["world", "oms"])
    assert asked("cash-conserved", replace(history, books=books)) == wanted


def test_books_that_were_never_read_say_so() -> None:
    draft = correct(3)
    without("runner", "snapshot")(draft)
    wanted = because(UNKNOWN, "books-never-read")
    assert asked("cash-conserved", draft) == wanted


def test_a_checker_that_broke_is_unknown_and_says_what_broke() -> None:
    def broken(_: History) -> CheckResult:
        raise ZeroDivisionError

    verdict = run_check(Check("x", "", (), False, broken), correct(3).history())
    assert verdict.status == UNKNOWN
    assert said_of(verdict).startswith("the checker failed: ZeroDivisionError in ")


# -- cells that no checker filled -------------------------------------------------------------------------------------


def test_what_was_never_finished_is_a_standing_cell_that_names_every_part_and_is_the_same_when_asked_again() -> None:
    ((check, verdict),) = unfinished([Reason("one part broke"), Reason("another, too")])
    assert (verdict.status, said_of(verdict)) == (UNKNOWN, "one part broke; another, too")
    assert (check.id, check.invariant, check.validity) == ("judged-whole", "", True)
    assert run_check(check, correct(3).history()) == verdict


@pytest.mark.parametrize(
    ("left_out", "says", "events"),
    [
        (("runbook", "step"), "nobody opened the runbook", []),
        (("step",), "no step of the runbook was begun", [("operator", "runbook", Kind.INVOKE, at(8.3))]),
    ],
)
def test_a_page_nobody_followed_is_a_standing_cell_that_shows_how_far_it_came_and_is_the_same_when_asked_again(
    left_out: tuple[str, ...], says: str, events: list[tuple[str, str, Kind, int]]
) -> None:
    draft = correct(3)
    for what in left_out:
        without("operator", what)(draft)
    history = draft.history()
    ((check, verdict),) = unfollowed(history)
    assert (verdict.status, said_of(verdict), shown(history, verdict)) == (UNKNOWN, says, events)
    assert (check.id, check.invariant, check.validity) == ("runbook-was-followed", "", True)
    assert run_check(check, history) == verdict


def test_a_check_that_nobody_knows_says_the_same_when_asked_again() -> None:
    history = made.replanned(correct(3), checks=["no-such-check"]).history()
    check, verdict = run_checks(history)[-1]
    assert (check.id, verdict) == ("no-such-check", because(UNKNOWN, "no-such-check"))
    assert run_check(check, history) == verdict


# -- a night whose calendar names no opening --------------------------------------------------------------------------


def test_where_the_calendar_names_no_opening_nobody_can_tell_of_a_batch_left_undone_nor_of_the_gate() -> None:
    draft = correct_night(1)
    place, _ = first(draft.world, Calendar)
    change(draft.world, place, opening_at="")
    unnamed = because(UNKNOWN, "night.no-opening")
    assert asked("opening-gate", draft) == unnamed
    assert asked("batch-complete-in-order", draft).status == PASS
    draft.oms = [row for row in draft.oms if getattr(row, "job", "") not in nights.JOBS[3:]]
    verdict = asked("batch-complete-in-order", draft)
    says = "the observation ended at no known time before the opening with statements, opening-gate not done"
    assert (verdict.status, said_of(verdict)) == (UNKNOWN, says)
    assert asked("opening-gate", draft) == unnamed
