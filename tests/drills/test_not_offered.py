"""A target whose own file says that it has no books, operator or alerts: n/a and named; nothing else is forgiven."""

from __future__ import annotations

import msgspec
import pytest

from drills.cards import score
from drills.record.history import History, Objective
from drills.record.unsupported import THINGS

from .plants import Plant, failed_step, retried
from .synthetic import CHECKS, OBJECTIVES, Draft, correct, replanned
from .words import limits_of
from .words import said as said_of

SERVED = Objective("served_ratio", 0.5, "ratio", at_least=True)
RECOVER = Objective("recover", 15, "s")


def bare(draft: Draft, *unsupported: str, objectives: list[Objective] | None = None) -> History:
    """The same run on a target that keeps no books of its own and sends no alerts."""
    whole = replanned(draft, objectives=objectives or [RECOVER, SERVED]).history()
    run = msgspec.structs.replace(whole.run, books=["world", "customers"], unsupported=list(unsupported))
    events = [event for event in whole.events if event.actor != "monitor"]
    events = [msgspec.structs.replace(event, index=n) for n, event in enumerate(events)]
    books = {name: whole.books[name] for name in ("world", "customers")}
    return History(run, tuple(events), whole.samples, books)


def test_what_the_target_says_it_does_not_offer_is_named_and_exempt() -> None:
    card = score(bare(correct(arm="no-action"), *THINGS), "0" * 64)
    said = {check.id: (check.verdict, said_of(check)) for check in card.checks}
    assert {said[name][0] for name in CHECKS} == {"n/a"}
    assert said["monitoring-had-no-gap"] == ("n/a", "not offered by the target: alerts")
    assert said["cash-conserved"][1] == "not offered by the target: book oms"
    assert said["executions-one-to-one"][1] == "not offered by the target: book exchange, oms"
    assert card.verdict == "pass"
    assert card.grade == "performed"
    assert card.unsupported == list(THINGS)
    assert b"unsupported" not in msgspec.json.encode(score(correct().history(), None))
    assert [line.split(":")[0] for line in limits_of(card)[1:4]] == list(THINGS)
    assert not [line for line in limits_of(card) if line.endswith(": did not happen")]
    assert "t_reconciled: not offered by the target: books" in limits_of(card)


def test_where_nothing_is_broken_the_page_that_must_not_come_is_not_offered() -> None:
    card = score(bare(correct(arm="no-fault"), *THINGS), "0" * 64)
    (said,) = (check for check in card.checks if check.id == "no-page")
    assert (said.verdict, said_of(said)) == ("n/a", "not offered by the target: alerts")


def test_an_objective_names_all_that_it_lacks() -> None:
    history = bare(correct(arm="no-action"), *THINGS, objectives=[Objective("contain", 3, "s"), SERVED])
    assert "contain: not offered by the target: books; not offered by the target: alerts" in limits_of(
        score(history, "0" * 64)
    )


@pytest.mark.parametrize(
    ("plant", "grade"),
    [(lambda _: None, "performed"), (retried, "some-challenges"), (failed_step, "some-challenges")],
)
def test_without_alerts_the_grade_rests_on_how_the_steps_went(plant: Plant, grade: str) -> None:
    draft = correct()
    plant(draft)
    assert score(bare(draft, "books", "alerts"), "0" * 64).grade == grade


def test_recovery_is_then_good_service_and_nothing_else() -> None:
    card = score(bare(correct(arm="no-action"), *THINGS), "0" * 64)
    assert card.instants.t_recovered == card.instants.t_available is not None
    assert (card.instants.t_contained, card.instants.t_reconciled) == (None, None)
    assert card.prevented is False


def test_what_it_did_not_say_is_still_unknown() -> None:
    card = score(bare(correct(arm="no-action"), "operator"), "0" * 64)
    said = {check.id: check.verdict for check in card.checks}
    assert {said[name] for name in CHECKS} == {"unknown"}
    assert said["monitoring-had-no-gap"] == "invalid"
    assert card.verdict == "invalid"


def test_a_book_that_was_offered_and_lost_is_not_forgiven() -> None:
    history = bare(correct(arm="no-action"), *THINGS)
    run = msgspec.structs.replace(history.run, books=["world", "customers", "exchange", "oms", "notices"])
    card = score(History(run, history.events, history.samples, history.books), "0" * 64)
    assert {check.verdict for check in card.checks if check.id == "cash-conserved"} == {"unknown"}
    assert card.span("recover") is None


@pytest.mark.parametrize("metric", [one.id for one in OBJECTIVES if one.id not in ("recover", "served_ratio")])
def test_an_objective_on_it_is_neither_met_nor_missed(metric: str) -> None:
    (asked,) = (one for one in OBJECTIVES if one.id == metric)
    card = score(bare(correct(arm="no-action"), *THINGS, objectives=[asked, SERVED]), "0" * 64)
    assert [one.verdict for one in card.objectives] == ["n/a", "pass"]
    assert any(line.startswith(f"{metric}: not offered by the target: ") for line in limits_of(card))


def test_a_run_with_nothing_left_to_judge_is_no_pass() -> None:
    history = bare(correct(arm="no-action"), *THINGS, objectives=[Objective("detect", 3, "s")])
    assert score(history, "0" * 64).verdict == "unknown"


def test_bad_service_still_fails() -> None:
    draft = correct(arm="no-action")
    draft.spoil("orders", 20, 27)
    draft.spoil("inquiry", 20, 27)
    card = score(bare(draft, *THINGS, objectives=[RECOVER]), "0" * 64)
    assert (card.verdict, card.span("recover")) == ("fail", None)
