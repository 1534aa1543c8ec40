"""A fixed schedule: turns at start + n × interval, never drifting, and skipping what was slept through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator


def next_turn(turn: int, since_start_ns: int, interval_ns: int) -> int:
    """The turn after ``turn``: the next one, or the latest already begun if whole turns were missed."""
    return max(turn + 1, since_start_ns // interval_ns)


async def turns(interval_ns: int) -> AsyncIterator[tuple[int, int]]:
    """Yields (turn, its scheduled instant in CLOCK_MONOTONIC ns), beginning at once with turn 0."""
    start, turn = time.monotonic_ns(), 0
    while True:
        yield turn, start + turn * interval_ns
        turn = next_turn(turn, time.monotonic_ns() - start, interval_ns)
        await asyncio.sleep(max(0, start + turn * interval_ns - time.monotonic_ns()) / 1e9)
