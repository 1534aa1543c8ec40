"""The vacuity table: a run that saw nothing, or not all, has its verdict and its reason in words, and never a pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from drills.cards import judge, score
from drills.domains.registry import DOMAINS
from drills.judge import score as judging
from drills.judge.check import Check
from drills.record.history import (
    NS,
    OUTCOMES,
    CheckResult,
    History,
    Kind,
    Objective,
    RequestOutcome,
    RunEnd,
    Samples,
    Status,
)

from . import synthetic as made
from .defects import lost_order
from .judging import CHECKS
from .made_histories import correct_whole
from .nights import correct_night
from .plants import own_error, unaccounted
from .runfolder import whole_run
from .synthetic import END, FAULT, Draft, at, correct
from .words import limits_of
from .words import said as said_of

UNKNOWN, INVALID, FAIL = Status.UNKNOWN, Status.INVALID, Status.FAIL
Plant = Callable[[Draft], None]


def without(actor: str, what: str) -> Plant:
    def plant(draft: Draft) -> None:
        draft.events = [event for event in draft.events if not (event[1] == actor and event[3] == what)]

    return plant


def then(*plants: Plant) -> Plant:
    def plant(draft: Draft) -> None:
        for one in plants:
            one(draft)

    return plant


def noting(t: float, actor: str, kind: Kind, what: str, **data: object) -> Plant:
    return lambda draft: draft.note(t, actor, kind, what, **data)


def ended(reason: str) -> Plant:
    def plant(draft: Draft) -> None:
        draft.run = msgspec.structs.replace(draft.run, end=RunEnd(at(END), reason))

    return plant


def clocks(**offsets: int) -> Plant:
    def plant(draft: Draft) -> None:
        draft.run = msgspec.structs.replace(draft.run, clock=offsets)

    return plant


def killed(draft: Draft) -> None:
    """Half-way, without a word: no end, no books, and samples as far as they were written."""
    draft.run = msgspec.structs.replace(draft.run, end=None)
    draft.events = [event for event in draft.events if event[0] < at(12)]
    draft.samples = [sample for sample in draft.samples if sample[0] < at(12)]
    for book in (draft.customers, draft.exchange, draft.oms, draft.notices):
        book.clear()


def silent(start: float, end: float) -> Plant:
    def plant(draft: Draft) -> None:
        draft.events = [e for e in draft.events if not (e[3] == "heartbeat" and at(start) < e[0] < at(end))]

    return plant


def load_thinned(draft: Draft) -> None:
    draft.samples = [sample for n, sample in enumerate(sorted(draft.samples)) if n % 4]


def load_cut(draft: Draft) -> None:
    draft.samples = [sample for sample in draft.samples if sample[0] < at(18)]


def one_service_idle(draft: Draft) -> None:
    draft.samples = [sample for sample in draft.samples if sample[4] == 0]


def no_load(draft: Draft) -> None:
    draft.samples = []


def late_load(draft: Draft) -> None:
    for sample in draft.samples[::50]:
        sample[1] += 60_000_000
        sample[2] = max(sample[2], sample[1] + 1)


def dropping_load(draft: Draft) -> None:
    for sample in draft.samples[:5]:
        sample[1:4] = [0, 0, OUTCOMES.index(RequestOutcome.DROPPED)]


def damaged(says: str) -> Plant:
    return lambda draft: draft.damage.append(says)


def alerts(*found: tuple[float, str]) -> Plant:
    def plant(draft: Draft) -> None:
        without("monitor", "alert")(draft)
        for t, rule in found:
            made.alert(draft, t, rule)

    return plant


def snapshot_before_the_load(draft: Draft) -> None:
    without("runner", "snapshot")(draft)
    draft.note(-0.5, "runner", Kind.INVOKE, "snapshot")


def stamp_garbled(draft: Draft) -> None:
    draft.note(3, "monitor", Kind.INFO, "heartbeat", n=0, t_ns="soon")


def asking(**fields: object) -> Plant:
    def plant(draft: Draft) -> None:
        draft.plan = msgspec.structs.replace(draft.plan, **fields)

    return plant


def nobody_alerted_and_gap(draft: Draft) -> None:
    alerts()(draft)
    silent(15, 18)(draft)


def undone(kind: Kind | None) -> Plant:
    def plant(draft: Draft) -> None:
        without("fault:0", "verify_removed")(draft)
        if kind is not None:
            draft.note(END + 3.2, "fault:0", kind, "verify_removed")

    return plant


NO_INJECTION = without("fault:0", "inject")
NO_WITNESS = without("fault:0", "verify_effect")
NO_BASELINE = without("runner", "baseline")

VACUOUS: dict[str, tuple[Plant, Status, str, str]] = {  # verdict, the cell that gives it, its words
    "no fault injected": (NO_INJECTION, INVALID, "fault-really-happened", "0 of 1 faults injected and witnessed"),
    "injection failed": (
        then(NO_INJECTION, noting(FAULT, "fault:0", Kind.FAIL, "inject")),
        INVALID, "fault-really-happened", "0 of 1 faults injected and witnessed",
    ),
    "no fault witnessed": (NO_WITNESS, INVALID, "fault-really-happened", "0 of 1 faults injected and witnessed"),
    "witness saw nothing": (
        then(NO_WITNESS, noting(FAULT + 0.05, "fault:0", Kind.FAIL, "verify_effect")),
        INVALID, "fault-really-happened", "0 of 1 faults injected and witnessed",
    ),
    "witness could not tell": (
        then(NO_WITNESS, noting(FAULT + 0.05, "fault:0", Kind.OK, "verify_effect", effect_seen=None)),
        INVALID, "fault-really-happened", "0 of 1 faults injected and witnessed",
    ),
    "no fault planned": (asking(faults=[]), INVALID, "fault-really-happened", "no fault was planned"),
    "fault still injected": (undone(Kind.FAIL), INVALID, "nothing-still-injected", "1 of 1 faults not seen gone"),
    "never looked whether it is gone": (undone(None), INVALID, "nothing-still-injected", "1 of 1 faults not seen gone"),
    "load below its rate": (load_thinned, INVALID, "load-reached-its-rate", "arrivals of orders: 529 of 650"),
    "truncated samples": (load_cut, INVALID, "load-reached-its-rate", "arrivals of orders: 4"),
    "one service never asked": (one_service_idle, INVALID, "load-reached-its-rate", "arrivals of inquiry: 0 of 910"),
    "no load": (no_load, INVALID, "load-on-time", "no request was sent"),
    "no service planned": (asking(services={}), INVALID, "load-reached-its-rate", "no service was to be asked"),
    "load late": (late_load, INVALID, "load-on-time", "sent late by 0.06"),
    "load dropped": (dropping_load, INVALID, "load-on-time", "5 of 1"),
    "monitor dead": (without("monitor", "heartbeat"), INVALID, "monitoring-had-no-gap", "the monitor was never heard"),
    "monitor gapped": (silent(15, 18), INVALID, "monitoring-had-no-gap", "longest silence of the monitor 3.0 s"),
    "monitor died": (silent(END - 2.6, 99), INVALID, "monitoring-had-no-gap", "longest silence of the monitor 3.0 s"),
    "monitor came late": (silent(-9, 2.4), INVALID, "monitoring-had-no-gap", "longest silence of the monitor 2.5 s"),
    "baseline bad": (
        then(NO_BASELINE, noting(0, "runner", Kind.INVOKE, "baseline"), noting(5, "runner", Kind.FAIL, "baseline")),
        INVALID, "baseline-good", "the baseline was not good",
    ),
    "no baseline": (NO_BASELINE, INVALID, "baseline-good", "no baseline was taken"),
    "harness killed half-way": (killed, INVALID, "run-ended", "the run did not end"),
    "Ctrl-C": (ended("interrupted"), INVALID, "run-ended", "ended: interrupted"),
    "terminated": (ended("terminated"), INVALID, "run-ended", "ended: terminated"),
    "hung up": (ended("hung-up"), INVALID, "run-ended", "ended: hung-up"),
    "internal error": (ended("error"), INVALID, "run-ended", "ended: error"),
    "stopped at the baseline": (ended("baseline"), INVALID, "run-ended", "ended: baseline"),
    "clock jumped": (
        clocks(start=10**18, end=10**18 + NS + 1), INVALID, "one-clock", "wall clock moved 1.0 s against",
    ),
    "clock jumped back": (
        clocks(start=10**18, end=10**18 - 2 * NS), INVALID, "one-clock", "wall clock moved 2.0 s against",
    ),
    "clock not recorded": (clocks(start=10**18), UNKNOWN, "one-clock", "clock offsets were not recorded at both ends"),
    "truncated book": (
        damaged("books/oms.jsonl line 9 is cut off"), INVALID, "history-whole", "books/oms.jsonl line 9 is cut off",
    ),
    "answer garbled": (
        noting(16, "operator", Kind.OK, "step", id="tell", outcome="ok", changed=True, answered="soon", waited_ns=0),
        INVALID, "history-whole", "1 events carry a stamp that is no number",
    ),
    "stamp garbled": (stamp_garbled, INVALID, "history-whole", "1 events carry a stamp that is no number"),
    "books never read": (
        then(without("runner", "snapshot"), ended("judged")),
        UNKNOWN, "cash-conserved", "cannot tell: the books were never read at an end",
    ),
    "ended before it began": (
        snapshot_before_the_load, INVALID, "load-reached-its-rate", "nothing was observed",
    ),
    "alerts for another fault only": (alerts((8.1, "DiskFull")), FAIL, "detect", "t_alert: did not happen"),
    "alert before the fault only": (
        then(alerts((6, "LinkSilent")), asking(reaction=at(8.3) - at(6))), FAIL, "detect", "t_alert: did not happen",
    ),
    "alert after the end only": (alerts((END + 1, "LinkSilent")), FAIL, "detect", "t_alert: did not happen"),
    "no alert, and nobody listened": (
        nobody_alerted_and_gap, INVALID, "monitoring-had-no-gap", "longest silence of the monitor 3.0 s",
    ),
    "generator out of descriptors": (
        own_error("load"), INVALID, "own-parts-sound", "load: 1 × too many open files; first of load: accept on x",
    ),
    "proxy gave no account": (
        unaccounted("proxy"), INVALID, "own-parts-sound", "no account of their own errors by proxy",
    ),
    "nothing asked": (asking(checks=[], objectives=[]), UNKNOWN, "", ""),
    "check that nobody knows": (asking(checks=["x"]), UNKNOWN, "x", "no such check in this version"),
    "metric that nobody knows": (asking(objectives=[Objective("x", 1, "s")]), UNKNOWN, "x", ""),
}  # fmt: skip


def says(history: History, cell: str) -> tuple[Status | None, str]:
    """What the card's cell says; an objective speaks through the limits."""
    card = score(history, None)
    for check in card.checks:
        if check.id == cell:
            return check.verdict, said_of(check)
    return next((one.verdict for one in card.objectives if one.id == cell), None), "; ".join(limits_of(card))


