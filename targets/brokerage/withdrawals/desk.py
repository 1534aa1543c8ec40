"""Withdrawals at work: out of the customer's cash at once, then through the bank; what is unknown stays so until asked.

::

    pending ──booked──> completed
       │  └──rejected──> rejected (the money is given back)
       └──no answer──> unknown ──(an operator has the bank asked)──> completed | rejected | reversed (given back)

Nothing is guessed and nothing is sent again by itself: only an operator settles what is unknown.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

import msgspec

from targets.brokerage.api.rules import Refusal
from targets.brokerage.api.store import Store
from targets.brokerage.withdrawals.link import BankLink

TAKE = "SELECT verdict, withdrawal, state FROM take_withdrawal(%s, %s, %s, %s)"
SETTLE = "SELECT settle_withdrawal(%s, %s, %s, %s, %s)"
LOOK = "SELECT id, state, yen FROM withdrawals WHERE account = %s AND key = %s"
READ_TOLD = "SELECT value FROM operations WHERE name = 'withdrawals-told'"
TELL = "UPDATE operations SET value = %s, changed_ns = %s WHERE name = 'withdrawals-told'"


class WithdrawalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer wants paid out, in yen."""

    yen: int


class WithdrawalAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same as the api passes it on: whose it is, and under which key."""

    account: str
    key: str
    yen: int


class Desk:
    """Takes withdrawals and settles them by what the bank answers. ``told`` is what customers hear of unknown ones."""

    def __init__(self, store: Store, link: BankLink) -> None:
        self._store = store
        self._link = link
        self.told = "being-confirmed"

    async def read_told(self) -> None:
        """What operators have decided that customers are told. Refusal (503)."""
        self.told = str((await self._store.one(READ_TOLD, []))[0])

    async def tell(self, what: str) -> None:
        """Decide what customers are told of withdrawals that the bank has not answered. Refusal (503)."""
        await self._store.changed(TELL, [what, time.monotonic_ns()])
        self.told = what

    async def withdraw(self, asked: WithdrawalAsked) -> tuple[int, dict[str, Any]]:
        """HTTP status and body: 201 once the bank has booked it, 200 for a key seen before. Refusal otherwise."""
        if asked.yen <= 0:
            raise Refusal(422, "AMOUNT", "yen must be positive")
        values = [asked.account, asked.key, asked.yen, time.monotonic_ns()]
        verdict, withdrawal, state = await self._store.one(TAKE, values)
        if verdict == "BUYING_POWER":
            raise Refusal(422, verdict, "not enough free cash")
        if verdict == "REPEATED":
            return 200, {"withdrawal": withdrawal, "state": state}
        state, reference = await self._link.pay(withdrawal, asked.account, asked.yen)
        if state == "not-sent":  # for certain: the money is given back
            await self.settle(withdrawal, "reversed", reference, "not-sent")
            raise Refusal(503, "BANK", "the bank cannot be reached; nothing was sent", withdrawal=withdrawal)
        with contextlib.suppress(Refusal):  # what is true does not depend on our writing it down now
            await self.settle(withdrawal, state, "" if state == "unknown" else reference, "answer")
        if state == "unknown":
            raise self._unanswered(withdrawal)
        if state == "rejected":
            raise Refusal(422, "REJECTED", "the bank rejected it", withdrawal=withdrawal, state=state)
        return 201, {"withdrawal": withdrawal, "state": state}

    async def look(self, account: str, key: str) -> dict[str, Any]:
        """The withdrawal under the key, as it stands; Refusal (404) when there is none."""
        row = await self._store.one_or_none(LOOK, [account, key])
        if row is None:
            raise Refusal(404, "NO_SUCH_WITHDRAWAL", f"no withdrawal has the key {key}")
        return {"withdrawal": row[0], "state": row[1], "yen": row[2]}

    async def settle(self, withdrawal: str, state: str, reference: str, how: str) -> str:
        """Write down what became of it; the state afterwards. Refusal (503)."""
        return str((await self._store.one(SETTLE, [withdrawal, state, reference, how, time.monotonic_ns()]))[0])

    def _unanswered(self, withdrawal: str) -> Refusal:
        if self.told == "failed":
            says = "the withdrawal has failed; please try again"
            return Refusal(502, "PAYMENT_FAILED", says, withdrawal=withdrawal, state="failed")
        says = "the withdrawal is being confirmed; please do not ask for it again"
        return Refusal(504, "STATE_UNKNOWN", says, withdrawal=withdrawal, state="unknown")
