"""The waiting room: while it is open, so many purchases a second are let in, in the order in which customers came.

Who has to wait is answered at once, with a ticket and when to come again. A ticket is called when its turn has come;
who comes with a called ticket is let in, and who stays away for twice as long as he was told has lost his place.
Cancels and orders that sell what is held do not wait here.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client.core import GaugeMetricFamily

from targets.brokerage.api.roombook import book_file
from targets.brokerage.api.rules import Refusal
from targets.brokerage.bookfile import read_lines
from targets.brokerage.config import Config

WAITING_ROOM = "WAITING_ROOM"
SOONEST_S, LATEST_S = 1.0, 4.0
"""Bounds of when a customer is told to come again: not so soon that asking is a load of its own, and not so late that
whoever came after is let in well before."""
PATIENCE = 2
TICK_S = 0.25
RECENT_S = 2.0
BURST_S = 0.25
"""So much of a second's admissions may be left over for who comes next."""


@dataclass(slots=True)
class _Ticket:
    number: int
    since_ns: int
    account: str
    key: str
    expires: float
    called: bool = False

    @property
    def name(self) -> str:
        return f"W-{self.number:06d}"


class WaitingRoom:
    """Closed at the beginning: everybody is let in. Tickets do not outlive the api."""

    def __init__(self, config: Config) -> None:
        self.rate = 0.0
        self._tickets: dict[str, _Ticket] = {}  # in the order in which they were given
        self._left = 0.0
        self._filled = 0.0
        self._came: deque[float] = deque()
        path = book_file(Path(config.folder))
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = read_lines(path) if path.exists() else []
        self._rows = len(rows)
        self._given = sum(row["what"] == "ticket" for row in rows)
        self._book = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        if [row["what"] for row in rows if row["what"] in ("opened", "closed")][-1:] == ["opened"]:
            self._write("closed", None, "", "")  # it was open when the api ended

    @property
    def is_open(self) -> bool:
        """Whether customers wait here."""
        return self.rate > 0

    @property
    def waiting(self) -> int:
        """Tickets whose holders have neither come in nor stayed away."""
        return len(self._tickets)

    def oldest_s(self) -> float:
        """Since when the first of them has been waiting; 0 without one."""
        first = next(iter(self._tickets.values()), None)
        return 0.0 if first is None else (time.monotonic_ns() - first.since_ns) / 1e9

    def arriving_per_s(self) -> float:
        """How many have been coming of late; who comes again with a ticket does not count."""
        while self._came and self._came[0] < time.monotonic() - RECENT_S:
            self._came.popleft()
        return len(self._came) / RECENT_S

    def enter(self, account: str, key: str, name: str) -> None:
        """Let the customer in, or Refusal (503, WAITING_ROOM). ``name``: of the ticket that he has; empty: none."""
        if not self.is_open and not self._tickets:
            return
        self._call()
        ticket = self._tickets.get(name)
        if ticket is None:
            if not self.is_open:
                return
            self._came.append(time.monotonic())
            if self._left >= 1 and all(each.called for each in self._tickets.values()):
                self._left -= 1
                self._write("admitted", None, account, key)
                return
            ticket = self._give(account, key)
        elif ticket.called or not self.is_open:
            del self._tickets[name]
            self._write("admitted", ticket, account, key)
            return
        raise self._wait(ticket)

    def let_in(self, rate: float) -> None:
        """So many a second; 0 closes the room, and everybody is let in."""
        self._call()
        if self.is_open != (rate > 0):
            self._write("opened" if rate else "closed", None, "", "")
        self._left = 0.0 if not self.is_open else self._left
        self.rate = rate

    def facts(self) -> dict[str, Any]:
        """For operators."""
        return {
            "open": self.is_open, "per_s": self.rate, "waiting": self.waiting, "oldest_s": self.oldest_s(),
            "arriving_per_s": self.arriving_per_s(),
        }  # fmt: skip

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges."""
        yield GaugeMetricFamily("api_room_waiting", "Customers in the waiting room", value=float(self.waiting))
        yield GaugeMetricFamily("api_room_oldest_seconds", "Oldest ticket", value=self.oldest_s())

    async def watch(self) -> None:
        """Call tickets, and take them from who has stayed away, for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            self._call()
            now = time.monotonic()
            for name, ticket in [pair for pair in self._tickets.items() if pair[1].expires < now]:
                del self._tickets[name]
                self._write("expired", ticket, ticket.account, ticket.key)

    def close(self) -> None:
        """Close the book."""
        os.close(self._book)

    def _call(self) -> None:
        """Call whoever is next, for as many as may come in by now."""
        now = time.monotonic()
        self._left += self.rate * (now - self._filled)
        self._filled = now
        for ticket in self._tickets.values():
            if self._left < 1:
                return
            if not ticket.called:
                ticket.called = True
                self._left -= 1
        self._left = min(self._left, max(1.0, self.rate * BURST_S))

    def _give(self, account: str, key: str) -> _Ticket:
        self._given += 1
        ticket = _Ticket(self._given, time.monotonic_ns(), account, key, 0.0)
        self._tickets[ticket.name] = ticket
        self._write("ticket", ticket, account, key)
        return ticket

    def _wait(self, ticket: _Ticket) -> Refusal:
        ahead = sum(1 for each in self._tickets.values() if not each.called and each.number < ticket.number)
        after = min(max((ahead + 1) / self.rate, SOONEST_S), LATEST_S)
        ticket.expires = time.monotonic() + PATIENCE * after
        says = f"{ahead} are before you; come again in {after:.0f} s with this ticket"
        return Refusal(503, WAITING_ROOM, says, ticket=ticket.name, retry_after_s=round(after, 1), ahead=ahead)

    def _write(self, what: str, ticket: _Ticket | None, account: str, key: str) -> None:
        row = {
            "kind": "room", "t_ns": time.monotonic_ns(), "id": "" if ticket is None else ticket.name, "what": what,
            "ticket": "" if ticket is None else ticket.name, "account": account, "key": key,
            "since_ns": 0 if ticket is None else ticket.since_ns, "n": self._rows,
        }  # fmt: skip
        os.write(self._book, msgspec.json.encode(row) + b"\n")
        self._rows += 1