@pytest.mark.parametrize("name", VACUOUS)
def test_run_that_cannot_judge_does_not_pass_and_says_why(name: str) -> None:
    plant, verdict, cell, words = VACUOUS[name]
    draft = correct(3)
    plant(draft)
    history = draft.history()
    card = score(history, None)
    assert card.verdict == verdict
    assert card.grade == ("major-challenges" if verdict == FAIL else None)
    if cell:
        status, said = says(history, cell)
        assert status == verdict
        assert words in said
    if verdict == UNKNOWN and cell in CHECKS:
        assert any(line.startswith(f"{cell}: ") for line in limits_of(card))


def test_empty_history_is_invalid() -> None:
    empty = History(correct(3).run, (), Samples.empty(), {})
    card = score(empty, None)
    assert (card.verdict, card.grade) == (INVALID, None)
    assert {check.id: said_of(check) for check in card.checks}["history-whole"] == "no events"
    assert not [check.id for check in card.checks if check.verdict == Status.PASS and not check.validity]


@pytest.mark.parametrize("book", ["world", "customers", "exchange", "oms", "notices"])
def test_missing_book_is_unknown_with_its_name(book: str) -> None:
    history = correct(3).history(without=book)
    card = score(history, None)
    assert (card.verdict, card.grade) == (UNKNOWN, None)
    blind = {check.id for check in card.checks if check.verdict == UNKNOWN}
    assert blind == {check.id for check in CHECKS.values() if check.id in made.CHECKS and book in check.needs_books}
    assert all(f"{name}: cannot tell: no book {book}" in limits_of(card) for name in blind)


