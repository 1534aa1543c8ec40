"""How many orders a second the exchange takes, as it was measured, and how many come."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily

from targets.brokerage.client import Client
from targets.brokerage.recent import RecentRate
from targets.http_async import NoAnswer

RECENT_S = 1.0
MARGIN_S = 3.0


class Unmeasured(Exception):
    """It could not be measured; the message says why."""


class Capacity:
    """``per_s`` is 0 until it has been measured."""

    def __init__(self) -> None:
        self.per_s = 0.0
        self.arriving = RecentRate(RECENT_S)

    async def measure(self, gateway: Client, within_s: float) -> float:
        """Have the gateway measure it, and remember. Unmeasured."""
        try:
            status, found = await gateway.ask("POST", "/ops/capacity", {"within_s": within_s}, within_s + MARGIN_S)
        except NoAnswer as error:
            raise Unmeasured(f"the gateway does not answer: {error}") from error
        if status != 200:
            raise Unmeasured(str(found.get("says", status)))
        self.per_s = float(found["per_s"])
        return self.per_s

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges."""
        coming = self.arriving.per_s()
        yield GaugeMetricFamily("api_orders_arriving_per_second", "Orders that customers ask for", value=coming)
        says = "Of what the exchange session takes, as measured; 0 where it was not"
        ratio = coming / self.per_s if self.per_s else 0.0
        yield GaugeMetricFamily("api_orders_of_capacity_ratio", says, value=ratio)
