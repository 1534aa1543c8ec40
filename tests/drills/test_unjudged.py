"""A run that cannot judge claims nothing in its card, names its cause first, and does not call what follows a cause."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from drills.cards import score
from drills.domains.cash.rows import Balance
from drills.judge.scorecard import CannotJudgeCell
from drills.judge.unjudged import claiming_nothing
from drills.record.history import Status

from .synthetic import asked, change, correct, first
from .unjudged import HISTORIES, UNJUDGED, card_of, failed_half_way, only_began
from .words import said as said_of

every = pytest.mark.parametrize("name", UNJUDGED)


def numbers(cells: object) -> Iterator[float]:
    """All numbers of a part of the card, spans by their ends."""
    found = msgspec.to_builtins(cells)
    values = list(found.values()) if isinstance(found, dict) else list(found)
    for value in values:
        if isinstance(value, dict | list):
            yield from numbers(value)
        elif isinstance(value, int | float):
            yield value


@every
def test_its_card_claims_nothing(name: str) -> None:
    card, _ = card_of(name)
    assert card.verdict in ("unknown", "invalid")
    assert (card.grade, card.prevented) == (None, False)
    assert {one.verdict for one in card.objectives} <= {"unknown", "n/a"}
    assert all(one.measured is None or any(one.measured) for one in card.objectives)
    values = [cell.value for metric in card.metrics for cell in metric.values]
    assert not {0, (0, 0)} & set(values)
    assert (card.accepted, card.no_limit) == ([], [])
    if card.verdict == "invalid":
        assert set(values) == {None}
        assert {check.verdict for check in card.checks if not check.validity} <= {"unknown", "n/a"}


@every
def test_its_causes_are_cells_of_the_card_that_did_not_pass(name: str) -> None:
    card, _ = card_of(name)
    assert card.cannot_judge is not None
    assert card.cannot_judge.causes
    cells = {cell.id: cell.verdict for cell in [*card.objectives, *card.checks]}
    assert {cells[cause] for cause in card.cannot_judge.causes} <= {"unknown", "invalid"}


@every
def test_twice_is_once(name: str) -> None:
    card, _ = card_of(name)
    assert claiming_nothing(card) == card


CAUSES = {
    "target never healthy": (["run-ended"], "run-ended.error.start"),
    "no descriptors": (["run-ended"], "run-ended.error.descriptors"),
    "nobody logged in": (["run-ended"], "run-ended.error.login"),
    "failed later": (["run-ended"], "run-ended.error.later"),
    "not labelled": (["run-ended"], "run-ended.refused"),
    "baseline": (["baseline-good"], "baseline-good"),
    "killed": (["run-ended", "nothing-still-injected"], "run-ended.killed"),
    "Ctrl-C": (["run-ended"], "run-ended.interrupted"),
    "without requests": (["load-on-time"], "load-on-time.nobody-came"),
    "without monitor": (["monitoring-had-no-gap"], "monitoring-had-no-gap"),
    "unwitnessed": (["fault-really-happened"], "fault-really-happened"),
    "failed half-way": (["fault-really-happened", "nothing-still-injected"], "fault-really-happened"),
    "late load": (["load-on-time"], "load-on-time"),
    "no clock": (["one-clock"], "one-clock"),
    "no book": (["orders-accounted"], "orders-accounted"),
    "limit within": (["recover"], "objective.within"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_and_its_fix(name: str) -> None:
    found = card_of(name)[0].cannot_judge
    assert found is not None
    assert (found.causes, found.fix) == CAUSES[name]


def test_what_follows_is_counted() -> None:
    card, _ = card_of("target never healthy")
    answered = [check for check in card.checks if check.validity and check.verdict in ("pass", "n/a")]
    assert card.cannot_judge == CannotJudgeCell(
        causes=["run-ended"],
        fix="run-ended.error.start",
        checks=len(card.checks) - len(answered) - 1,
        objectives=len(card.objectives),
    )
    within = card_of("limit within")[0].cannot_judge
    assert within is not None
    assert (within.checks, within.objectives) == (0, 0)


def test_a_card_of_before_is_freed_of_its_claims_as_well() -> None:
    whole = score(correct(3).history(), None)
    found = claiming_nothing(msgspec.structs.replace(whole, verdict=Status.INVALID))
    assert {one.verdict for one in found.objectives} == {"unknown"}
    assert found.value("service_s") is None
    assert claiming_nothing(whole) == whole


def test_what_was_never_injected_is_not_left_although_it_was_undone() -> None:
    verdict = asked("nothing-still-injected", only_began("error", "x"))
    assert (verdict.status, said_of(verdict)) == ("pass", "nothing was injected")


def test_an_injection_that_failed_half_way_is_left_until_it_is_seen_gone() -> None:
    verdict = asked("nothing-still-injected", failed_half_way())
    assert (verdict.status, said_of(verdict)) == ("invalid", "1 of 1 faults not seen gone: run `kunren heal`")


@pytest.mark.parametrize("name", ["without monitor, no fault", "target never healthy, no fault"])
def test_no_page_is_unknown_where_the_monitor_was_not_heard(name: str) -> None:
    assert asked("no-page", HISTORIES[name]()).status == "unknown"


def test_a_service_that_nobody_asked_is_not_known_to_have_been_there() -> None:
    draft = correct(3, effect=False)
    draft.samples = [sample for sample in draft.samples if sample[4] == 0]
    draft.plan = msgspec.structs.replace(draft.plan, checks=["cash-conserved"])
    place, balance = first(draft.oms, Balance)
    change(draft.oms, place, cash=balance.cash + 1)  # an integrity failure comes before everything
    card = score(draft.history(), None)
    assert card.verdict == "fail"
    assert [card.value(name) for name in ("service_s", "planned_closure_s")] == [None, None]
    assert not card.prevented
    assert {one.id: one.verdict for one in card.objectives}["recover"] == "unknown"
