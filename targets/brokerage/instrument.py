"""An instrument as everybody knows it: the exchange, the brokerage and its customers."""

from __future__ import annotations

import msgspec


class Instrument(msgspec.Struct, frozen=True):
    """An instrument's price of the day, its tick and its daily limits, in yen."""

    code: str
    base: int
    tick: int
    low: int
    high: int
