"""Rows about order numbers: what the brokerage saw of them, and the width that the exchange agreed to."""

from __future__ import annotations

from collections.abc import Mapping

from drills.record.books import Row


class CounterSeen(Row, frozen=True, kw_only=True, tag="counter"):
    """One look at the counter ``id``: its last value, and what is left before its first limit.

    ``key`` is what numbers of the range in use begin with. ``left_ms``: when the limit would be reached, by the
    brokerage's own forecast; -1 without one.
    """

    value: int
    headroom: int
    left_ms: int


class ExchangeWidth(Row, frozen=True, kw_only=True, tag="exchange-width"):
    """The exchange takes order numbers of so many digits from now on."""

    width: int


ROWS: Mapping[str, tuple[type[Row], ...]] = {"counters": (CounterSeen,), "exchange": (ExchangeWidth,)}
"""Book -> its rows of this kind."""
