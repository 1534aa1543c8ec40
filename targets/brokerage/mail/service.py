"""The mail spool: writes one file per execution notice, from where the mail agent (``mta``) takes it.

Each file is written first, and only then the outbox says ``sent``. Killed in between, it is written again under the
same name, and the agent delivers a name once. On a volume that takes no more the notices stay in the outbox, which is
tried again and again; orders and executions know nothing of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry, Counter, Gauge

from targets.brokerage import database
from targets.brokerage.bookfile import BookWriter
from targets.brokerage.client import Client
from targets.brokerage.config import Config
from targets.brokerage.database import Connection, Line
from targets.brokerage.mail import outbox
from targets.brokerage.mail.books import book_file
from targets.brokerage.mail.component import SPOOL, VOLUMES
from targets.brokerage.mail.spool import waiting, write_notice
from targets.brokerage.serving import Job, Unhealthy
from targets.brokerage.volumes.gauges import INTERVAL_S, VolumeGauges
from targets.http_async import NoAnswer

log = logging.getLogger("mail")

WITHIN_S = 5.0
AGENT_S = 1.0


class AgentSilent(Exception):
    """The mail agent did not say what it has delivered."""


class Mail:
    """Implements ``serving.Service``."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self.line = Line(database.dsn(config.at("postgres"), "mail"))
        self.folders = {each.name: Path(config.folder) / each.name for each in VOLUMES}
        self.volumes = VolumeGauges(self.registry, *self.folders.values())
        self.use = SPOOL.name
        """The volume on which notices are written."""
        self.pending = 0
        self.refused = ""
        """Why the last notice could not be written; empty while they can."""
        self._agent = Client(config.at("mta"), config.token)
        self._oldest_ns: int | None = None
        self._working = False
        self._meter()
        self._book = BookWriter(book_file(Path(config.folder)))

    def _meter(self) -> None:
        figures = {
            "mail_outbox_pending": ("Notices that wait to be written", lambda: self.pending),
            "mail_oldest_pending_seconds": ("Age of the oldest of them", self._oldest_s),
            "mail_spool_waiting": ("Notices in the spool", self.waiting),
            "mail_spool_refusing": ("1 while notices cannot be written", lambda: bool(self.refused)),
        }
        for name, (says, value) in figures.items():
            Gauge(name, says, registry=self.registry).set_function(value)
        self._notices = Counter("mail_notices_total", "Notices written to the spool", registry=self.registry)

    def jobs(self) -> Sequence[Job]:
        """Writing notices, and watching the spool."""
        return (self._work, self._watch)

    def health(self) -> Mapping[str, Any]:
        """It can do its work while the outbox can be read and the spool written."""
        if not self._working:
            raise Unhealthy("the outbox cannot be read")
        if self.refused:
            raise Unhealthy(f"notices cannot be written to {self.use}: {self.refused}")
        return {"spool": self.use}

    async def stop(self) -> None:
        """Close connections and the book."""
        self._agent.close()
        await self.line.close()
        self._book.close()

    def waiting(self) -> int:
        """Notices that the agent has still to take, on either volume."""
        return sum(len(waiting(each)) for each in self.folders.values())

    async def missing(self) -> list[str]:
        """Executions that count as sent, and whose notice is neither in the spool nor delivered. AgentSilent.

        Asked in this order, so that none on its way is missed: out of the outbox, through the spool, to the agent.
        """
        sent = await self.line.run(outbox.sent, WITHIN_S)
        there = {file.name for folder in self.folders.values() for file in waiting(folder)}
        try:
            status, found = await self._agent.ask("GET", "/ops/delivered", None, AGENT_S)
        except NoAnswer as error:
            raise AgentSilent(str(error)) from error
        if status != 200:
            raise AgentSilent(f"status {status}")
        there |= set(found["names"])
        return [exec_id for name, exec_id in sent.items() if name not in there]

    async def _work(self) -> None:
        while True:
            try:
                count = await self.line.run(self._batch, WITHIN_S)
                self._working = True
            except psycopg.OperationalError as error:
                log.warning("the outbox cannot be read: %s", str(error).strip())
                self._working, count = False, 0
            if count < self.config.mail.batch:
                await asyncio.sleep(self.config.mail.poll_s)

    async def _batch(self, connection: Connection) -> int:
        self.use = await outbox.chosen(connection)
        written = self._write(await outbox.pending(connection, self.config.mail.batch))
        await outbox.note_sent(connection, written)
        self.pending, self._oldest_ns = await outbox.backlog(connection)
        return len(written)

    def _write(self, notices: list[outbox.Notice]) -> list[outbox.Notice]:
        """Those that are in the spool now; where one does not fit, the others have to wait as well."""
        for n, (name, body) in enumerate(notices):
            try:
                self._notices.inc(write_notice(self.folders[self.use], name, body))
            except OSError as error:
                if not self.refused:
                    log.error("%s cannot be written to %s: %s", name, self.use, error)
                self.refused = error.strerror or str(error)
                return notices[:n]
        self.refused = ""
        return notices

    async def _watch(self) -> None:
        looks = 0
        while True:
            self.volumes.look()
            if looks % 2 == 0:
                self._note()
            looks += 1
            await asyncio.sleep(INTERVAL_S)

    def _note(self) -> None:
        seen = self.volumes.usage(self.use)
        if seen is None:  # an ordinary folder has no limit to be near to
            return
        left = self.volumes.facts()[self.use]["seconds_to_no_inode"]
        row = {
            "kind": "spool", "t_ns": time.monotonic_ns(), "id": self.use, "account": "", "key": "",
            "inodes": seen.inodes, "inodes_free": seen.inodes_free, "waiting": self.waiting(), "pending": self.pending,
            "left_ms": -1 if left is None else int(left * 1000), "refusing": bool(self.refused),
        }  # fmt: skip
        self._book.write(row)

    def _oldest_s(self) -> float:
        return 0.0 if self._oldest_ns is None else (time.monotonic_ns() - self._oldest_ns) / 1e9
