"""The line for a slot: who is next, who is sent away, and what changes under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from targets.brokerage.api.rules import Refusal
from targets.brokerage.api.slots import Slots
from targets.brokerage.config import ApiConfig


class Desk:
    """Orders that keep their slot until they are told to end."""

    def __init__(self, slots: int, wait_s: float = 30.0) -> None:
        self.slots = Slots(ApiConfig(slots=slots, queue_wait_s=wait_s))
        self.served: list[str] = []
        self.away: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def comes(self, name: str, closing: bool = False) -> None:
        self.ends[name] = asyncio.Event()
        self.tasks.append(asyncio.create_task(self._order(name, closing)))
        await asyncio.sleep(0)

    async def ends_with(self, name: str) -> None:
        self.ends[name].set()
        await settle()

    async def close(self) -> None:
        for end in self.ends.values():
            end.set()
        await asyncio.gather(*self.tasks)

    async def _order(self, name: str, closing: bool) -> None:
        try:
            async with self.slots.slot(closing):
                self.served.append(name)
                await self.ends[name].wait()
        except Refusal as refusal:
            self.away.append(name if (refusal.status, refusal.code) == (503, "BUSY") else refusal.code)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def play(scenario: Callable[[Desk], Awaitable[None]], slots: int = 1, wait_s: float = 30.0) -> Desk:
    async def whole() -> Desk:
        desk = Desk(slots, wait_s)
        await scenario(desk)
        await desk.close()
        return desk

    return asyncio.run(whole())


def gauges(slots: Slots) -> Iterator[tuple[str, float]]:
    return ((family.name, family.samples[0].value) for family in slots.collect())


def test_without_slots_nobody_waits() -> None:
    async def scenario(desk: Desk) -> None:
        for name in "abc":
            await desk.comes(name)
        assert desk.served == ["a", "b", "c"]
        assert (desk.slots.taken, desk.slots.waiting, desk.slots.oldest_s()) == (0, 0, 0.0)

    play(scenario, slots=0)


def test_first_come_first_served() -> None:
    async def scenario(desk: Desk) -> None:
        for name in "abc":
            await desk.comes(name, closing=name == "c")
        assert desk.served == ["a"]
        assert dict(gauges(desk.slots)) | {"api_queue_age_seconds": 0} == {
            "api_slots_taken": 1, "api_queue_length": 2, "api_queue_age_seconds": 0,
        }  # fmt: skip
        await desk.ends_with("a")
        await desk.ends_with("b")

    assert play(scenario).served == ["a", "b", "c"]


def test_closing_orders_go_first_also_those_in_line_already() -> None:
    async def scenario(desk: Desk) -> None:
        for name in "abcd":
            await desk.comes(name, closing=name in "cd")
        desk.slots.prefer(True)
        for name in "acd":
            await desk.ends_with(name)

    assert play(scenario).served == ["a", "c", "d", "b"]


def test_who_waits_too_long_is_sent_away_and_leaves_no_slot_taken() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.comes("a")
        await desk.comes("b")
        await asyncio.sleep(0.05)
        assert desk.away == ["b"]
        assert desk.slots.waiting == 0
        await desk.ends_with("a")
        assert desk.slots.taken == 0

    assert play(scenario, wait_s=0.02).served == ["a"]


def test_who_goes_first_is_never_sent_away_however_long_the_wait() -> None:
    async def scenario(desk: Desk) -> None:
        for name in "abc":
            await desk.comes(name, closing=name == "c")
        desk.slots.prefer(True)
        await asyncio.sleep(0.05)
        assert desk.away == ["b"]
        assert desk.slots.expire(0) == 0
        await desk.ends_with("a")
        await desk.ends_with("c")

    assert play(scenario, wait_s=0.02).served == ["a", "c"]


def test_once_nobody_goes_first_any_more_closing_orders_wait_no_longer_than_others() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.comes("a")
        desk.slots.prefer(True)
        await desk.comes("b", closing=True)
        await asyncio.sleep(0.03)
        desk.slots.prefer(False)
        assert desk.slots.expire(0.02) == 1
        await settle()
        assert desk.away == ["b"]

    play(scenario, wait_s=0.02)


def test_a_shorter_wait_is_for_who_comes_from_now_on_and_the_old_line_is_expired() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.comes("a")
        await desk.comes("b")
        await asyncio.sleep(0.03)
        desk.slots.wait_s = 0.02
        await desk.comes("c")
        assert desk.slots.expire(0.02) == 1
        await settle()
        assert desk.away == ["b"]
        await asyncio.sleep(0.05)
        assert desk.away == ["b", "c"]

    play(scenario)


@pytest.mark.parametrize("limit", [3, 0])
def test_more_slots_let_who_is_in_line_go_on(limit: int) -> None:
    async def scenario(desk: Desk) -> None:
        for name in "abc":
            await desk.comes(name)
        desk.slots.resize(limit)
        await settle()
        assert desk.served == ["a", "b", "c"]

    assert play(scenario).slots.taken == 0


def test_a_turn_that_comes_as_the_time_is_up_is_taken_and_given_back() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.comes("a")
        await desk.comes("b")
        while desk.slots.waiting:
            desk.ends["a"].set()
            await asyncio.sleep(0.001)
        await settle()
        await desk.ends_with("b")
        assert desk.slots.taken == 0

    for wait_s in (0.0005, 0.001, 0.0015):
        play(scenario, wait_s=wait_s)