def test_night_without_the_bank_s_book_is_unknown_where_it_is_needed() -> None:
    """Nobody can tell what customers who repay could rightly be shown, nor whether what they acted on was wrong."""
    card = score(correct_night(3).history(without="bank"), None)
    said = {check.id: (check.verdict, said_of(check)) for check in card.checks}
    assert said["figures-right"][0] == UNKNOWN
    assert said["no-wrong-figure-acted-on"][0] == UNKNOWN
    assert "on figures that nobody can decide" in said["no-wrong-figure-acted-on"][1]
    assert (card.verdict, card.grade) == (UNKNOWN, None)


def test_events_numbered_with_a_gap_are_invalid() -> None:
    history = correct(3).history()
    events = tuple(msgspec.structs.replace(e, index=e.index + 1) if e.index > 9 else e for e in history.events)
    card = score(replace(history, events=events), None)
    assert card.verdict == INVALID
    assert {check.id: check.evidence for check in card.checks}["history-whole"] == ["events:10"]


# -- a judge that breaks ----------------------------------------------------------------------------------------------


def broken(*_: object) -> CheckResult:
    raise ZeroDivisionError("by accident")


def test_checker_that_raises_is_unknown_and_the_others_still_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    was = CHECKS["cash-conserved"]
    monkeypatch.setitem(DOMAINS.checks, was.id, Check(was.id, was.invariant, was.needs_books, was.validity, broken))
    card = score(correct_whole(3).history(), None)
    said = {check.id: (check.verdict, said_of(check)) for check in card.checks}
    assert said["cash-conserved"] == (
        UNKNOWN,
        "the checker failed: ZeroDivisionError in drills.judge.check.run_check",
    )
    assert said["no-duplicates"][0] == Status.PASS
    assert (card.verdict, card.grade) == (UNKNOWN, None)


