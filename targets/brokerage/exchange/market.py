"""The market's prices: those of the day, but for the instrument that the news is about, which may move.

Pure functions of configuration and time, so that they go on whatever happens to a process.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from targets.brokerage.config import Config
from targets.brokerage.instrument import Instrument
from targets.brokerage.world import day_prices

NS = 1_000_000_000


class Market:
    """``moving`` are the instruments whose price moves by ``exchange.drift_per_s``, a share of it a second."""

    def __init__(self, config: Config) -> None:
        rows = day_prices(random.Random(f"world:{config.seed}"))
        self.instruments = [Instrument(row["id"], row["base"], row["tick"], row["low"], row["high"]) for row in rows]
        self._drift = config.exchange.drift_per_s
        self._since = config.clock.anchor_ns

    @property
    def moving(self) -> Sequence[Instrument]:
        """The first of the day's instruments, which everybody talks about, where prices move at all."""
        return self.instruments[:1] if self._drift else ()

    def price(self, instrument: Instrument, now: int) -> int:
        """In yen, on tick and within the day's limits, at ``now`` (ns)."""
        if instrument not in self.moving:
            return instrument.base
        moved = instrument.base * (1 + self._drift * (now - self._since) / NS)
        wished = min(max(int(moved), instrument.low), instrument.high)
        return wished - wished % instrument.tick

    def prices(self, now: int) -> dict[str, int]:
        """Of all instruments by code, at ``now`` (ns)."""
        return {each.code: self.price(each, now) for each in self.instruments}

    def reached(self, code: str, side: str, limit: int, now: int) -> bool:
        """Whether an order with this limit can trade; always where the price does not move."""
        prices = [self.price(each, now) for each in self.moving if each.code == code]
        return all(limit >= price if side == "buy" else limit <= price for price in prices)
