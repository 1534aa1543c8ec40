"""Mark-to-market: each lot is valued at the price of the business date, and the day's variation is booked.

Accounts are worked in chunks, in the order of their ids, one transaction a chunk: it locks the chunk's accounts, asks
the valuation service lot by lot, and posts. A committed chunk is the checkpoint, kept by account. An isolated account
is left out of the chunks: its lots are valued block by block without its lock, which is taken for the posting only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from targets.brokerage.batch.valuer import Valuer
from targets.brokerage.config import BatchConfig
from targets.brokerage.database import Connection

JOB = "mark-to-market"
PIECE = 50
"""Lots written back at a time; also how soon a job notices that its session has been ended."""

TODO = """SELECT a.id FROM accounts a
    WHERE NOT EXISTS (SELECT 1 FROM batch_done d WHERE d.job = 'mark-to-market' AND d.account = a.id AND d.day = %s)
    ORDER BY a.id"""
APART = "SELECT account FROM isolated_accounts WHERE done_ns IS NULL ORDER BY account"
LOTS_LEFT = "SELECT count(*) FROM lots WHERE account = ANY (%s)"
LOCK = "SELECT id FROM accounts WHERE id = ANY (%s) ORDER BY id FOR UPDATE"
LOTS = "SELECT id, code, quantity, account FROM lots WHERE account = ANY (%s) ORDER BY account, id"
KEEP = "SELECT keep_marks(%s, %s, %s)"
POST = "SELECT post_variations(%s, %s, %s, %s, %s)"
FORGET = "DELETE FROM batch_done WHERE job = 'mark-to-market' AND day = %s"
UNMARKED = """SELECT id, code, quantity FROM lots WHERE account = %s AND id > %s AND marked IS DISTINCT FROM %s
    ORDER BY id LIMIT %s"""
BEGIN_APART = """UPDATE isolated_accounts i SET day = %(day)s,
    lots = (SELECT count(*) FROM lots l WHERE l.account = i.account),
    lots_done = (SELECT count(*) FROM lots l WHERE l.account = i.account AND l.marked = %(day)s)
    WHERE i.account = %(account)s"""
PROGRESS = "UPDATE isolated_accounts SET lots_done = lots_done + %s WHERE account = %s"
END_APART = "UPDATE isolated_accounts SET done_ns = %s WHERE account = %s"

Lot = tuple[str, str, int]
"""Id, code, shares."""


@dataclass(frozen=True, slots=True)
class Night:
    """Which night it is: the business date whose prices are booked (``day``), and the one before it."""

    before: str
    day: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """How long a transaction held its accounts; ns of CLOCK_MONOTONIC."""

    first: str
    last: str
    lots: int
    locked_ns: int
    released_ns: int
    outcome: str  # committed | rolled-back


@dataclass(slots=True)
class Progress:
    """Where the marking stands; counts of accounts and of lots."""

    total: int = 0
    done: int = 0
    lots: int = 0
    lots_done: int = 0
    apart: dict[str, int] = field(default_factory=dict)  # isolated account -> lots still to be valued


@dataclass(frozen=True, slots=True)
class Marking:
    """One attempt. ``checkpoint`` is awaited between transactions and may raise; ``held`` is told of each chunk."""

    connection: Connection
    valuer: Valuer
    config: BatchConfig
    night: Night
    attempt: int
    progress: Progress
    checkpoint: Callable[[], None]
    held: Callable[[Chunk], Awaitable[None]]

    async def forget(self) -> None:
        """Ignore what earlier attempts have done: all accounts are worked again."""
        await self.connection.execute(FORGET, [self.night.day])

    async def run(self) -> None:
        """Mark all accounts that are not done. ValuationFailed, psycopg.Error, or what ``checkpoint`` raises."""
        apart = [row[0] for row in await self._rows(APART, [])]
        todo = [row[0] for row in await self._rows(TODO, [self.night.day])]
        await self._plan(todo, apart)
        together = [account for account in todo if account not in apart]
        for start in range(0, len(together), self.config.chunk):
            self.checkpoint()
            await self._chunk(together[start : start + self.config.chunk])
            await asyncio.sleep(self.config.pause_s)
        for account in apart:
            await self._apart(account, account in todo)

    async def _plan(self, todo: list[str], apart: list[str]) -> None:
        total = await self._rows("SELECT count(*) FROM accounts", [])
        self.progress.total, self.progress.done = total[0][0], total[0][0] - len(todo)
        self.progress.lots = (await self._rows(LOTS_LEFT, [[each for each in todo if each not in apart]]))[0][0]
        self.progress.lots_done = 0
        self.progress.apart = {each: (await self._rows(LOTS_LEFT, [[each]]))[0][0] for each in apart}

    async def _chunk(self, accounts: list[str]) -> None:
        lots, locked_ns, outcome = 0, time.monotonic_ns(), "rolled-back"
        before = self.progress.lots_done
        try:
            async with self.connection.transaction():
                await self.connection.execute(LOCK, [accounts])
                locked_ns = time.monotonic_ns()
                found = await self._rows(LOTS, [accounts])
                lots = len(found)
                for _, held in groupby(found, key=itemgetter(3)):
                    for piece in batched(held, PIECE):
                        await self._value(piece)
                await self._post(accounts)
            outcome = "committed"
        finally:
            if outcome != "committed":
                self.progress.lots_done = before
            await self.held(Chunk(accounts[0], accounts[-1], lots, locked_ns, time.monotonic_ns(), outcome))
        self.progress.done += len(accounts)

    async def _value(self, lots: list[Lot]) -> None:
        """One call a lot, inside the caller's transaction, and a rewrite of the lots."""
        marks = []
        for lot in lots:
            marks += await self.valuer.marks([(lot[1], lot[2])], self.night.day)
            self.progress.lots_done += 1
        await self.connection.execute(KEEP, [[lot[0] for lot in lots], marks, self.night.day])

    async def _post(self, accounts: list[str]) -> None:
        values = [accounts, self.night.before, self.night.day, self.attempt, time.monotonic_ns()]
        await self.connection.execute(POST, values)

    async def _apart(self, account: str, todo: bool) -> None:
        """Value block by block, without the account's lock; then post in one short transaction."""
        if todo:
            await self.connection.execute(BEGIN_APART, {"day": self.night.day, "account": account})
            last = ""
            while last := await self._block(account, last):
                self.checkpoint()
        locked_ns = time.monotonic_ns()
        async with self.connection.transaction():
            if todo:
                await self.connection.execute(LOCK, [[account]])
                locked_ns = time.monotonic_ns()
                await self._post([account])
            await self.connection.execute(END_APART, [time.monotonic_ns(), account])
        await self.held(Chunk(account, account, 0, locked_ns, time.monotonic_ns(), "committed"))
        self.progress.done += todo
        self.progress.apart[account] = 0

    async def _block(self, account: str, after: str) -> str:
        """One call and one transaction for the lots that follow ``after``; the last one's id, or empty at the end."""
        lots = await self._rows(UNMARKED, [account, after, self.night.day, self.config.block])
        if not lots:
            return ""
        marks = await self.valuer.marks([(lot[1], lot[2]) for lot in lots], self.night.day)
        async with self.connection.transaction():
            await self.connection.execute(KEEP, [[lot[0] for lot in lots], marks, self.night.day])
            await self.connection.execute(PROGRESS, [len(lots), account])
        self.progress.apart[account] = max(0, self.progress.apart[account] - len(lots))
        return str(lots[-1][0])

    async def _rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return await (await self.connection.execute(query.encode(), values)).fetchall()


def batched(lots: Iterable[tuple[Any, ...]], size: int) -> Iterator[list[Lot]]:
    """Consecutive pieces of at most ``size``."""
    rest = iter(lots)
    while piece := [(row[0], row[1], row[2]) for row in islice(rest, size)]:
        yield piece