@pytest.mark.parametrize(("part", "name"), [
    ("instants", "instants"), ("judge_objectives", "objectives"), ("_load", "load"),
])  # fmt: skip
def test_part_of_the_judge_that_raises_costs_a_pass_and_not_the_card(
    monkeypatch: pytest.MonkeyPatch, part: str, name: str
) -> None:
    monkeypatch.setattr(judging, part, broken)
    card = score(correct(3).history(), None)
    why = f"the judge failed at {name}: ZeroDivisionError in drills.judge.attempt.make"
    assert (card.verdict, card.grade, card.prevented) == (UNKNOWN, None, False)
    assert (card.checks[-1].id, card.checks[-1].verdict, said_of(card.checks[-1])) == ("judged-whole", UNKNOWN, why)
    assert any(why in line for line in limits_of(card))
    assert card.number("service_s")
    assert card.load is None if part == "_load" else card.load
    cells = {one.verdict for one in card.objectives}
    assert UNKNOWN in cells or part == "_load"
    assert FAIL not in cells


def break_metric(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(DOMAINS.metrics, name, replace(DOMAINS.metrics[name], measure=broken))


def test_a_metric_that_raises_costs_a_pass_and_no_other_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    break_metric(monkeypatch, "service_s")
    card = score(correct_whole(3).history(), None)
    assert (card.verdict, card.value("service_s"), card.value("service_s", "after_alert")) == (UNKNOWN, None, None)
    assert card.number("acknowledged_orders")


def test_every_part_that_broke_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "instants", broken)
    break_metric(monkeypatch, "service_s")
    cell = score(correct_whole(3).history(), None).checks[-1]
    assert said_of(cell) == (
        "the judge failed at instants: ZeroDivisionError in drills.judge.attempt.make;"
        " the judge failed at metric service_s: ZeroDivisionError in drills.judge.metric.values"
    )
    assert (cell.invariant, cell.validity, cell.evidence) == ("", True, [])


