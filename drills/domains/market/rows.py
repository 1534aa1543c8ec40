"""Rows of prices as they were at the exchange."""

from __future__ import annotations

from collections.abc import Mapping

from drills.record.books import Row


class MarketPrice(Row, frozen=True, kw_only=True, tag="market-price"):
    """From ``t_ns`` on the instrument ``id`` has this ``price``, yen a share."""

    price: int


ROWS: Mapping[str, tuple[type[Row], ...]] = {"market": (MarketPrice,)}
"""Book -> its rows of this kind."""
