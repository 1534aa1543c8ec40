"""A run that cannot judge never passes, and says why in words."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from drills.cards import score
from drills.domains.registry import DOMAINS
from drills.judge.check import Check, run_check
from drills.judge.outage import lateness_p99
from drills.record.history import NS, CheckResult, History, Kind, Status

from . import synthetic as made
from .judging import CHECKS
from .made_histories import correct_whole
from .synthetic import Draft, at, correct
from .words import said as said_of


def events_without(draft: Draft, actor: str, what: str) -> None:
    draft.events = [event for event in draft.events if not (event[1] == actor and event[3] == what)]


@pytest.mark.parametrize("book", ["world", "customers", "exchange", "oms", "notices"])
def test_missing_book_is_unknown_with_the_reason(book: str) -> None:
    history = correct(3).history(without=book)
    for check in CHECKS.values():
        if book in check.needs_books and set(check.needs_books) <= {*history.run.books}:
            verdict = run_check(check, history)
            assert (verdict.status, said_of(verdict)) == (Status.UNKNOWN, f"cannot tell: no book {book}")
    card = score(history, None)
    assert (card.verdict, card.grade) == (Status.UNKNOWN, None)


def test_books_that_were_never_read_at_an_end_are_unknown() -> None:
    draft = correct(3)
    events_without(draft, "runner", "snapshot")
    assert run_check(CHECKS["cash-conserved"], draft.history()).status == Status.UNKNOWN


def test_checker_that_raises_is_unknown_and_the_others_still_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: History) -> CheckResult:
        raise ZeroDivisionError("by accident")

    was = CHECKS["cash-conserved"]
    monkeypatch.setitem(DOMAINS.checks, was.id, Check(was.id, was.invariant, was.needs_books, was.validity, broken))
    card = score(correct_whole(3).history(), None)
    said = {check.id: check for check in card.checks}
    assert said_of(said["cash-conserved"]) == "the checker failed: ZeroDivisionError in drills.judge.check.run_check"
    assert said["cash-conserved"].verdict == Status.UNKNOWN
    assert card.verdict == Status.UNKNOWN
    assert said["no-duplicates"].verdict == Status.PASS


def test_check_that_nobody_knows_is_unknown() -> None:
    draft = made.replanned(correct(3), checks=["no-such-check"])
    card = score(draft.history(), None)
    assert card.verdict == Status.UNKNOWN
    assert card.checks[-1].id == "no-such-check"


def test_run_with_nothing_to_judge_is_unknown() -> None:
    draft = made.replanned(correct(3), checks=[], objectives=[])
    assert score(draft.history(), None).verdict == Status.UNKNOWN


def test_events_numbered_with_a_gap_are_damage() -> None:
    history = correct(3).history()
    events = tuple(msgspec.structs.replace(e, index=e.index + 1) if e.index > 9 else e for e in history.events)
    assert run_check(CHECKS["history-whole"], replace(history, events=events)).status == Status.INVALID


@pytest.mark.parametrize("arm", ["no-fault", "false-alarm"])
def test_false_page_fails_the_arms_without_a_fault(arm: str) -> None:
    draft = correct(3, arm)
    made.alert(draft, 9)
    verdict = run_check(CHECKS["no-page"], draft.history())
    assert verdict.status == Status.FAIL
    assert draft.history().events[int(verdict.evidence[0].partition(":")[2])].what == "alert"
    card = score(draft.history(), None)
    assert (card.verdict, card.grade) == (Status.FAIL, "major-challenges")


def test_alert_of_another_rule_is_no_false_page() -> None:
    draft = correct(3, "no-fault")
    made.alert(draft, 9, "DiskFull")
    assert score(draft.history(), None).verdict == Status.PASS


def test_injection_in_an_arm_without_a_fault_is_invalid() -> None:
    draft = correct(3, "no-fault")
    draft.note(9, "fault:0", Kind.INVOKE, "inject")
    assert run_check(CHECKS["nothing-injected"], draft.history()).status == Status.INVALID
    assert score(draft.history(), None).verdict == Status.INVALID


def test_service_lost_without_a_fault_fails() -> None:
    draft = correct(3, "no-fault")
    draft.spoil("orders", 9, 10)
    card = score(draft.history(), None)
    assert {o.id: o.verdict for o in card.objectives}["service_s"] == Status.FAIL
    assert card.verdict == Status.FAIL


def test_chance_in_the_arrivals_is_no_shortfall() -> None:
    """A Poisson load of 25/s over 26 s is 650 ± 25; a rule of 95 % sharp would call many a full load short."""
    for seed in range(20):
        assert run_check(CHECKS["load-reached-its-rate"], correct(seed).history()).status == Status.PASS


def test_lateness_is_a_percentile_by_nearest_rank() -> None:
    draft = correct(3)
    draft.samples = [[at(n / 100), at(n / 100) + n * 1000, at(n / 100) + NS, 0, 0, n] for n in range(1, 101)]
    assert lateness_p99(draft.history()) == 99_000
