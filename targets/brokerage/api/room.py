"""The waiting room: while it is open, so many purchases a second are let in, in the order in which customers came.

Who has to wait is answered at once, with a ticket and when to come again. A ticket is called when its turn has come;
who comes with a called ticket is let in, and who stays away for twice as long as he was told has lost his place.
Cancels and orders that sell what is held do not wait here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from targets.brokerage.api.roombook import book_file
from targets.brokerage.api.rules import Refusal
from targets.brokerage.bookfile import BookWriter, read_lines
from targets.brokerage.config import Config
from targets.brokerage.recent import RecentRate

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


@dataclass(frozen=True, slots=True)
class Place:
    """Of somebody with a ticket: how many are before, when to look again, and whether it is their turn."""

    ahead: int
    again_s: float
    called: bool


class WaitingRoom:
    """Closed at the beginning: everybody is let in. Tickets do not outlive the api."""

    def __init__(self, config: Config) -> None:
        self.rate = 0.0
        self._tickets: dict[str, _Ticket] = {}  # in the order in which they were given
        self._left = 0.0
        self._filled = 0.0
        self._came = RecentRate(RECENT_S, lambda: time.monotonic())  # by this module's clock, as all else here
        path = book_file(Path(config.folder))
        rows = read_lines(path)
        self._given = sum(row["what"] == "ticket" for row in rows)
        self._book = BookWriter(path)
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
        return self._came.per_s()

    def enter(self, account: str, key: str, name: str) -> None:
        """Let the customer in, or Refusal (503, WAITING_ROOM). ``name``: of the ticket that he has; empty: none."""
        if not self.is_open and not self._tickets:
            return
        self._call()
        ticket = self._tickets.get(name)
        if ticket is None:
            if not self.is_open:
                return
            self._came.note()
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

    def place(self, name: str) -> Place | None:
        """Of the ticket of that name; looking at it keeps the place. None: nobody has it any more."""
        ticket = self._tickets.get(name)
        return None if ticket is None else self._place(ticket)

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
        self._book.close()

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
        place = self._place(ticket)
        says = f"{place.ahead} are before you; come again in {place.again_s:.0f} s with this ticket"
        again = round(place.again_s, 1)
        page = f"/waiting-room/{ticket.name}"
        return Refusal(503, WAITING_ROOM, says, ticket=ticket.name, retry_after_s=again, ahead=place.ahead, page=page)

    def _place(self, ticket: _Ticket) -> Place:
        """Where the ticket stands; its holder is here."""
        ahead = sum(1 for each in self._tickets.values() if not each.called and each.number < ticket.number)
        again_s = min(max((ahead + 1) / self.rate, SOONEST_S), LATEST_S) if self.is_open else SOONEST_S
        ticket.expires = time.monotonic() + PATIENCE * again_s
        return Place(ahead, again_s, ticket.called or not self.is_open)

    def _write(self, what: str, ticket: _Ticket | None, account: str, key: str) -> None:
        row = {
            "kind": "room", "t_ns": time.monotonic_ns(), "id": "" if ticket is None else ticket.name, "what": what,
            "ticket": "" if ticket is None else ticket.name, "account": account, "key": key,
            "since_ns": 0 if ticket is None else ticket.since_ns,
        }  # fmt: skip
        self._book.write(row)
