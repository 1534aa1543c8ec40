"""What of the plan and of the run must stand on the card: its names, its instants, and why one of them is missing."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from drills.cards import score
from drills.judge import score as scoring
from drills.judge.scorecard import Scorecard
from drills.record.history import Status

from . import synthetic as made
from .judging import instants
from .synthetic import END, Draft, correct
from .words import limits_of
from .words import said as said_of

Plant = Callable[[Draft], None]


def card(draft: Draft) -> Scorecard:
    return score(draft.history(), None)


def test_what_the_plan_fixed_stands_on_the_card() -> None:
    fixed = {
        "variant": "b-side", "runbook_sha256": "1" * 64, "drill_sha256": "2" * 64,
        "arm": "without:switch", "seed": 7, "fidelity": "P",
    }  # fmt: skip
    told = card(made.replanned(correct(1), **fixed, operator="human"))
    found = msgspec.structs.asdict(told)
    assert {name: found[name] for name in fixed} == fixed
    assert told.operator.kind == "human"


def test_every_instant_stands_on_the_card_in_seconds_of_the_run() -> None:
    draft = correct(1)
    whole(draft)
    found, history = card(draft).instants, draft.history()
    at, t0 = instants(history), history.run.t0
    for name in ("inject", "impact", "alert", "declared", "runbook"):
        assert getattr(found, f"t_{name}") == getattr(at, name).seconds(t0)
    for name in ("contained", "available", "restored", "reconciled", "recovered"):
        assert getattr(found, f"t_{name}") == getattr(at, name).at.seconds(t0)
    assert None not in msgspec.structs.asdict(found).values()


def test_half_a_millisecond_of_a_span_is_rounded_upwards() -> None:
    """The fault is injected from 7.00 to 7.01 s."""
    draft = correct(1)
    (alert,) = (event[4] for event in draft.events if event[3] == "alert")
    alert["t_ns"] = made.at(8.1005)
    assert card(draft).span("detect_from_inject") == (1.091, 1.101)


def test_a_page_opened_without_a_name_has_none() -> None:
    draft = correct(1)
    for event in draft.events:
        if event[3] == "runbook":
            event[4].pop("runbook")
    found = card(draft).runbook
    assert found is not None
    assert found.id == ""


# -- parts that broke -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("instants", "instants"),
        ("judge_objectives", "objectives"),
        ("_load", "load"),
        ("cost", "cost"),
    ],
)
def test_a_judge_that_broke_names_the_part(monkeypatch: pytest.MonkeyPatch, part: str, name: str) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(scoring, part, broken)
    found = card(correct(1))
    assert found.verdict == Status.UNKNOWN
    assert said_of(found.checks[-1]).startswith(f"the judge failed at {name}: ZeroDivisionError in ")


def test_a_cost_that_could_not_be_reckoned_is_null_and_costs_no_other_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    whole = card(correct(1))
    monkeypatch.setattr(scoring, "cost", broken)
    found = card(correct(1))
    assert set(msgspec.structs.asdict(found.cost).values()) == {None}
    assert found.checks[:-1] == whole.checks
    assert (found.instants, found.load, found.alerts) == (whole.instants, whole.load, whole.alerts)
    assert found.value("service_s", of="orders") == whole.value("service_s", of="orders")


# -- why an instant is missing ----------------------------------------------------------------------------------------


def as_is(_: Draft) -> None:
    pass


def without(*whats: str) -> Plant:
    def plant(draft: Draft) -> None:
        draft.events = [event for event in draft.events if event[3] not in whats]

    return plant


def whole(draft: Draft) -> None:
    """Somebody declares it, and a customer is shown a wrong figure: no instant is missing."""
    made.step(draft, "declare", 8.35, 8.4)
    draft.customers.append(made.shown("w-1", "C-0001", 9, 1))


def unalerted(draft: Draft) -> None:
    whole(draft)
    without("alert")(draft)


def never_back(draft: Draft) -> None:
    whole(draft)
    draft.spoil("orders", 15, END + 1)


PREVENTED = "the impact was prevented: nothing bad was seen"
NOT_NEEDED = "there was nothing to recover from, the span is zero"
LIMITS: dict[str, tuple[str, bool, Plant, list[str]]] = {  # arm, whether the fault bites, what happened, the limits
    "no fault": ("no-fault", True, as_is, ["nothing was broken: instants and durations of a fault do not apply"]),
    "no injection": ("runbook", True, without("inject"), ["nothing was injected: no instant can be dated"]),
    "all of them": ("runbook", True, whole, []),
    "no alert": ("runbook", True, unalerted, ["t_alert: did not happen"]),
    "nobody acts and nothing is hit": (
        "no-action", False, as_is,
        [
            PREVENTED, "t_impact: did not happen", "t_declared: did not happen", "t_runbook: did not happen",
            *(f"t_{name}: {NOT_NEEDED}" for name in ("contained", "available", "restored", "reconciled", "recovered")),
        ],
    ),
    "never back": (
        "runbook", True, never_back,
        [f"t_{name}: did not happen while it was observed" for name in ("available", "restored", "recovered")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arm", "bites", "plant", "lines"), LIMITS.values(), ids=LIMITS)
def test_a_missing_instant_has_its_reason(arm: str, bites: bool, plant: Plant, lines: list[str]) -> None:
    draft = correct(1, arm, effect=bites)
    plant(draft)
    about = ("t_", "nothing was", "the impact")
    assert [line for line in limits_of(card(draft)) if line.startswith(about)] == lines


def test_an_instant_that_cannot_be_known_says_why_and_no_more() -> None:
    found = score(correct(1).history(without="exchange"), None)
    why = "cannot be known; no book exchange"
    assert [line for line in limits_of(found) if line.startswith("t_reconciled")] == [f"t_reconciled: {why}"]
