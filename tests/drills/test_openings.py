"""Runbooks that were opened before the right one: seen, dated, counted, and what they cost."""

from __future__ import annotations

import pytest

from drills.cards import score
from drills.judge.scorecard import Scorecard
from drills.judge.timeline import openings, steps_of
from drills.record.history import NS, CheckResult, Kind, Status

from . import synthetic as made
from .judging import instants, number, run_checks
from .synthetic import Draft, alert, at, correct, opened, step

REACTION_S = 0.2


def misled() -> Draft:
    """A symptom's alert leads elsewhere first; the right runbook, as always, at 8.3."""
    draft = correct(3)
    alert(draft, 7.2, rule="OrdersBurn", runbook="first-look")
    opened(draft, 7.4, runbook="first-look", rule="OrdersBurn", called=7.2)
    step(draft, "look", 7.5, 7.6, outcome="not-this", changed=False)
    draft.note(7.9, "operator", Kind.OK, "runbook", runbook="first-look", end="refused", opens=None)
    return draft


def planned(draft: Draft) -> CheckResult:
    return next(said for check, said in run_checks(draft.history()) if check.id == "ran-as-planned")


def card(draft: Draft) -> Scorecard:
    return score(draft.history(), None)


def test_each_is_there_with_what_led_to_it_and_its_own_steps() -> None:
    history = misled().history()
    first, right = openings(history)
    assert (first.runbook, first.alert, first.right, first.ended) == ("first-look", "OrdersBurn", False, "refused")
    assert (right.runbook, right.alert, right.right, right.ended) == ("link-down", "LinkSilent", True, "done")
    assert [one.id for one in steps_of(history, first)] == ["look"]
    assert [one.id for one in steps_of(history, right)] == ["close", "switch", "drain", "open"]


def test_the_runbook_s_milestone_is_the_right_one_and_the_time_before_it_is_measured() -> None:
    history = misled().history()
    runbook = instants(history).runbook
    assert runbook is not None
    assert runbook.earliest == at(8.3)
    assert (number(history, "runbooks_before_right"), number(history, "before_right_s")) == (1, round(0.9 * NS))
    plain = correct(3).history()
    assert (number(plain, "runbooks_before_right"), number(plain, "before_right_s")) == (0, 0)


def test_where_the_right_one_never_came_all_of_it_counts_and_nobody_says_that_it_was_followed() -> None:
    draft = misled()
    draft.events = [each for each in draft.events if each[3] != "runbook" or each[4]["runbook"] != "link-down"]
    history = draft.history()
    assert instants(history).runbook is None
    assert (number(history, "runbooks_before_right"), number(history, "before_right_s")) == (
        1, round((made.END - 7.4) * NS),
    )  # fmt: skip
    found = card(draft)
    assert (found.runbook, [each.runbook for each in found.operator.opened]) == (None, ["first-look"])
    assert found.verdict != Status.PASS


def test_harm_done_meanwhile_is_counted() -> None:
    draft = misled()
    wrong = made.shown("w1", "C-0001", 7.6, 1)
    draft.customers += [wrong, made.Acted(t_ns=at(7.7), id="a1", account="C-0001", shown="w1", yen=5, what="order")]
    late = made.shown("w2", "C-0001", 8.4, 1)
    draft.customers += [late, made.Acted(t_ns=at(8.5), id="a2", account="C-0001", shown="w2", yen=5, what="order")]
    history = draft.history()
    assert (number(history, "harm_before_right"), number(history, "harmful_actions")) == (1, 2)


def test_the_card_names_the_alerts_in_order_with_what_each_led_to() -> None:
    found = card(misled())
    assert [(one.rule, one.layer, one.opened, one.ended) for one in found.alerts] == [
        ("OrdersBurn", "cause", ["first-look"], "refused"), ("LinkSilent", "cause", ["link-down"], "done"),
    ]  # fmt: skip
    first, _ = found.operator.opened
    assert (found.operator.kind, first.alert, first.source) == ("robot", "OrdersBurn", None)


def test_a_wrong_runbook_that_was_closed_again_is_no_step_that_went_wrong() -> None:
    assert card(misled()).grade == card(correct(3)).grade == "performed"


def test_each_reaction_is_as_planned() -> None:
    assert planned(misled()).status == Status.PASS
    draft = misled()
    opened(draft, 16.0, runbook="other", rule="OrdersBurn", called=7.2)  # 1.7 s after the last one ended
    assert planned(draft).status == Status.INVALID


def test_one_that_another_opened_is_opened_a_reaction_after_it_ended() -> None:
    draft = misled()
    opened(draft, 14.3 + REACTION_S, runbook="other", rule="LinkSilent", called=8.1, by="link-down")
    assert planned(draft).status == Status.PASS


def test_a_reaction_to_an_alert_that_nobody_received_is_not_on_record() -> None:
    draft = correct(3)
    opened(draft, 16.0, runbook="other", rule="Rumour", called=15.8)
    assert planned(draft).status == Status.UNKNOWN


@pytest.mark.parametrize("labels", [None, 7, [], {"layer": 7}])
def test_labels_that_are_none_say_nothing_of_the_layer(labels: object) -> None:
    draft = correct(3)
    for event in draft.events:
        if event[3] == "alert":
            event[4]["labels"] = labels
    assert [one.layer for one in card(draft).alerts] == [None]
