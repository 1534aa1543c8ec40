"""Repaying margin loans: out of the customer's cash at once, then through the bank.

::

    pending ──booked──> completed
       │  └──rejected──> rejected (the money is given back)
       └──no answer──> unknown ──(the bank is asked again, under the same reference)──> completed | rejected

The bank is idempotent by reference, so asking again can not pay twice; until it has said something, nothing is certain.
"""

from __future__ import annotations

import contextlib
import logging
import time
from typing import Any

import msgspec
import psycopg

from targets.brokerage.api.rules import Refusal
from targets.brokerage.api.store import Store
from targets.brokerage.client import Client
from targets.brokerage.config import Config
from targets.brokerage.database import Connection, Line
from targets.http_async import NotSent, Unanswered

log = logging.getLogger("api.repayments")

TAKE = "SELECT verdict, repayment, state FROM take_repayment(%s, %s, %s, %s)"
SETTLE = "SELECT settle_repayment(%s, %s, %s)"
LOOK = "SELECT id, state, yen FROM repayments WHERE account = %s AND key = %s"
LOAN = "SELECT principal FROM loans WHERE account = %s"
OPEN = """SELECT id, account, yen FROM repayments
    WHERE state IN ('pending', 'unknown') AND created_ns < %s ORDER BY id LIMIT 20"""

WITHIN_S = 3.0
BUSINESS = {"BUYING_POWER": "not enough free cash", "NO_LOAN": "no loan of that size is owed"}
DECIDED = {"booked": "completed", "rejected": "rejected"}


class RepaymentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer pays back, in yen."""

    yen: int


class Repayments:
    """Takes repayments and settles them with the bank."""

    def __init__(self, config: Config, store: Store, bank: Client, line: Line) -> None:
        self._store = store
        self._bank = bank
        self._line = line
        self._within_s = config.api.bank_timeout_s
        self._age_ns = int(2 * 1e9 * (config.api.bank_timeout_s + config.api.lock_timeout_s))

    async def repay(self, account: str, key: str, body: RepaymentBody) -> tuple[int, dict[str, Any]]:
        """HTTP status and body: 201 once the bank has booked it, 200 for a key seen before. Refusal otherwise."""
        if body.yen <= 0:
            raise Refusal(422, "AMOUNT", "yen must be positive")
        asked = [account, key, body.yen, time.monotonic_ns()]
        verdict, repayment, state = await self._store.one(TAKE, asked)
        if verdict in BUSINESS:
            raise Refusal(422, verdict, BUSINESS[verdict])
        if verdict == "REPEATED":
            return 200, {"repayment": repayment, "state": state}
        said = await self._ask(repayment, account, body.yen)
        with contextlib.suppress(Refusal):  # what is true does not depend on our writing it down now
            await self._store.one(SETTLE, [repayment, said, time.monotonic_ns()])
        if said == "unknown":
            raise Refusal(504, "STATE_UNKNOWN", "the bank has not answered yet", repayment=repayment, state=said)
        if said == "rejected":
            raise Refusal(422, "REJECTED", "the bank rejected it", repayment=repayment, state=said)
        return 201, {"repayment": repayment, "state": said}

    async def look(self, account: str, key: str) -> dict[str, Any]:
        """The repayment under the key, as it stands; Refusal (404) when there is none."""
        row = await self._store.one_or_none(LOOK, [account, key])
        if row is None:
            raise Refusal(404, "NO_SUCH_REPAYMENT", f"no repayment has the key {key}")
        return {"repayment": row[0], "state": row[1], "yen": row[2]}

    async def loan(self, account: str) -> dict[str, Any]:
        """What the account owes; 0 when nothing."""
        row = await self._store.one_or_none(LOAN, [account])
        return {"account": account, "principal": row[0] if row else 0}

    async def settle_old(self) -> None:
        """Ask the bank again about what nobody waits for any more. psycopg.Error when the database does not answer."""

        async def read(connection: Connection) -> list[tuple[Any, ...]]:
            since = time.monotonic_ns() - self._age_ns
            return await (await connection.execute(OPEN, [since])).fetchall()

        for repayment, account, yen in await self._line.run(read, WITHIN_S):
            said = await self._ask(repayment, account, yen)
            if said == "unknown":
                return  # the bank does not answer: another time
            await self._settle(repayment, said)

    async def _settle(self, repayment: str, state: str) -> None:
        async def write(connection: Connection) -> None:
            await connection.execute(SETTLE, [repayment, state, time.monotonic_ns()])

        try:
            await self._line.run(write, WITHIN_S)
        except psycopg.Error as error:
            log.warning("repayment %s stays open: %s", repayment, str(error).strip())

    async def _ask(self, repayment: str, account: str, yen: int) -> str:
        """``completed``, ``rejected`` or ``unknown``, as the bank says or as follows from its not saying anything."""
        order = {"reference": repayment, "account": account, "yen": yen}
        try:
            _, said = await self._bank.ask("POST", "/payments", order, self._within_s)
        except (NotSent, Unanswered) as error:
            log.info("the bank on %s: %s", repayment, error)
            return "unknown"
        return DECIDED.get(str(said.get("state")), "unknown")
