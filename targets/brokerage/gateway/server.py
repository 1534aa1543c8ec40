"""The gateway at work: wires the session, the flow of orders and the posting together, and answers for them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import psycopg
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from targets.brokerage import database
from targets.brokerage.config import Config
from targets.brokerage.database import Connection, Line
from targets.brokerage.gateway.flow import Flow, Questions, Verdict
from targets.brokerage.gateway.link import Links
from targets.brokerage.gateway.poster import Poster, Restarted
from targets.brokerage.gateway.reconcile import Findings
from targets.brokerage.numbering import WIDTH, field
from targets.brokerage.serving import Job, Unhealthy
from targets.brokerage.session import Deliver, Session
from targets.brokerage.wire import Message

log = logging.getLogger("gateway")

RECOVER = "UPDATE orders SET state = 'unknown', unknown_ns = coalesce(unknown_ns, %s) WHERE state = 'pending-new'"
BEGIN = "SELECT next_in, next_out, link FROM session WHERE identity = %s"
RESERVE = "UPDATE session SET next_out = %s WHERE identity = %s"
UNANSWERED = "SELECT cl_ord_id, created_ns FROM orders WHERE state = 'unknown'"
COUNTS = """SELECT (SELECT count(*) FROM orders WHERE state = 'unknown'),
    (SELECT count(*) FROM outbox WHERE state = 'held'),
    (SELECT value FROM operations WHERE name = 'order-number-gateway'),
    (SELECT value FROM operations WHERE name = 'order-number-overflow')"""

POLL_S = 0.5
TRUNCATE = "truncate"
DATABASE_S = 3.0


class OtherNode(Protocol):
    """A node beside this one that sends orders over a session of its own."""

    flow: Flow

    async def logged_on_within(self, seconds: float) -> str:
        """How its session stands."""

    async def close(self) -> None:
        """Close its connection."""


class Gateway:
    """Implements ``serving.Service`` and ``link.Listener``. ``links`` exists once the database has been read."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.identity = config.gateway.identity
        self._posting = Line(database.dsn(config.through("gateway-pg"), "gateway-posting"))
        self.line = Line(database.dsn(config.through("gateway-pg"), "gateway"))
        self.poster = Poster(self._posting, self.identity, self._posted)
        self.flow = Flow(config.gateway.window, self._send, self.ready)
        self.statuses = Questions()
        self.captures = Questions()
        self.links: Links | None = None
        self.second: OtherNode | None = None
        self.last_findings: Findings | None = None
        self.unknown = self.held = 0
        self.width, self.truncates = WIDTH, False
        self._database_answers = True

    # -- the service --------------------------------------------------------------------------------------------------

    def jobs(self) -> Sequence[Job]:
        """The session, the posting, and a look at the database."""
        return (self._session, self.poster.run, self._poll)

    def health(self) -> Mapping[str, Any]:
        """Able to work once its state has been read and a logon tried; how the session stands is told beside it."""
        if self.links is None or not self.links.attempted.is_set():
            raise Unhealthy("the session's state has not been read from the database yet")
        if not self._database_answers:
            raise Unhealthy("the database does not answer")
        return {"session": self.session_word(), "link": self.links.link}

    async def stop(self) -> None:
        """Close the session and both lines."""
        if self.second is not None:
            await self.second.close()
        if self.links is not None:
            await self.links.close()
        await self.line.close()
        await self._posting.close()

    # -- what is so ---------------------------------------------------------------------------------------------------

    def ready(self) -> bool:
        """Whether there is a wire to send orders on; it may be silent."""
        return self.links is not None and self.links.session.active

    def session_word(self) -> str:
        """``active`` while logged on, heard or not; else ``down``."""
        if not self.ready():
            return "down"
        silent = self.links is not None and self.links.session.silent(time.monotonic_ns())
        return "silent" if silent else "active"

    def status(self) -> dict[str, Any]:
        """For operators. Ages in seconds."""
        now = time.monotonic_ns()
        session = None if self.links is None else self.links.session
        return {
            "session": self.session_word(),
            "link": None if self.links is None else self.links.link,
            "heartbeat_age_s": None if self.links is None else (now - self.links.heard_ns) / 1e9,
            "next_in": None if session is None else session.next_in,
            "next_out": None if session is None else session.next_out,
            "resyncing": session is not None and session.resyncing,
            "outstanding": self.flow.outstanding,
            "unanswered": len(self.flow.unanswered),
            "unknown": self.unknown,
            "notices_held": self.held,
            "queue_age_s": self.queue_age_s(),
            "missing_accounts": [] if self.last_findings is None else self.last_findings.missing_accounts,
        }

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges, read when they are scraped."""
        if self.links is not None:
            age = GaugeMetricFamily("gateway_link_heartbeat_age_seconds", "Since the last byte", labels=["link"])
            age.add_metric([self.links.link], (time.monotonic_ns() - self.links.heard_ns) / 1e9)
            yield age
        for name, says, value in (
            ("gateway_oldest_unanswered_seconds", "Oldest order without an answer", self.flow.oldest_unanswered_s()),
            ("gateway_execution_queue_age_seconds", "Oldest message not posted", self.queue_age_s()),
            ("gateway_session_up", "Whether logged on", float(self.ready())),
            ("gateway_outstanding", "Orders in the window", float(self.flow.outstanding)),
            ("gateway_window_full_seconds", "Orders have waited behind a full window", self.flow.window_full_s()),
            ("gateway_unknown_orders", "Orders whose state is unknown", float(self.unknown)),
            ("gateway_notices_held", "Notices held for the operator", float(self.held)),
        ):
            yield GaugeMetricFamily(name, says, value=value)

    def number_field(self, series: str, number: int) -> str | None:
        """An order's number as it is sent; None where it does not fit the field."""
        return field(series, number, self.width, self.truncates)

    # -- what comes about on the session ------------------------------------------------------------------------------

    def delivered(self, delivery: Deliver) -> None:
        """Everything goes through the posting queue, in order; the window is freed at once."""
        if delivery.message["MsgType"] == "ExecutionReport":
            for flow in self._flows():
                flow.heard_of(delivery.message["ClOrdID"])
        self.poster.put(delivery)

    def was_reset(self) -> None:
        """The durable number starts again too, behind what was received before."""
        self.poster.put(Restarted(1))

    def logged_on(self) -> None:
        """Queued orders may go."""
        self.flow.pump()

    def send(self, message: Message) -> None:
        """Put a request on the wire."""
        self._send(message)

    def _send(self, message: Message) -> None:
        assert self.links is not None
        self.links.send(message)

    def _posted(self, message: Message, findings: Findings | None) -> None:
        if findings is not None:
            self.captures.answer(message["TradeRequestID"], findings)
            return
        cl_ord_id = str(message.get("ClOrdID"))
        match message.get("ExecType", message["MsgType"]):
            case "New" | "Trade":
                self._settled(cl_ord_id, Verdict("new"))
            case "OrderNumberWidthReport":
                self.statuses.answer("width", message["Width"])
            case "Tested":
                self._settled(cl_ord_id, Verdict("tested"))
            case "Rejected":
                self._settled(cl_ord_id, Verdict("rejected", str(message.get("Text", ""))))
            case "OrderStatus":
                self.statuses.answer(cl_ord_id, message["OrdStatus"])
        if message.get("ExecType") == "Canceled" or message["MsgType"] == "OrderCancelReject":
            self.statuses.answer(f"cancel:{cl_ord_id}", message["OrdStatus"])

    def _settled(self, cl_ord_id: str, verdict: Verdict) -> None:
        for flow in self._flows():
            flow.settled(cl_ord_id, verdict)

    def _flows(self) -> Sequence[Flow]:
        return (self.flow,) if self.second is None else (self.flow, self.second.flow)

    def queue_age_s(self) -> float:
        """Age of the oldest message that was received and is not posted; 0 without one."""
        waiting = [self.poster.oldest_ns(), None if self.links is None else self.links.session.oldest_buffered_ns]
        oldest = min((each for each in waiting if each is not None), default=None)
        return 0.0 if oldest is None else (time.monotonic_ns() - oldest) / 1e9

    # -- jobs ---------------------------------------------------------------------------------------------------------

    async def _session(self) -> None:
        settings = self.config.gateway
        next_in, next_out, link = await self._begin()
        session = Session(int(settings.heartbeat_s * 1e9), next_in=next_in, next_out=next_out)
        self.links = Links(self.config, session, link, next_out + settings.reserve, self)
        await self.links.run()

    async def _begin(self) -> tuple[int, int, str]:
        """Read the numbers, reserve the next ones, and take what was under way when we ended as unknown."""

        async def work(connection: Connection) -> tuple[int, int, str]:
            found = await (await connection.execute(BEGIN, [self.identity])).fetchone()
            if found is None:
                raise RuntimeError(f"the database knows no session {self.identity}")
            await connection.execute(RESERVE, [found[1] + self.config.gateway.reserve, self.identity])
            await connection.execute(RECOVER, [time.monotonic_ns()])
            self.flow.unanswered.update(await (await connection.execute(UNANSWERED)).fetchall())
            return found[0], found[1], found[2]

        while True:
            try:
                return await self.line.run(work, DATABASE_S)
            except psycopg.OperationalError as error:
                log.warning("waiting for the database: %s", str(error).strip())
                await asyncio.sleep(POLL_S)

    async def _poll(self) -> None:
        """Counts for the gauges, numbers reserved ahead; and when the database does not answer, cut the posting too."""
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.line.run(self._look, DATABASE_S)
                self._database_answers = True
            except psycopg.OperationalError as error:
                self._database_answers = False
                log.warning("the database does not answer: %s", str(error).strip())
                self._posting.cut()

    async def _look(self, connection: Connection) -> None:
        counts = await (await connection.execute(COUNTS)).fetchone()
        assert counts is not None
        self.unknown, self.held, width, overflow = counts
        self.width, self.truncates = int(width), overflow == TRUNCATE
        links, reserve = self.links, self.config.gateway.reserve
        if links is not None and links.session.next_out > links.number_limit - reserve // 2:
            limit = links.session.next_out + reserve
            await connection.execute(RESERVE, [limit, self.identity])
            links.number_limit = limit
