"""The customers' API at work: what it holds, what it measures, what it needs before it can serve."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily

from targets.brokerage import database
from targets.brokerage.api.capacity import Capacity
from targets.brokerage.api.counters import Counters
from targets.brokerage.api.gates import Gates
from targets.brokerage.api.oms import MARGIN_S, Oms
from targets.brokerage.api.prices import Prices
from targets.brokerage.api.repayments import Repayments
from targets.brokerage.api.room import WaitingRoom
from targets.brokerage.api.slo import ServiceLevel
from targets.brokerage.api.slots import Slots
from targets.brokerage.api.store import Store
from targets.brokerage.client import Client
from targets.brokerage.clock import DayClock
from targets.brokerage.config import SERVICES, Config
from targets.brokerage.database import Connection, Line
from targets.brokerage.instrument import Instrument
from targets.brokerage.serving import Job, Unhealthy

log = logging.getLogger("api")

POLL_S = 0.5
LOOK_S = 3.0
RECOVER = """UPDATE orders SET state = 'unknown', unknown_ns = coalesce(unknown_ns, %s)
    WHERE state = 'pending-new' AND created_ns < %s"""
DAYS = "SELECT day::text, next::text FROM calendar"
INSTRUMENTS = "SELECT code, base, tick, low, high FROM instruments"
COUNT_UNKNOWN = "SELECT count(*) FROM orders WHERE state = 'unknown'"


class Api:
    """Implements ``serving.Service``."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.requests = Counter(
            "api_requests_total", "Customers' requests", ("service", "outcome"), registry=self.registry
        )
        self.levels: dict[str, ServiceLevel] = {name: ServiceLevel(config.api) for name in SERVICES}
        self.line = Line(database.dsn(config.through("api-pg"), "api-operations"))
        self._gates_line = Line(database.dsn(config.through("api-pg"), "api-gates"))
        self.gates = Gates(self._gates_line)
        self.store = Store(config)
        self.gateway = Client(config.at("gateway"), config.token)
        self.oms = Oms(config, self.store, self.gateway)
        self.slots = Slots(config.api)
        self.room = WaitingRoom(config)
        self.capacity = Capacity()
        self.prices = Prices(config)
        self._bank = Client(config.through("api-bank"), config.token)
        self._settling = Line(database.dsn(config.through("api-pg"), "api-repayments"))
        self.withdrawals = Client(config.at("withdrawals"), config.token)
        self.repayments = Repayments(config, self.store, self._bank, self._settling)
        self.clock = DayClock(config)
        self.instruments: dict[str, Instrument] = {}
        self._counting = Line(database.dsn(config.through("api-pg"), "api-counters"))
        self.counters = Counters(config, self._counting)
        self._days = ("", "")
        self.unknown = 0
        self._database_answers = True

    def jobs(self) -> Sequence[Job]:
        """Getting ready, then a look at the database now and then; repayments not answered yet; counters; tickets;
        prices."""
        return (self._run, self._settle, self.counters.watch, self.room.watch, self.prices.feed)

    def health(self) -> Mapping[str, Any]:
        """Able to serve once gates and instruments have been read."""
        if not self.ready:
            raise Unhealthy("gates and instruments have not been read from the database yet")
        if not self._database_answers:
            raise Unhealthy("the database does not answer")
        return {"services": self.open_services()}

    async def stop(self) -> None:
        """Close all connections."""
        self.gateway.close()
        self._bank.close()
        self.withdrawals.close()
        await self.store.pool.close(timeout=1.0)
        await self.line.close()
        await self._gates_line.close()
        await self._settling.close()
        await self._counting.close()
        self.counters.close()
        self.room.close()
        self.prices.close()

    @property
    def ready(self) -> bool:
        """Whether what every request needs is there."""
        return self.gates.known and bool(self.instruments)

    def open_services(self) -> dict[str, bool]:
        """Service -> whether customers may use it."""
        return {name: self.gates.is_open(name) for name in SERVICES}

    def as_of(self) -> str:
        """The business date pages are shown for, ISO 8601; it rolls by the clock alone, whatever the night has done."""
        rolled = self.clock.now() >= self.clock.at(self.config.batch.roll)
        return self._days[rolled]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges, read when they are scraped."""
        now = time.monotonic_ns()
        flying = GaugeMetricFamily("api_in_flight", "Requests in flight", labels=["service"])
        ratio = GaugeMetricFamily("api_slo_bad_ratio", "Share of bad requests", labels=["service", "window"])
        burn = GaugeMetricFamily("api_slo_burn", "Burn of the error budget", labels=["service"])
        is_open = GaugeMetricFamily("api_service_open", "Whether customers may use it", labels=["service"])
        for name, level in self.levels.items():
            flying.add_metric([name], level.in_flight)
            for window, value in level.ratios(now):
                ratio.add_metric([name, window], value)
            burn.add_metric([name], level.burn(now))
            is_open.add_metric([name], float(self.gates.is_open(name)))
        yield from (flying, ratio, burn, is_open)
        waiting = float(self.store.pool.get_stats().get("requests_waiting", 0))
        yield GaugeMetricFamily("api_pool_waiting", "Requests waiting for a connection", value=waiting)
        yield GaugeMetricFamily("api_orders_unknown", "Orders whose state is unknown", value=float(self.unknown))
        rejected = self.oms.rejected.ratio()
        yield GaugeMetricFamily("api_exchange_rejected_ratio", "Of the latest orders, not taken there", value=rejected)
        yield from self.counters.collect()
        yield from self.slots.collect()
        yield from self.room.collect()
        yield from self.capacity.collect()
        yield from self.prices.collect()

    async def _run(self) -> None:
        await self.store.pool.open(wait=False)
        while True:
            try:
                if not self.ready:
                    await self._begin()
                self.unknown = await self.line.run(self._look, LOOK_S)
                self._database_answers = True
            except psycopg.OperationalError as error:
                self._database_answers = False
                log.warning("the database does not answer: %s", str(error).strip())
            await asyncio.sleep(POLL_S)

    async def _settle(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.repayments.settle_old()
            except psycopg.OperationalError as error:
                log.warning("repayments wait for the database: %s", str(error).strip())

    async def _begin(self) -> None:
        """Read the business date, instruments and gates."""

        async def work(connection: Connection) -> tuple[tuple[str, str], dict[str, Instrument]]:
            days = await (await connection.execute(DAYS)).fetchone()
            assert days is not None
            rows = await (await connection.execute(INSTRUMENTS)).fetchall()
            return (days[0], days[1]), {row[0]: Instrument(*row) for row in rows}

        self._days, self.instruments = await self.line.run(work, LOOK_S)
        await self.gates.read()

    async def _look(self, connection: Connection) -> int:
        """Orders whose state is unknown, those included that nobody waits for any more: an api that died, or could not
        reach the database to say so, has left them ``pending-new``."""
        settings = self.config.api
        longest = settings.lock_timeout_s + 2 * (settings.ack_timeout_s + MARGIN_S)
        now = time.monotonic_ns()
        await connection.execute(RECOVER, [now, now - int(longest * 1e9)])
        row = await (await connection.execute(COUNT_UNKNOWN)).fetchone()
        assert row is not None
        return int(row[0])
