"""Orders on their way to the exchange: a bounded window of unanswered ones, the rest queued, each with a deadline.

An order that was put on the wire and not answered by its deadline is *unknown*: it leaves the window, but stays
unanswered until the exchange has said something about it. One that never left the queue is definitely not sent.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from targets.brokerage.wire import Message


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an order: state ``new``, ``rejected`` or ``unknown``; ``sent`` whether it went on the wire."""

    state: str
    reason: str = ""
    sent: bool = True


ANSWERS_NS = 500_000_000
"""So long after its last word the exchange is taken to answer."""

NOT_SENT = Verdict("rejected", "not sent", sent=False)


@dataclass(slots=True, eq=False)
class _Ticket:
    message: Message
    answered: asyncio.Future[Verdict]
    sent: bool = False


class Flow:
    """``send`` puts a message on the wire; ``ready`` says whether there is one."""

    def __init__(self, window: int, send: Callable[[Message], None], ready: Callable[[], bool]) -> None:
        self._limit = window
        self._send = send
        self._ready = ready
        self._queue: deque[_Ticket] = deque()
        self._window: set[str] = set()
        self._tickets: dict[str, _Ticket] = {}
        self.unanswered: dict[str, int] = {}
        self._full_since: int | None = None
        self._heard = 0

    @property
    def outstanding(self) -> int:
        """Orders on the wire whose deadline has not passed."""
        return len(self._window)

    def oldest_unanswered_s(self) -> float:
        """Age of the oldest order on the wire about which the exchange has said nothing; 0 without one."""
        sent = min(self.unanswered.values(), default=None)
        return 0.0 if sent is None else (time.monotonic_ns() - sent) / 1e9

    def window_full_s(self) -> float:
        """For how long orders have been waiting behind a full window although the exchange answers; else 0."""
        now = time.monotonic_ns()
        if self._full_since is None or now - self._heard > ANSWERS_NS:
            return 0.0
        return (now - self._full_since) / 1e9

    async def submit(self, message: Message, within_s: float) -> Verdict:
        """Send ``message`` when the window allows and wait for the exchange's word, ``within_s`` in all."""
        cl_ord_id = message["ClOrdID"]
        ticket = _Ticket(message, asyncio.get_running_loop().create_future())
        self._tickets[cl_ord_id] = ticket
        self._queue.append(ticket)
        self.pump()
        try:
            async with asyncio.timeout(within_s):
                return await ticket.answered
        except TimeoutError:
            return Verdict("unknown", "the exchange has not answered") if ticket.sent else NOT_SENT
        finally:
            self._forget(ticket)

    def pump(self) -> None:
        """Send what the window allows."""
        while self._queue and len(self._window) < self._limit and self._ready():
            ticket = self._queue.popleft()
            cl_ord_id = ticket.message["ClOrdID"]
            self._window.add(cl_ord_id)
            self.unanswered[cl_ord_id] = time.monotonic_ns()
            ticket.sent = True
            self._send(ticket.message)
        full = bool(self._queue) and len(self._window) >= self._limit
        self._full_since = (self._full_since or time.monotonic_ns()) if full else None

    def heard_of(self, cl_ord_id: str) -> None:
        """The exchange has said something about the order: it no longer holds a place in the window."""
        now = time.monotonic_ns()
        if self._full_since is not None and now - self._heard > ANSWERS_NS:
            self._full_since = now  # while it did not answer, that was the cause and not the window
        self._heard = now
        self.unanswered.pop(cl_ord_id, None)
        self._window.discard(cl_ord_id)
        self.pump()

    def settled(self, cl_ord_id: str, verdict: Verdict) -> None:
        """What the exchange said is in the database: whoever waits for it may go on."""
        ticket = self._tickets.get(cl_ord_id)
        if ticket is not None and not ticket.answered.done():
            ticket.answered.set_result(verdict)

    def _forget(self, ticket: _Ticket) -> None:
        cl_ord_id = ticket.message["ClOrdID"]
        self._tickets.pop(cl_ord_id, None)
        self._window.discard(cl_ord_id)
        if not ticket.sent:
            self._queue.remove(ticket)
        self.pump()


class Questions:
    """Requests whose answers come back through the posting queue, by a key."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Any]] = {}

    async def ask(self, key: str, send: Callable[[], None], within_s: float) -> Any:
        """Wait for the answer to ``key``; TimeoutError. A second asker of the same key shares the answer."""
        future = self._waiting.setdefault(key, asyncio.get_running_loop().create_future())
        send()
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.shield(future)
        finally:
            if self._waiting.get(key) is future:
                del self._waiting[key]

    def answer(self, key: str, value: Any) -> None:
        """Give the answer to whoever asked."""
        future = self._waiting.get(key)
        if future is not None and not future.done():
            future.set_result(value)
