"""What operators can have done about withdrawals that are unknown: asked, settled, sent again, told to customers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from targets.brokerage.api.store import Store
from targets.brokerage.config import Config
from targets.brokerage.withdrawals.desk import Desk
from targets.brokerage.withdrawals.link import ABSENT, BankLink
from targets.brokerage.withdrawals.linklog import Sent, requests

UNKNOWN = "SELECT id, account, yen FROM withdrawals WHERE state = 'unknown' ORDER BY id"
NOTICES = """UPDATE withdrawals SET told = state, told_ns = %s
    WHERE unknown_ns IS NOT NULL AND state NOT IN ('pending', 'unknown') AND told <> state RETURNING account"""
NO_KEY, NOT_FINAL, UNANSWERED = "no-key", "not-final", "unanswered"


@dataclass(frozen=True, slots=True)
class Found:
    """What the bank says of an unknown withdrawal: ``completed``, ``rejected`` or ``absent``; or why nobody can tell.

    ``no-key``: no log has the reference; ``not-final``: the bank may still book it; ``unanswered``: it does not answer.
    """

    withdrawal: str
    account: str
    yen: int
    reference: str
    state: str


class Settling:
    """One method a command; each raises Refusal (503) where the database does not answer."""

    def __init__(self, config: Config, store: Store, link: BankLink, desk: Desk) -> None:
        self._config = config
        self._store = store
        self._link = link
        self._desk = desk

    async def inquire(self) -> list[Found]:
        """Ask the bank about each; nothing is changed by it."""
        keys = requests(Path(self._config.folder))
        rows = await self._store.all(UNKNOWN, [])
        return list(await asyncio.gather(*(self._ask(row, keys.get(row[0], [])) for row in rows)))

    async def resolve(self) -> dict[str, int]:
        """Settle each by what the bank says; what it says nothing final about stays unknown."""
        done: Counter[str] = Counter()
        for each in await self.inquire():
            state = {"completed": "completed", "rejected": "rejected", ABSENT: "reversed"}.get(each.state)
            if state is not None:
                await self._desk.settle(each.withdrawal, state, each.reference, "inquiry")
            done[state or each.state] += 1
        return done

    async def decide(self, state: str, withdrawal: str) -> int:
        """Settle one, or all that are unknown, as an operator says; how many."""
        rows = [row for row in await self._store.all(UNKNOWN, []) if withdrawal in ("", row[0])]
        for row in rows:
            await self._desk.settle(row[0], state, "", "operator")
        return len(rows)

    async def resend(self, new_reference: bool) -> dict[str, int]:
        """Send each to the bank again, under its own reference or a new one, and settle it by the answer."""
        keys = {} if new_reference else requests(Path(self._config.folder))
        rows = [row for row in await self._store.all(UNKNOWN, []) if new_reference or row[0] in keys]
        return Counter(await asyncio.gather(*(self._again(row, keys.get(row[0], [])) for row in rows)))

    async def notify(self) -> list[str]:
        """Tell each customer whose withdrawal had been unknown what became of it; whom."""
        return sorted({row[0] for row in await self._store.all(NOTICES, [time.monotonic_ns()])})

    async def _again(self, row: tuple[Any, ...], earlier: list[Sent]) -> str:
        withdrawal, account, yen = row
        reference = earlier[-1].reference if earlier else ""
        state, used = await self._link.pay(withdrawal, account, yen, reference)
        if state in ("completed", "rejected"):
            await self._desk.settle(withdrawal, state, used, "resent")
        return state

    async def _ask(self, row: tuple[Any, ...], sent: list[Sent]) -> Found:
        """By every reference it was ever sent under: one that was booked decides."""
        said = {each.reference: await self._link.inquire(each.reference) for each in sent}
        withdrawal, account, yen = row
        reference, state = _verdict(sent, said, self._final_ns())
        return Found(withdrawal, account, yen, reference, state)

    def _final_ns(self) -> int:
        return time.monotonic_ns() - int(self._config.withdrawals.longest_delay_s * 1e9)


def _verdict(sent: list[Sent], said: dict[str, str], final_ns: int) -> tuple[str, str]:
    """The reference that decides, and what the bank said under it or why that is not the last word."""
    if not sent:
        return "", NO_KEY
    booked = _of_state(said, "completed")
    if booked:
        return booked[0], "completed"
    last = sent[-1]
    if _of_state(said, "unknown"):
        return last.reference, UNANSWERED
    if any(each.t_ns > final_ns for each in sent if said[each.reference] == ABSENT):
        return last.reference, NOT_FINAL
    rejected = _of_state(said, "rejected")
    return (rejected[0], "rejected") if rejected else (last.reference, ABSENT)


def _of_state(said: dict[str, str], state: str) -> list[str]:
    return [reference for reference, each in said.items() if each == state]
