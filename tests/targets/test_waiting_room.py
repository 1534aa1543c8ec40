"""The waiting room: in which order, how many at a time, and who has lost his place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from targets.brokerage.api import room as waiting
from targets.brokerage.api.queuepage import place_page
from targets.brokerage.api.room import WaitingRoom
from targets.brokerage.api.roombook import read_book
from targets.brokerage.api.rules import Refusal
from targets.brokerage.config import Config

from .stack import make_config


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def monotonic_ns(self) -> int:
        return int(self.now * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return make_config(tmp_path, {}, {})


@pytest.fixture
def room(config: Config, clock: Clock) -> Iterator[WaitingRoom]:
    made = WaitingRoom(config)
    yield made
    made.close()


def comes(room: WaitingRoom, customer: str, ticket: str = "") -> Refusal | None:
    try:
        room.enter(customer, f"key-{customer}", ticket)
    except Refusal as refusal:
        return refusal
    return None


def ticket_of(room: WaitingRoom, customer: str, ticket: str = "") -> str:
    refusal = comes(room, customer, ticket)
    assert refusal is not None
    return str(refusal.fields["ticket"])


def test_a_closed_room_lets_everybody_in_and_writes_nothing(room: WaitingRoom, config: Config) -> None:
    assert all(comes(room, customer) is None for customer in "abc")
    assert comes(room, "d", "W-000009") is None
    assert read_book(config) == []


def test_so_many_a_second_in_the_order_of_their_tickets(room: WaitingRoom, clock: Clock) -> None:
    room.let_in(2.0)
    tickets = [ticket_of(room, customer) for customer in "abcd"]
    assert tickets == ["W-000001", "W-000002", "W-000003", "W-000004"]
    clock.now += 1.0
    later = ticket_of(room, "c", tickets[2])  # not called yet: still the same place
    assert later == tickets[2]
    assert comes(room, "b", tickets[1]) is None
    assert comes(room, "a", tickets[0]) is None
    assert ticket_of(room, "e") == "W-000005"
    clock.now += 1.0
    assert [comes(room, *pair) for pair in (("c", tickets[2]), ("d", tickets[3]))] == [None, None]


def test_who_comes_is_told_how_many_are_before_and_when_to_come_again(room: WaitingRoom) -> None:
    room.let_in(2.0)
    first = comes(room, "first")
    assert first is not None
    assert (first.status, first.code) == (503, "WAITING_ROOM")
    fields = [refusal.fields for refusal in (comes(room, str(each)) for each in range(20)) if refusal is not None]
    assert [each["ahead"] for each in fields] == list(range(1, 21))
    assert (fields[0]["retry_after_s"], fields[2]["retry_after_s"], fields[19]["retry_after_s"]) == (1.0, 2.0, 4.0)


def test_what_nobody_used_is_hardly_saved_up(room: WaitingRoom, clock: Clock) -> None:
    room.let_in(8.0)
    clock.now += 60.0
    assert sum(comes(room, str(each)) is None for each in range(10)) == 2


def test_who_stays_away_has_lost_the_place(room: WaitingRoom, clock: Clock, config: Config) -> None:
    async def watched() -> None:
        task = asyncio.create_task(room.watch())
        await asyncio.sleep(2 * waiting.TICK_S)
        task.cancel()

    room.let_in(1.0)
    ticket = ticket_of(room, "a")
    clock.now += 2.5
    asyncio.run(watched())
    assert (room.waiting, room.oldest_s()) == (0, 0.0)
    assert comes(room, "b") is None
    assert ticket_of(room, "a", ticket) == "W-000002"
    assert [row["what"] for row in read_book(config)] == ["opened", "ticket", "expired", "admitted", "ticket"]


def test_once_it_is_closed_tickets_let_in_at_once(room: WaitingRoom, clock: Clock, config: Config) -> None:
    room.let_in(1.0)
    tickets = [ticket_of(room, customer) for customer in "ab"]
    assert room.oldest_s() == 0.0
    clock.now += 0.5
    assert room.facts() == {"open": True, "per_s": 1.0, "waiting": 2, "oldest_s": 0.5, "arriving_per_s": 1.0}
    room.let_in(0.0)
    assert [comes(room, "b", tickets[1]), comes(room, "z"), comes(room, "a", tickets[0])] == [None, None, None]
    rows = read_book(config)
    assert [row["what"] for row in rows] == ["opened", "ticket", "ticket", "closed", "admitted", "admitted"]
    assert [row["n"] for row in rows] == list(range(6))
    assert (rows[4]["ticket"], rows[4]["since_ns"], rows[4]["account"]) == (tickets[1], 1000 * 10**9, "b")


def test_tickets_go_on_after_a_restart_and_old_ones_are_worth_nothing(config: Config) -> None:
    before = WaitingRoom(config)
    before.let_in(0.001)
    ticket = ticket_of(before, "a")
    before.close()
    after = WaitingRoom(config)
    after.let_in(0.001)
    assert ticket_of(after, "a", ticket) == "W-000002"
    rows = read_book(config)
    assert [row["what"] for row in rows] == ["opened", "ticket", "closed", "opened", "ticket"]
    assert [row["n"] for row in rows] == list(range(5))
    after.close()


def test_the_page_says_how_many_are_before_and_looking_at_it_keeps_the_place(room: WaitingRoom, clock: Clock) -> None:
    room.let_in(1)
    first, second, third = (ticket_of(room, name) for name in ("a", "b", "c"))
    found = room.place(third)
    assert found is not None
    assert (found.ahead, found.called) == (2, False)
    page = place_page(found)
    assert page.headers["retry-after"] == "3"
    assert "お客様の前に2人がお待ちです" in page.body.decode()
    assert "2 customers are before you" in page.body.decode()
    clock.now += 1.1
    assert comes(room, "a", first) is None
    assert comes(room, "b", second) is not None  # called at the next look
    assert place_page(room.place("W-999999")).status_code == 404


def test_who_is_called_is_told_so_on_the_page(room: WaitingRoom, clock: Clock) -> None:
    room.let_in(1)
    ticket = ticket_of(room, "a")
    clock.now += 1.1
    room.let_in(2)  # calls whoever is next
    found = room.place(ticket)
    assert found is not None
    assert found.called
    assert "It is your turn" in place_page(found).body.decode()


def test_a_closed_room_lets_everybody_with_a_ticket_in(room: WaitingRoom, clock: Clock) -> None:
    room.let_in(1)
    ticket = ticket_of(room, "a")
    room.let_in(0)
    found = room.place(ticket)
    assert found is not None
    assert found.called