def test_check_that_nobody_knows_is_no_standing_one() -> None:
    draft = made.replanned(correct(3), checks=["x"])
    cell = score(draft.history(), None).checks[-1]
    assert (cell.id, cell.invariant, cell.validity) == ("x", "", False)


def test_broken_judge_hides_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "instants", broken)
    draft = correct(3)
    lost_order(draft, draft.rng)
    card = score(draft.history(), None)
    assert (card.verdict, card.grade) == (FAIL, "unable")


def test_samples_of_unequal_length_cost_a_pass_and_not_the_card() -> None:
    history = correct(3).history()
    card = score(replace(history, samples=replace(history.samples, done=np.empty(0, np.int64))), None)
    assert card.verdict == UNKNOWN
    assert (card.load, card.value("service_s"), card.value("service_s", of="orders")) == (None, None, None)
    assert [line.partition(":")[0] for line in limits_of(card) if "the judge failed at instants" in line] == [
        "judged-whole", "t_contained", "t_available", "t_restored", "t_reconciled", "t_recovered",
    ]  # fmt: skip


def test_whole_judge_says_nothing_of_itself() -> None:
    assert "judged-whole" not in {check.id for check in score(correct(3).history(), None).checks}


# -- the order of verdicts --------------------------------------------------------------------------------------------


def late(draft: Draft) -> None:
    draft.plan = msgspec.structs.replace(draft.plan, objectives=[Objective("recover", 3, "s")])


def lost(draft: Draft) -> None:
    lost_order(draft, draft.rng)


@pytest.mark.parametrize(("plants", "verdict"), [
    ((lost, late_load, late), FAIL),  # damage to the books comes before everything
    ((lost, clocks(start=1)), FAIL),
    ((late_load, late), INVALID),
    ((late_load, clocks(start=1)), INVALID),
    ((late, clocks(start=1)), FAIL),
    ((clocks(start=1),), UNKNOWN),
    ((lost, own_error("load")), INVALID),  # but for a run whose own parts may have done it
    ((late, own_error("proxy")), INVALID),
    ((lost, killed), INVALID),  # nor does one that did not end accuse: its books may only not have been written yet
    ((lost, ended("interrupted")), INVALID),
    ((lost, damaged("books/exchange.jsonl line 9 is cut off")), INVALID),
])  # fmt: skip
def test_worst_cell_is_the_verdict(plants: tuple[Plant, ...], verdict: Status) -> None:
    draft = correct(3)
    for plant in plants:
        plant(draft)
    assert score(draft.history(), None).verdict == verdict


# -- run folders ------------------------------------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


@pytest.mark.parametrize(("file", "harm", "words"), [
    ("samples/done.npy", cut, "samples/done.npy cannot be read: cut off"),
    ("samples/outcome.npy", Path.unlink, "samples/outcome.npy is missing"),
    ("books/exchange.jsonl", cut, "books/exchange.jsonl line 3 is cut off"),
    ("books/exchange.jsonl", Path.unlink, "books/exchange.jsonl is missing"),
    ("books/world.jsonl", Path.unlink, "books/world.jsonl is missing"),
    ("events.jsonl", cut, "events.jsonl line 4 is cut off"),
    ("events.jsonl", Path.unlink, "events.jsonl is missing"),
    ("rollback.jsonl", cut, "rollback.jsonl line 2 is cut off"),
])  # fmt: skip
def test_folder_with_something_cut_off_or_missing_is_invalid(
    tmp_path: Path, file: str, harm: Callable[[Path], None], words: str
) -> None:
    folder = whole_run(tmp_path)
    harm(folder / file)
    card, _ = judge(folder)
    (whole,) = (check for check in card.checks if check.id == "history-whole")
    assert (card.verdict, card.grade, whole.verdict) == (INVALID, None, INVALID)
    assert words in said_of(whole)
