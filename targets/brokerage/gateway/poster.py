"""Posts what the exchange said, in the order of its sequence numbers, one message a transaction.

The session's next number is stored in the same transaction, so after a crash exactly what was not posted is asked for
again; what is posted twice all the same is recognised by its ExecID. The database's constraints have the last word.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from targets.brokerage.database import Connection, Line
from targets.brokerage.gateway.reconcile import Findings, compare_with_database
from targets.brokerage.session import Deliver
from targets.brokerage.wire import Message

log = logging.getLogger("gateway.poster")

RETRY_S = 0.2
WITHIN_S = 120.0
"""An execution waits for a locked account; the gateway cuts the line sooner when the database is not there at all."""

APPLY = "SELECT apply_execution(%s, %s, %s, %s, %s, %s, %s)"
RECORD = "SELECT record_execution(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
KEEP = "SELECT keep_next_in(%s, %s)"
ACCEPT = "SELECT accept_order(%s)"
END = "SELECT end_order(%s, %s, %s)"
AGREE = "UPDATE operations SET value = %s, changed_ns = %s WHERE name = 'order-number-exchange'"
REFUSE_CANCEL = "SELECT refuse_cancel(%s)"


@dataclass(frozen=True, slots=True)
class Restarted:
    """Both sides began their numbers again; queued so that it takes its place among what was posted."""

    next_in: int


class Poster:
    """``posted`` is told of each message once its transaction is committed, with the findings of a trade report."""

    def __init__(self, line: Line, identity: str, posted: Callable[[Message, Findings | None], None]) -> None:
        self._line = line
        self._identity = identity
        self._posted = posted
        self._queue: deque[Deliver | Restarted] = deque()
        self._arrived = asyncio.Event()

    def put(self, item: Deliver | Restarted) -> None:
        """Queue it behind everything received before."""
        self._queue.append(item)
        self._arrived.set()

    def oldest_ns(self) -> int | None:
        """When the oldest message not yet posted was received."""
        return next((each.received_ns for each in self._queue if isinstance(each, Deliver)), None)

    async def run(self) -> None:
        """Post for ever. While the database cannot be reached the queue waits; a refused posting ends the gateway."""
        while True:
            while not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
            await self._post_in_the_end(self._queue[0])
            self._queue.popleft()

    async def _post_in_the_end(self, item: Deliver | Restarted) -> None:
        while True:
            try:
                findings = await self._line.run(lambda connection: self._post(connection, item), WITHIN_S)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("posting waits for the database: %s", str(error).strip())
                await asyncio.sleep(RETRY_S)
            else:
                if isinstance(item, Deliver):
                    self._posted(item.message, findings)
                return

    async def _post(self, connection: Connection, item: Deliver | Restarted) -> Findings | None:
        findings = None
        if isinstance(item, Deliver):
            findings = await self._apply(connection, item)
        await connection.execute(KEEP, [self._identity, item.next_in])
        return findings

    async def _apply(self, connection: Connection, item: Deliver) -> Findings | None:
        message = item.message
        match message["MsgType"], message.get("ExecType"):
            case "ExecutionReport", "Trade":
                await self._post_trade(connection, item)
            case "ExecutionReport", "New":
                await connection.execute(ACCEPT, [message["ClOrdID"]])
            case "ExecutionReport", "Canceled":
                await connection.execute(END, [message["ClOrdID"], "cancelled", "cancelled"])
            case "ExecutionReport", "Rejected":
                await connection.execute(END, [message["ClOrdID"], "rejected", message.get("Text", "")])
            case "ExecutionReport", "OrderStatus":
                await self._post_status(connection, message)
            case "OrderCancelReject", _:
                await connection.execute(REFUSE_CANCEL, [message["ClOrdID"]])
            case "TradeCaptureReport", _:
                return await compare_with_database(connection, message)
            case _:
                await self._note(connection, message)
        return None

    async def _note(self, connection: Connection, message: Message) -> None:
        """What is no order's state."""
        if message["MsgType"] == "OrderNumberWidthReport":
            await connection.execute(AGREE, [str(message["Width"]), time.monotonic_ns()])
        elif message.get("ExecType") != "Tested":
            log.warning("nothing to post for %s: %s", message["MsgType"], message.get("Text", ""))

    async def _post_trade(self, connection: Connection, item: Deliver) -> None:
        message = item.message
        names = ("ExecID", "ClOrdID", "Account", "Symbol", "Side", "LastQty", "LastPx")
        trade = [message[name] for name in names]
        applied = await (await connection.execute(APPLY, trade)).fetchone()
        if applied == (True,):
            await connection.execute(RECORD, [*trade, item.repeated, item.received_ns, time.monotonic_ns()])

    async def _post_status(self, connection: Connection, message: Message) -> None:
        # Fills are posted by their own reports alone: a status never moves money.
        match message["OrdStatus"]:
            case "Rejected":
                await connection.execute(END, [message["ClOrdID"], "rejected", "not received by the exchange"])
            case "Canceled":
                await connection.execute(END, [message["ClOrdID"], "cancelled", "cancelled"])
            case _:
                await connection.execute(ACCEPT, [message["ClOrdID"]])
