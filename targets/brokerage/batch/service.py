"""The batch as a service: its clock, its gauges, its watch on the database's locks."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import psycopg
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from starlette.routing import Route

from targets.brokerage import database, serving
from targets.brokerage.batch.forecast import remaining_s
from targets.brokerage.batch.locks import Locks
from targets.brokerage.batch.record import Record
from targets.brokerage.batch.scheduler import Scheduler
from targets.brokerage.client import Client
from targets.brokerage.clock import DayClock
from targets.brokerage.config import Config
from targets.brokerage.database import Connection, Line
from targets.brokerage.serving import Job, Unhealthy

log = logging.getLogger("batch")

LOOK_S = 2.0
STATES = ("waiting", "running", "held", "cancelled", "failed", "done")
T = TypeVar("T")


class Batch:
    """Implements ``serving.Service``."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.clock = DayClock(config)
        self._line = Line(database.dsn(config.via.batch_pg, "batch-record", config.hosts.toxiproxy))
        # The watch goes straight to the server: it must still see when the batch's own link is in trouble.
        self._watch_line = Line(database.dsn(config.ports.postgres, "batch-watch", config.hosts.postgres))
        self.record = Record(self._line)
        self.scheduler = Scheduler(config, self.record)
        self.locks = Locks()
        self.gateway = Client(config.ports.gateway, config.token, config.hosts.gateway)
        self._recalled = False
        self._watching = False

    def routes(self) -> Sequence[Route]:
        """Operators' endpoints."""
        from targets.brokerage.batch import endpoints  # they need this class

        return endpoints.routes(self)

    def jobs(self) -> Sequence[Job]:
        """The clock, and the watch on locks."""
        return (self._tick, self._watch)

    def health(self) -> Mapping[str, Any]:
        """It must know where the night stands."""
        if not self._recalled:
            raise Unhealthy("the state of the night has not been read from the database yet")
        return {"state": self.scheduler.state, "watching": self._watching}

    async def stop(self) -> None:
        """Roll back what is under way and close all connections."""
        await self.scheduler.stop()
        self.gateway.close()
        await self._line.close()
        await self._watch_line.close()

    async def watched(self, work: Callable[[Connection], Awaitable[T]], within_s: float = LOOK_S) -> T:
        """Work over the watch's own connection. psycopg.Error."""
        return await self._watch_line.run(work, within_s)

    def remaining_s(self) -> float | None:
        """Seconds until the night's work is done, at the pace seen lately; None while that is not known."""
        scheduler = self.scheduler
        return remaining_s(scheduler.states, scheduler.progress, scheduler.seconds_a_lot, self.config.batch)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges, read when they are scraped."""
        blocker = GaugeMetricFamily("db_root_blocker_seconds", "How long it has blocked others", labels=["job", "pid"])
        for each in self.locks.blockers():
            blocker.add_metric([each.job, str(each.pid)], each.seconds)
        state = GaugeMetricFamily("batch_state", "The batch's state", labels=["state"])
        for name in STATES:
            state.add_metric([name], float(self.scheduler.state == name))
        done = GaugeMetricFamily("batch_accounts_done", "Accounts marked", value=float(self.scheduler.progress.done))
        running_s = 0.0
        if self.scheduler.state == "running":
            running_s = (time.monotonic_ns() - self.scheduler.began_ns) / 1e9
        running = GaugeMetricFamily("batch_running_seconds", "How long the batch has been running", value=running_s)
        yield from (blocker, state, done, running)
        margin = GaugeMetricFamily("batch_forecast_margin_seconds", "Opening less forecast end of the batch")
        remaining = self.remaining_s()
        if self.scheduler.state not in ("waiting", "done") and remaining is not None:
            margin.add_metric([], self.clock.seconds_until(self.config.batch.opening) - remaining)
        yield margin

    async def _tick(self) -> None:
        while True:
            try:
                if not self._recalled:
                    await self.scheduler.recall()
                    self._recalled = True
                if self.clock.opened and self.clock.now() >= self.clock.at(self.config.batch.start):
                    self.scheduler.start()
            except psycopg.OperationalError as error:
                log.warning("the night cannot be read: %s", str(error).strip())
            await asyncio.sleep(self.config.batch.poll_s)

    async def _watch(self) -> None:
        while True:
            try:
                await self.watched(self.locks.look)
                self._watching = True
            except psycopg.OperationalError as error:
                self._watching = False
                log.warning("locks cannot be seen: %s", str(error).strip())
            await asyncio.sleep(self.config.batch.blocked_s)


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``batch``."""
    serving.serve(Batch(config), sockets["batch"])
