"""The mail spool: one file per execution notice, exactly once per execution, whatever is killed or sent again.

A notice is *delivered* when its file exists in ``<stack>/spool``. The file is written aside and linked into place, and
a link that exists is never replaced; only then the outbox says ``sent``. Killed in between, it finds the file there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from prometheus_client import CollectorRegistry, Counter, Gauge

from targets.brokerage import database, serving
from targets.brokerage.config import Config
from targets.brokerage.database import Connection, Line
from targets.brokerage.mail.books import spool_folder
from targets.brokerage.serving import Job, Unhealthy

log = logging.getLogger("mail")

PENDING = """SELECT e.exec_id, e.account, e.order_id, e.code, e.side, e.quantity, e.price, o.created_ns
    FROM outbox o JOIN executions e USING (exec_id) WHERE o.state = 'pending' ORDER BY o.created_ns LIMIT %s"""
SENT = "UPDATE outbox SET state = 'sent' WHERE exec_id = ANY (%s)"
BACKLOG = "SELECT count(*), min(created_ns) FROM outbox WHERE state = 'pending'"
WITHIN_S = 5.0
FIELDS = ("exec_id", "account", "order", "code", "side", "quantity", "price")


class Mail:
    """Implements ``serving.Service``."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self._pending = Gauge("mail_outbox_pending", "Notices waiting", registry=self.registry)
        oldest = Gauge("mail_oldest_pending_seconds", "Age of the oldest waiting notice", registry=self.registry)
        oldest.set_function(self._oldest_s)
        self._notices = Counter("mail_notices_total", "Notices delivered", registry=self.registry)
        self._line = Line(database.dsn(config.at("postgres"), "mail"))
        self._folder = spool_folder(Path(config.folder))
        self._oldest_ns: int | None = None
        self._working = False

    def jobs(self) -> Sequence[Job]:
        """Delivering."""
        return (self._deliver,)

    def health(self) -> Mapping[str, Any]:
        """Delivering needs the database and the spool."""
        if not self._working:
            raise Unhealthy("the outbox cannot be read")
        return {"spool": str(self._folder)}

    async def stop(self) -> None:
        """Close the database connection."""
        await self._line.close()

    async def _deliver(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                count = await self._line.run(self._batch, WITHIN_S)
                self._working = True
            except psycopg.OperationalError as error:
                log.warning("the outbox cannot be read: %s", str(error).strip())
                self._working, count = False, 0
            if count < self.config.mail.batch:
                await asyncio.sleep(self.config.mail.poll_s)

    async def _batch(self, connection: Connection) -> int:
        rows = await (await connection.execute(PENDING, [self.config.mail.batch])).fetchall()
        for row in rows:
            body = dict(zip(FIELDS, row, strict=False))
            self._notices.inc(write_notice(self._folder, body, time.monotonic_ns()))
        if rows:
            await connection.execute(SENT, [[row[0] for row in rows]])
        backlog = await (await connection.execute(BACKLOG)).fetchone()
        assert backlog is not None
        self._pending.set(backlog[0])
        self._oldest_ns = backlog[1]
        return len(rows)

    def _oldest_s(self) -> float:
        return 0.0 if self._oldest_ns is None else (time.monotonic_ns() - self._oldest_ns) / 1e9


def write_notice(folder: Path, body: Mapping[str, Any], t_ns: int) -> bool:
    """Put the notice of ``body['exec_id']`` into the spool; False when it is there already. OSError: volume full …"""
    final = folder / f"{body['exec_id']}.json"
    aside = folder / f".{body['exec_id']}.{os.getpid()}"
    try:
        aside.write_bytes(msgspec.json.encode({"t_ns": t_ns, **body}))
        with contextlib.suppress(FileExistsError):
            os.link(aside, final)
            return True
        return False
    finally:
        aside.unlink(missing_ok=True)


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``mail``."""
    serving.serve(Mail(config), (), sockets["mail"])
