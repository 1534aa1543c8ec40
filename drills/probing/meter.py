"""Sends requests at fixed instants, whatever becomes of those before, and notes how each ended.

Arrivals are constant, so that their distance says how exactly an outage can be told. Connections are kept and opened
when needed. Where one that was kept turns out to be closed before a byte of the answer came, the request is sent once
more on a new one: every client does so, and a server may close what is idle. Names are resolved again and again, since
a migration may move one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from drills.errors import Refused
from drills.execution import openfiles
from drills.probing.address import Address
from drills.probing.connection import Connection
from drills.probing.samples import Ended, Samples, made
from drills.record.history import NS

RESOLVE_S = 5.0
SWEEP_NS = 5_000_000
"""How often it is looked whose time is up."""
SPIN_NS = 1_000_000
"""The loop's timers are good for milliseconds: the rest of a wait is spent looking at the clock."""
LEAD_NS = 200_000_000
TELL_NS = NS
MOST_REQUESTS = 20_000_000
SPARE_FILES = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """``rate`` requests a second for so long (ns). Who has waited ``patience`` (ns) gives up; ``good`` are statuses.

    At most so many ``connections`` are open at once; with ``fresh`` each request has one of its own.
    """

    rate: float
    lasts: int
    patience: int
    good: range = range(200, 400)
    connections: int = 1_000
    fresh: bool = False

    @property
    def requests(self) -> int:
        """How many."""
        return max(1, int(self.rate * self.lasts / NS))

    @property
    def step(self) -> int:
        """Between two, ns."""
        return int(NS / self.rate)


@dataclass(slots=True)
class Seen:
    """What was seen beside the samples: the first words on each kind of end, statuses, names that moved."""

    words: dict[Ended, str] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    moved: list[tuple[int, str]] = field(default_factory=list)
    sent_again: int = 0


Tell = Callable[["Meter"], None]
"""Called once a second, right after a request has left; nothing is measured while it works."""


