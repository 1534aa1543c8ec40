"""The service: what it holds, what it measures, and the look at what is unknown now and then."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from targets.brokerage import database
from targets.brokerage.api.rules import Refusal
from targets.brokerage.api.store import Store
from targets.brokerage.config import Config
from targets.brokerage.serving import Job, Unhealthy
from targets.brokerage.withdrawals.desk import Desk
from targets.brokerage.withdrawals.link import BankLink
from targets.brokerage.withdrawals.settling import Settling

log = logging.getLogger("withdrawals")

POLL_S = 0.25
RECOVER = """UPDATE withdrawals SET state = 'unknown', unknown_ns = coalesce(unknown_ns, %s)
    WHERE state = 'pending' AND created_ns < %s"""
COUNT = "SELECT count(*), coalesce(sum(yen), 0), min(created_ns) FROM withdrawals WHERE state = 'unknown'"


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Withdrawals of which nobody knows whether the bank has paid them: how many, yen, and since when (ns)."""

    count: int = 0
    yen: int = 0
    since_ns: int | None = None


class Withdrawals:
    """Implements ``serving.Service``."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self.registry.register(self)
        conninfo = database.dsn(config.through("withdrawals-pg"), "withdrawals")
        self.store = Store(config, conninfo, config.withdrawals.pool)
        self.link = BankLink(config)
        self.desk = Desk(self.store, self.link)
        self.settling = Settling(config, self.store, self.link, self.desk)
        self.in_doubt = InDoubt()
        self._ready = False

    def jobs(self) -> Sequence[Job]:
        """Getting ready, then looking at what is unknown."""
        return (self._run,)

    def health(self) -> Mapping[str, Any]:
        """Able to serve once the database has answered."""
        if not self._ready:
            raise Unhealthy("the database does not answer")
        return {"session": self.link.log.session}

    async def stop(self) -> None:
        """Close all connections."""
        self.link.close()
        await self.store.pool.close(timeout=1.0)

    def oldest_s(self) -> float:
        """Age of the oldest request that the bank has not answered, unknown ones included; 0 where there is none."""
        starts = [each for each in (self.link.oldest_ns(), self.in_doubt.since_ns) if each is not None]
        return (time.monotonic_ns() - min(starts)) / 1e9 if starts else 0.0

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges, read when they are scraped."""
        for name, says, value in (
            ("oldest_unanswered_seconds", "Age of the oldest request without an answer", self.oldest_s()),
            ("unanswered_ratio", "Of the latest requests, those without an answer", self.link.unanswered_ratio()),
            ("waiting", "Requests that wait for the bank", float(self.link.waiting)),
            ("in_doubt", "Withdrawals whose state is unknown", float(self.in_doubt.count)),
            ("in_doubt_yen", "What they amount to", float(self.in_doubt.yen)),
        ):
            yield GaugeMetricFamily(f"withdrawals_{name}", says, value=value)

    async def look(self) -> InDoubt:
        """What is unknown now; those that nobody waits for any more, since the service died, are. Refusal (503)."""
        now = time.monotonic_ns()
        longest = self.config.withdrawals.answer_s + 2 * self.config.api.database_s
        await self.store.changed(RECOVER, [now, now - int(longest * 1e9)])
        count, yen, since = await self.store.one(COUNT, [])
        self.in_doubt = InDoubt(int(count), int(yen), since)
        return self.in_doubt

    async def _run(self) -> None:
        await self.store.pool.open(wait=False)
        while True:
            try:
                if not self._ready:
                    await self.desk.read_told()
                await self.look()
                self._ready = True
            except Refusal as refusal:
                self._ready = False
                log.warning("the database does not answer: %s", refusal.says)
            await asyncio.sleep(POLL_S)
