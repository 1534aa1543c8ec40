"""Customers who insist: how often they come again, under which keys, with which ticket, and when they give up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from load_fake import Asked, FakeBrokerage, Says
from load_rig import SMALL, Ran, run, with_habits

from drills.domains.customers.rows import Request
from loadprofiles.arrivals import schedule
from loadprofiles.insisting import retry_after
from loadprofiles.profiles import PROFILES, Behaviour, Insistence, Patience, Profile
from loadprofiles.replies import Answer, comes_again, outcome_of
from loadprofiles.samples import OutcomeCode

QUICK = Insistence(hammer_after_s=(0.01, 0.02), back_off_s=(0.01, 0.02), cancel=0.0)
BUSY = {"error": "BUSY", "says": "the queue is full"}
ROOM = {"error": "WAITING_ROOM", "ticket": "W-000001", "retry_after_s": 0.1, "ahead": 3}


def insisting(**habits: object) -> Profile:
    return with_habits(replace(SMALL, services={"orders": 20.0}), insistence=replace(QUICK, **habits))  # type: ignore[arg-type]


def orders(ran: Ran) -> list[Request]:
    return [row for row in ran.of(Request) if row.action == "order"]


def answer(status: int, outcome: OutcomeCode, **data: object) -> Answer:
    return Answer(1, outcome, status, data, 0, 0)


@pytest.mark.parametrize(
    ("status", "outcome", "data", "again"),
    [
        (201, OutcomeCode.OK, {}, False),
        (422, OutcomeCode.REJECT, {}, False),
        (503, OutcomeCode.CLOSED, {"error": "SERVICE_CLOSED"}, False),
        (503, OutcomeCode.CLOSED, {"error": "WAITING_ROOM"}, True),
        (503, OutcomeCode.ERROR, {"error": "BUSY"}, True),
        (500, OutcomeCode.ERROR, {}, False),
        (0, OutcomeCode.TIMEOUT, {}, True),
        (0, OutcomeCode.RESET, {}, True),
        (0, OutcomeCode.REFUSED, {}, True),
        (504, OutcomeCode.UNKNOWN, {}, True),
    ],
)
def test_who_comes_again(status: int, outcome: OutcomeCode, data: dict[str, object], again: bool) -> None:
    assert comes_again(answer(status, outcome, **data)) is again


def test_a_place_in_the_waiting_room_is_an_order_that_is_surely_not_in() -> None:
    assert outcome_of("order", 503, ROOM) is OutcomeCode.CLOSED
    assert outcome_of("order", 503, BUSY) is OutcomeCode.ERROR


@pytest.mark.parametrize(
    ("said", "seconds"), [(2, 2.0), (0.25, 0.25), (0, 0.1), (99, 10.0), ("soon", 1.0), (True, 1.0)]
)
def test_when_to_come_again(said: object, seconds: float) -> None:
    assert retry_after(answer(503, OutcomeCode.CLOSED, retry_after_s=said)) == seconds


def test_each_intent_is_tried_so_often_and_about_half_are_typed_anew(tmp_path: Path) -> None:
    with FakeBrokerage(lambda asked: Says(503, BUSY) if asked.path == "/orders" else None) as fake:
        ran = run(tmp_path, fake, insisting(retries=4), arrivals=40)
    tries = Counter(row.root for row in orders(ran))
    whole = [n for n in tries.values() if n == 5]
    assert max(tries.values()) == 5
    assert len(whole) >= 0.7 * len(tries)  # the last ones were still at it
    keys = {row.root: {each.key for each in orders(ran) if each.root == row.root} for row in orders(ran)}
    anew = sum(len(found) - 1 for found in keys.values()) / (sum(tries.values()) - len(tries))
    assert 0.3 < anew < 0.7
    assert len(ran.samples) < len(orders(ran))  # what follows from the first try enters no rate


def test_the_same_order_sent_again_costs_the_customer_nothing_more(tmp_path: Path) -> None:
    with FakeBrokerage(lambda asked: Says(503, BUSY) if asked.path == "/orders" else None) as fake:
        ran = run(tmp_path, fake, insisting(retype=0.0), arrivals=20)
    assert all(row.key == row.root for row in orders(ran))


def test_who_has_a_ticket_comes_again_with_it_and_is_let_in(tmp_path: Path) -> None:
    def script(asked: Asked) -> Says | None:
        if asked.path == "/orders" and "waiting-ticket" not in asked.headers:
            return Says(503, ROOM)
        return None

    with FakeBrokerage(script) as fake:
        ran = run(tmp_path, fake, insisting(retype=1.0), arrivals=20)
    came = [asked for asked in fake.paths("/orders") if "waiting-ticket" in asked.headers]
    assert came
    assert {asked.headers["waiting-ticket"] for asked in came} == {"W-000001"}
    assert all(row.key == row.root for row in orders(ran))
    assert set(ran.outcomes()) == {OutcomeCode.CLOSED}


def test_patience_for_the_room_ends(tmp_path: Path) -> None:
    with FakeBrokerage(lambda asked: Says(503, ROOM) if asked.path == "/orders" else None) as fake:
        ran = run(tmp_path, fake, insisting(wait_s=(0.25, 0.3)), arrivals=40)
    tries = Counter(row.root for row in orders(ran))
    assert 2 <= max(tries.values()) <= 5


def test_some_think_again(tmp_path: Path) -> None:
    with FakeBrokerage() as fake:
        ran = run(tmp_path, fake, insisting(cancel=1.0, cancel_after_s=(0.01, 0.02)), arrivals=20)
    assert fake.paths("/orders/")[0].path.endswith("/cancel")
    assert {row.action for row in ran.of(Request)} >= {"order", "cancel"}


def test_patience_of_a_range_is_each_customer_s_own() -> None:
    patience = Patience(total_s=3.0, total_most_s=5.0)
    assert (patience.of(0.0).total_s, patience.of(0.5).total_s, patience.longest_s) == (3.0, 4.0, 5.0)
    assert Patience().of(0.7) == Patience()
    with pytest.raises(ValueError, match="less so than the others"):
        Profile("x", {"orders": 1.0}, patience=Patience(total_s=3.0, total_most_s=2.0))


def test_insistence_is_a_habit_of_campaigns_alone() -> None:
    found = {name for name, profile in PROFILES.items() if profile.behaviour.insistence is not None}
    assert found == {"campaign", "news", "opening-rush"}
    assert Behaviour().insistence is None
    assert len(schedule(PROFILES["campaign"], 7, 10)) > 90
