"""The window of orders on the wire: for how long it has been what orders wait for."""

from __future__ import annotations

import asyncio

import pytest

from targets.brokerage.gateway import flow
from targets.brokerage.gateway.flow import Flow
from targets.brokerage.wire import Message

S = 1_000_000_000


def order(name: str) -> Message:
    return Message({"ClOrdID": name})


def test_silence_of_the_exchange_is_no_full_window(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100 * S]
    monkeypatch.setattr(flow.time, "monotonic_ns", lambda: now[0])

    async def play() -> None:
        made = Flow(1, lambda _: None, lambda: True)
        waiting = [asyncio.create_task(made.submit(order(name), 60)) for name in ("a", "b", "c")]
        await asyncio.sleep(0)
        made.heard_of("a")
        now[0] += S // 4
        assert made.window_full_s() == 0.25
        now[0] += 20 * S
        assert made.window_full_s() == 0  # it does not answer at all
        made.heard_of("b")
        assert made.window_full_s() == 0  # "c" is on the wire, and nobody waits behind it
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(play())


def test_it_counts_from_the_first_answer_after_a_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100 * S]
    monkeypatch.setattr(flow.time, "monotonic_ns", lambda: now[0])

    async def play() -> None:
        made = Flow(1, lambda _: None, lambda: True)
        waiting = [asyncio.create_task(made.submit(order(name), 60)) for name in "abcd"]
        await asyncio.sleep(0)
        now[0] += 20 * S
        made.heard_of("a")
        assert made.window_full_s() == 0
        now[0] += S // 4
        made.heard_of("b")
        assert made.window_full_s() == 0.25
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(play())
