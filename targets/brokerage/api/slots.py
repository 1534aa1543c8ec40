"""Orders before their turn: so many at a time, the others in line, first come first served.

An order keeps its slot until the exchange has answered it, so what fills the exchange session's window fills the slots,
and then the line. Whoever has left in the meantime keeps the place: the line knows requests, not customers. While
cancels and closing orders go first, none of them is sent away, however long it has waited.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from targets.brokerage.api.rules import Refusal
from targets.brokerage.config import ApiConfig, Overflow

LOOK_S = 1.0


@dataclass(slots=True, eq=False)
class _Place:
    """A place in the line, for at most so long; ``closing``: of a cancel, or an order that sells what is held."""

    since: float
    wait_s: float
    closing: bool
    turn: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Slots:
    """``limit`` orders at a time; 0: all at once. ``wait_s`` is how long one that comes from now on may wait."""

    def __init__(self, config: ApiConfig) -> None:
        self.limit = config.slots
        self.wait_s = config.queue_wait_s
        self.priority = False
        self.overflow: Overflow = "wait"
        self.taken = 0
        self.expired = 0
        self._line: list[_Place] = []

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._line)

    def way(self) -> Overflow:
        """What is to become of an order that comes now; one that finds a slot needs no other way than the line's."""
        return self.overflow if 0 < self.limit <= self.taken else "wait"

    def oldest_s(self) -> float:
        """How long the oldest of them has been waiting; 0 without one."""
        return time.monotonic() - self._line[0].since if self._line else 0.0

    @asynccontextmanager
    async def slot(self, closing: bool) -> AsyncIterator[None]:
        """Wait for one, and keep it. Refusal (503, BUSY) where that took too long: nothing has been done."""
        if not self.limit:
            yield
            return
        await self._turn(closing)
        try:
            yield
        finally:
            self.taken -= 1
            self._next()

    def prefer(self, on: bool) -> None:
        """Whether cancels and closing orders go first, those in line already as well."""
        self.priority = on

    def resize(self, limit: int) -> None:
        """So many at a time from now on; 0: all at once, those in line as well."""
        self.limit = limit
        self._next()

    def expire(self, older_s: float) -> int:
        """Send away whoever has waited so long, but for those who go first; returns how many."""
        now = time.monotonic()
        old = [each for each in self._line if now - each.since >= older_s and not self._first(each)]
        for place in old:
            self._line.remove(place)
            place.turn.set_exception(_busy())
        self.expired += len(old)
        return len(old)

    def facts(self) -> dict[str, Any]:
        """For operators."""
        return {
            "slots": self.limit, "taken": self.taken, "waiting": self.waiting, "oldest_s": self.oldest_s(),
            "wait_s": self.wait_s, "priority": self.priority, "overflow": self.overflow,
        }  # fmt: skip

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges."""
        yield GaugeMetricFamily("api_slots_taken", "Orders that have a slot", value=float(self.taken))
        yield GaugeMetricFamily("api_queue_length", "Orders in line for a slot", value=float(self.waiting))
        yield GaugeMetricFamily("api_queue_age_seconds", "Oldest order in line for a slot", value=self.oldest_s())

    async def _turn(self, closing: bool) -> None:
        if self.taken < self.limit and not self._line:
            self.taken += 1
            return
        place = _Place(time.monotonic(), self.wait_s, closing)
        self._line.append(place)
        while place in self._line:
            try:
                async with asyncio.timeout(self._patience_s(place)):
                    await asyncio.shield(place.turn)
            except TimeoutError:
                if place in self._line and self._patience_s(place) <= 0:
                    self._line.remove(place)
                    self.expired += 1
                    raise _busy() from None
        await place.turn  # its turn, or its end: it may have come at the moment at which the time was up

    def _patience_s(self, place: _Place) -> float:
        """For how long it may still stay; a look later for who goes first, since that may end."""
        return LOOK_S if self._first(place) else place.since + place.wait_s - time.monotonic()

    def _first(self, place: _Place) -> bool:
        """Whether it goes before others."""
        return self.priority and place.closing

    def _next(self) -> None:
        """Give what is free to who is first."""
        while self._line and (not self.limit or self.taken < self.limit):
            first = next((each for each in self._line if each.closing), self._line[0])
            place = first if self.priority else self._line[0]
            self._line.remove(place)
            self.taken += 1
            place.turn.set_result(None)


def _busy() -> Refusal:
    return Refusal(503, "BUSY", "the order waited too long for its turn; it was not sent")