class Meter:
    """One measurement. ``samples`` fill as it goes on; ``began`` is when the first request is due (ns)."""

    def __init__(self, where: Address, plan: Plan, tls: ssl.SSLContext | None, tell: Tell) -> None:
        if plan.requests > MOST_REQUESTS:
            raise Refused(f"{plan.requests:,} requests are more than {MOST_REQUESTS:,}", "measure for less time")
        self.where, self.plan, self.seen = where, plan, Seen()
        self.samples = made(plan.requests)
        self.began = 0
        self._due = 0  # requests whose time has come
        self._tls, self._tell = tls if where.tls else None, tell
        self._most = _openable(plan.connections)
        self._hosts: list[str] = []
        self._idle: deque[Connection] = deque()
        self._open = 0
        self._waiting: deque[tuple[int, int]] = deque()  # request, and when its time is up
        self._under_way: dict[int, Connection | asyncio.Task[None]] = {}
        self._stopped = False

    @property
    def open_rows(self) -> Collection[int]:
        """The requests under way."""
        return self._under_way.keys()

    def stop(self) -> None:
        """No more requests; what is under way is not waited for."""
        self._stopped = True

    def taken(self) -> Samples:
        """The samples of the requests that were due so far."""
        return self.samples.part(0, self._due)

    async def run(self) -> None:
        """All of it. Refused where the name cannot be resolved at the beginning."""
        self._hosts = await self._resolved()
        background = [asyncio.ensure_future(each()) for each in (self._watch_name, self._sweep)]
        try:
            await self._pace()
            await self._rest()
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            self._close()

    # -- when ---------------------------------------------------------------------------------------------------------

    async def _pace(self) -> None:
        self.began = time.monotonic_ns() + LEAD_NS
        tell_at, step, rate = self.began, self.plan.step, self.plan.rate
        for row in range(self.plan.requests):
            due = self.began + int(row * NS / rate)
            while (wait := due - time.monotonic_ns()) > 0 and not self._stopped:  # noqa: ASYNC110  # for an instant
                await asyncio.sleep((wait - SPIN_NS) / NS if wait > 2 * SPIN_NS else 0)
            if self._stopped:
                return
            self._begin(row, due)
            if due >= tell_at:
                tell_at += max(TELL_NS, step)
                self._tell(self)
            if row % 64 == 63:
                await asyncio.sleep(0)  # behind: what has come must be read all the same

    async def _rest(self) -> None:
        """Until the last has been answered or given up."""
        while self._under_way and not self._stopped:  # noqa: ASYNC110  # whoever ends them has enough to do
            await asyncio.sleep(0.005)
        now = time.monotonic_ns()
        for row in list(self._under_way):
            self._note(row, Ended.TIMEOUT, 0, now)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_NS / NS)
            now = time.monotonic_ns()
            while self._waiting and self._waiting[0][1] <= now:
                row, _ = self._waiting.popleft()
                if row in self._under_way:
                    self._give_up(row, now)

    def _give_up(self, row: int, now: int) -> None:
        by = self._under_way[row]
        self._note(row, Ended.TIMEOUT, 0, now, f"no answer within {self.plan.patience / NS:g} s")
        if isinstance(by, Connection):
            by.abort()
        else:
            by.cancel()

    # -- one request --------------------------------------------------------------------------------------------------

    def _begin(self, row: int, due: int) -> None:
        self._due = row + 1
        self.samples.due[row] = self.samples.sent[row] = self.samples.done[row] = due
        kept = None if self.plan.fresh else self._kept()
        if kept is not None:
            self._ask(kept, row)
        elif self._open >= self._most:
            self._note(row, Ended.HELD, 0, due, f"{self._most} requests were waiting for an answer already")
        else:
            self._ask_anew(row)
        self._waiting.append((row, int(self.samples.sent[row]) + self.plan.patience))

    def _kept(self) -> Connection | None:
        while self._idle:
            kept = self._idle.pop()
            if kept.usable:
                return kept
        return None

    def _ask(self, by: Connection, row: int) -> None:
        self._under_way[row] = by
        self.samples.sent[row] = by.ask(row, self.where.request)

    def _ask_anew(self, row: int) -> None:
        self._open += 1
        self.samples.sent[row] = time.monotonic_ns()
        self._under_way[row] = asyncio.ensure_future(self._connect(row))

    async def _connect(self, row: int) -> None:
        """A new connection, and the request on it. It counts as sent when it was begun to be opened."""
        task = asyncio.current_task()
        try:
            by = await self._opened()
        except asyncio.CancelledError:
            self._open -= 1
            raise
        except OSError as error:
            self._open -= 1
            if self._under_way.get(row) is task:
                how, words = _failure(error)
                self._note(row, how, 0, time.monotonic_ns(), words)
            return
        if self._under_way.get(row) is not task:
            by.abort()
            return
        self._under_way[row] = by
        by.ask(row, self.where.request)

    async def _opened(self) -> Connection:
        loop, last = asyncio.get_running_loop(), OSError("no address")
        name = None if self._tls is None else self.where.host
        for host in self._hosts:
            try:
                _, by = await loop.create_connection(
                    lambda: Connection(self._ended, self._left, head_only=self.where.head_only),
                    host, self.where.port, ssl=self._tls, server_hostname=name,
                )  # fmt: skip
            except OSError as error:
                last = error
            else:
                return by
        raise last

    def _ended(self, by: Connection, how: Ended, status: int, now: int) -> None:
        row, by.row = by.row, -1
        if self._under_way.get(row) is not by:
            return
        if how is Ended.RESET and not by.fresh and not by.heard and not self._stopped:
            self.seen.sent_again += 1
            sent = int(self.samples.sent[row])
            self._ask_anew(row)
            self.samples.sent[row] = sent
            return
        if how is Ended.ANSWERED:
            self.seen.statuses[status] += 1
            if status not in self.plan.good:
                self._note(row, Ended.STATUS, status, now, f"status {status}")
            else:
                self._note(row, how, status, now)
            if self.plan.fresh:
                by.abort()
            elif by.usable:
                self._idle.append(by)
            return
        self._note(row, how, status, now, "the connection ended before the answer" if how is Ended.RESET else "")

    def _left(self, by: Connection) -> None:
        self._open -= 1

    def _note(self, row: int, how: Ended, status: int, now: int, words: str = "") -> None:
        self._under_way.pop(row, None)
        self.samples.done[row], self.samples.how[row] = now, how
        if how is not Ended.ANSWERED:
            self.seen.words.setdefault(how, words)

    # -- names --------------------------------------------------------------------------------------------------------

    async def _resolved(self) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self.where.host, self.where.port, type=socket.SOCK_STREAM)
        except OSError as error:
            says = f"{self.where.host} cannot be resolved: {error.strerror or error}"
            raise Refused(says, "look at the name, and at the resolver's configuration") from error
        return list(dict.fromkeys(str(each[4][0]) for each in found))

    async def _watch_name(self) -> None:
        while True:
            await asyncio.sleep(RESOLVE_S)
            with contextlib.suppress(Refused):  # the last answer holds; what cannot be connected to shows by itself
                hosts = await self._resolved()
                if set(hosts) != set(self._hosts):
                    self.seen.moved.append((time.monotonic_ns(), ", ".join(hosts)))
                    self._hosts = hosts

    def _close(self) -> None:
        for by in [*self._idle, *self._under_way.values()]:
            if isinstance(by, Connection):
                by.abort()
            else:
                by.cancel()


def _failure(error: OSError) -> tuple[Ended, str]:
    """What it means that no connection came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Ended.TLS, f"the certificate is not good: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return Ended.TLS, f"no TLS handshake: {error.reason or error}"
    if isinstance(error, ConnectionRefusedError):
        return Ended.REFUSED, "the connection was refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return Ended.RESET, "the connection was reset while it was opened"
    return Ended.UNREACHABLE, str(error.strerror or error)


def _openable(wanted: int) -> int:
    """So many connections, the soft limit of open files raised for them where it may be; as many as there may be."""
    openfiles.provide(wanted + SPARE_FILES)
    return max(1, min(wanted, openfiles.limits().soft - SPARE_FILES))


def carry_out(meter: Meter) -> None:
    """In this thread, on the fastest event loop there is."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(meter.run())
