"""Prices as the exchange publishes them, and the check of an order's limit against them before it is sent.

Where prices do not move nothing is fetched: those of the day hold.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping

import msgspec
from prometheus_client.core import GaugeMetricFamily

from targets.brokerage.api.rules import OrderBody, Refusal
from targets.brokerage.config import Config
from targets.http_async import Connections, NoAnswer

log = logging.getLogger("api.prices")

EVERY_S, WITHIN_S = 0.25, 1.0
PRICE_COLLAR = "PRICE_COLLAR"


class Prices:
    """``latest`` is fed for ever; ``opening`` are the first ones that came, kept by a node that nobody feeds."""

    def __init__(self, config: Config) -> None:
        self.latest: Mapping[str, int] = {}
        self.opening: Mapping[str, int] = {}
        self._collar = config.api.collar
        self._moves = config.exchange.drift_per_s != 0
        self._exchange = Connections(config.at("exchange_http"), repeat=True)
        self._fed = time.monotonic()

    async def feed(self) -> None:
        """Fetch them again and again; nothing to do where none moves."""
        while self._moves:
            try:
                reply = await self._exchange.ask("GET", "/prices", None, WITHIN_S)
                self.latest = msgspec.json.decode(reply.body, type=dict[str, int])
                self.opening = self.opening or self.latest
                self._fed = time.monotonic()
            except (NoAnswer, msgspec.DecodeError) as error:
                log.warning("no prices from the exchange: %s", error)
            await asyncio.sleep(EVERY_S)

    def complaint(self, order: OrderBody, prices: Mapping[str, int]) -> Refusal | None:
        """What is to be said (422) where the limit is too far from the price that is known of the instrument."""
        price = prices.get(order.code)
        if not self._collar or price is None or abs(order.price - price) <= self._collar * price:
            return None
        return Refusal(422, PRICE_COLLAR, f"the limit is more than {self._collar:.0%} away from the price of {price}")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauge."""
        age = time.monotonic() - self._fed if self._moves else 0.0
        yield GaugeMetricFamily("api_price_age_seconds", "Since prices came from the exchange", value=age)

    def close(self) -> None:
        """Close the connection."""
        self._exchange.close()
