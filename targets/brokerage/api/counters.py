"""How far the order number is from each of its limits, and when it will be there; every look is written down.

The number has four limits: the sequence that gives it, the column that keeps it, and the fields of the gateway and the
exchange. Forecasts go by the numbers given in the last seconds, so by what customers do.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from prometheus_client.core import GaugeMetricFamily

from targets.brokerage.api.counterbook import book_file
from targets.brokerage.bookfile import BookWriter
from targets.brokerage.config import Config
from targets.brokerage.database import Connection, Line
from targets.brokerage.numbering import FIRST, SECOND
from targets.brokerage.volumes.forecast import Forecast

log = logging.getLogger("api.counters")

INTERVAL_S = 0.5
WINDOW_S = 5.0
WITHIN_S = 2.0
NAME = "order_number"

READ = """SELECT (SELECT json_object_agg(name, value) FROM operations WHERE name LIKE 'order-number-%'),
    coalesce(s.last_value, 0), s.max_value, s.cycle,
    (SELECT numeric_precision FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'number')
    FROM pg_sequences s WHERE s.sequencename IN ('order_number', 'order_number_2') ORDER BY s.sequencename"""


@dataclass(frozen=True, slots=True)
class Look:
    """The order number at one instant: the last one given of the range in use, and the highest that each part takes."""

    series: str
    value: int
    limits: Mapping[str, int]
    cycles: bool

    @property
    def headroom(self) -> int:
        """Numbers left before the first limit."""
        return min(self.limits.values()) - self.value


class Counters:
    """Looks twice a second over a line of its own. ``seen`` is the last look; None before the first."""

    def __init__(self, config: Config, line: Line) -> None:
        self.seen: Look | None = None
        self._line = line
        self._forecast = Forecast(WINDOW_S)
        self._book = BookWriter(book_file(Path(config.folder)))

    async def watch(self) -> None:
        """For ever; a database that does not answer leaves the last look standing."""
        while True:
            try:
                await self.look()
            except psycopg.Error as error:
                log.warning("the counters cannot be read: %s", str(error).strip())
            await asyncio.sleep(INTERVAL_S)

    async def look(self) -> Look:
        """Take it as of now."""

        async def work(connection: Connection) -> list[tuple[Any, ...]]:
            return await (await connection.execute(READ.encode())).fetchall()

        rows = await self._line.run(work, WITHIN_S)
        seen = as_look(rows)
        if self.seen is not None and seen.series != self.seen.series:
            self._forecast = Forecast(WINDOW_S)
        self.seen = seen
        self._forecast.note(time.monotonic(), seen.value)
        self._write(seen)
        return seen

    def seconds_to(self, limit: int) -> float | None:
        """How long until this limit is reached at the present pace; None while there is no forecast."""
        if self.seen is None:
            return None
        left = limit - self.seen.value
        return 0.0 if left <= 0 else self._forecast.seconds_to_full(left)

    def facts(self) -> dict[str, Any]:
        """For operators."""
        seen = self.seen
        if seen is None:
            return {"series": FIRST, "value": 0, "limits": {}, "headroom": 0, "seconds_to_limit": None, "cycles": False}
        to_limit = self.seconds_to(min(seen.limits.values()))
        limits = {name: {"limit": limit, "seconds_to_limit": self.seconds_to(limit)} for name, limit in
                  seen.limits.items()}  # fmt: skip
        return {
            "series": seen.series, "value": seen.value, "limits": limits, "headroom": seen.headroom,
            "seconds_to_limit": to_limit, "cycles": seen.cycles,
        }  # fmt: skip

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges."""
        left = GaugeMetricFamily("counter_headroom", "Numbers left before a limit", labels=["counter", "limit"])
        soon = GaugeMetricFamily(
            "counter_seconds_to_limit", "When the first limit is reached; +Inf without a forecast", labels=["counter"]
        )
        if self.seen is not None:
            for name, limit in self.seen.limits.items():
                left.add_metric([NAME, name], float(limit - self.seen.value))
            seconds = self.seconds_to(min(self.seen.limits.values()))
            soon.add_metric([NAME], math.inf if seconds is None else seconds)
        yield from (left, soon)

    def close(self) -> None:
        """Close the book."""
        self._book.close()

    def _write(self, seen: Look) -> None:
        seconds = self.seconds_to(min(seen.limits.values()))
        row = {
            "kind": "counter", "t_ns": time.monotonic_ns(), "id": NAME, "account": "", "key": seen.series,
            "value": seen.value, "headroom": seen.headroom, "left_ms": -1 if seconds is None else int(seconds * 1000),
        }  # fmt: skip
        self._book.write(row)


def as_look(rows: list[tuple[Any, ...]]) -> Look:
    """From the sequences of the first and the second range, in this order."""
    decided, *_, precision = rows[0]
    series = SECOND if decided["order-number-range"] == "2" else FIRST
    _, value, most, cycles, _ = rows[1 if series else 0]
    fields = {side: int(decided[f"order-number-{side}"]) - len(series) for side in ("gateway", "exchange")}
    limits = {"sequence": most, "column": 10**precision - 1, **{name: 10**wide - 1 for name, wide in fields.items()}}
    return Look(series, int(value), {name: int(limit) for name, limit in limits.items()}, bool(cycles))
