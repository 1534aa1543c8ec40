from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from targets.brokerage import database as databases
from targets.brokerage.api.repayments import RepaymentBody, Repayments
from targets.brokerage.api.rules import Refusal
from targets.brokerage.api.store import Store
from targets.brokerage.config import ApiConfig
from targets.brokerage.database import Line
from targets.http_async import NotSent, Unanswered

from .ports import here
from .stack import Database, Peer, Says, make_config


def books(_: dict[str, Any]) -> tuple[int, Any]:
    return 201, {"state": "booked"}


def rejects(_: dict[str, Any]) -> tuple[int, Any]:
    return 422, {"state": "rejected"}


class Rig:
    def __init__(self, folder: Path, database: Database) -> None:
        config = make_config(folder, {}, {"api-pg": database.port})
        bounds = ApiConfig(pool=2, pool_wait_s=0.3, lock_timeout_s=0.2, bank_timeout_s=0.0)
        self.config = msgspec.structs.replace(config, api=bounds)
        self.database = database
        self.account = next(row["account"] for row in database.world if row["kind"] == "loan")
        self.free = next(row["id"] for row in database.world if row["kind"] == "account" and not self.owes(row["id"]))
        self.bank = Peer(books)

    def owes(self, account: str) -> int:
        rows = self.database.rows("SELECT principal FROM loans WHERE account = %s", (account,))
        return int(rows[0][0]) if rows else 0

    def cash(self) -> int:
        return int(self.database.rows("SELECT cash FROM accounts WHERE id = %s", (self.account,))[0][0])

    def state(self, key: str = "k") -> str:
        return str(self.database.rows("SELECT state FROM repayments WHERE key = %s", (key,))[0][0])

    def run(self, says: Says, play: Callable[[Repayments], Awaitable[Any]]) -> Any:
        self.bank.says = says

        async def whole() -> Any:
            store = Store(self.config)
            line = Line(databases.dsn(here(self.database.port), "test"))
            await store.pool.open(wait=True)
            try:
                return await play(Repayments(self.config, store, self.bank, line))  # type: ignore[arg-type]
            finally:
                await store.pool.close()
                await line.close()

        return asyncio.run(whole())

    def repay(self, says: Says, yen: int = 10_000, key: str = "k", account: str = "") -> Any:
        return self.run(says, lambda desk: desk.repay(account or self.account, key, RepaymentBody(yen)))

    def refused(self, says: Says, **asked: Any) -> Refusal:
        with pytest.raises(Refusal) as caught:
            self.repay(says, **asked)
        return caught.value

    def balanced(self) -> bool:
        return (
            self.database.rows("SELECT id FROM unbalanced UNION SELECT '' WHERE (SELECT sum(yen) FROM ledger) <> 0")
            == []
        )


@pytest.fixture
def rig(tmp_path: Path, database: Database) -> Rig:
    return Rig(tmp_path, database)


def test_a_repayment_leaves_the_cash_and_the_loan_and_reaches_the_bank(rig: Rig) -> None:
    cash, owed = rig.cash(), rig.owes(rig.account)
    status, body = rig.repay(books)
    assert (status, body["state"]) == (201, "completed")
    assert (rig.cash(), rig.owes(rig.account)) == (cash - 10_000, owed - 10_000)
    assert rig.bank.asked == [{"reference": body["repayment"], "account": rig.account, "yen": 10_000}]
    legs = rig.database.rows("SELECT account, yen, why FROM ledger WHERE reference = %s", (body["repayment"],))
    assert legs == [(rig.account, -10_000, "repayment"), ("LOANS", 10_000, "repayment")]
    assert rig.balanced()


def test_the_same_key_is_the_same_repayment(rig: Rig) -> None:
    first = rig.repay(books)[1]
    cash = rig.cash()
    assert rig.repay(books) == (200, first)
    assert rig.cash() == cash
    assert len(rig.bank.asked) == 1


@pytest.mark.parametrize(("yen", "code"), [(10**12, "BUYING_POWER"), (0, "AMOUNT"), (-5, "AMOUNT")])
def test_what_cannot_be_repaid_moves_nothing(rig: Rig, yen: int, code: str) -> None:
    refused = rig.refused(books, yen=yen)
    assert (refused.status, refused.code) == (422, code)
    assert rig.bank.asked == []
    assert rig.database.rows("SELECT * FROM ledger") == []


def test_nobody_repays_what_he_does_not_owe(rig: Rig) -> None:
    assert rig.refused(books, account=rig.free).code == "NO_LOAN"
    rig.database.rows("UPDATE loans SET principal = 5 WHERE account = %s", (rig.account,))
    assert rig.refused(books, yen=6).code == "NO_LOAN"
    assert rig.database.rows("SELECT * FROM ledger") == []


def test_money_the_bank_rejects_is_given_back(rig: Rig) -> None:
    cash, owed = rig.cash(), rig.owes(rig.account)
    refused = rig.refused(rejects)
    assert (refused.status, refused.code) == (422, "REJECTED")
    assert (rig.cash(), rig.owes(rig.account), rig.state()) == (cash, owed, "rejected")
    assert rig.balanced()
    assert rig.refused(rejects, key="other").code == "REJECTED"


@pytest.mark.parametrize("silence", [Unanswered("late"), NotSent("no way")])
def test_without_an_answer_it_is_unknown_until_the_bank_says_something(rig: Rig, silence: Exception) -> None:
    cash = rig.cash()
    refused = rig.refused(lambda _: silence)
    assert (refused.status, refused.code, rig.state()) == (504, "STATE_UNKNOWN", "unknown")
    assert rig.cash() == cash - 10_000
    rig.database.rows("UPDATE repayments SET created_ns = 0")
    rig.run(lambda _: silence, lambda desk: desk.settle_old())
    assert rig.state() == "unknown"
    rig.run(books, lambda desk: desk.settle_old())
    assert rig.state() == "completed"
    assert len({asked["reference"] for asked in rig.bank.asked}) == 1
    assert rig.cash() == cash - 10_000
    assert rig.balanced()


def test_a_locked_account_is_not_waited_for_for_ever(rig: Rig) -> None:
    with psycopg.connect(rig.database.dsn) as other:
        other.execute("SELECT 1 FROM accounts WHERE id = %s FOR UPDATE", [rig.account])
        refused = rig.refused(books)
    assert (refused.status, refused.code) == (503, "LOCK_TIMEOUT")
    assert rig.bank.asked == []


def test_a_correcting_entry_can_be_traced(rig: Rig) -> None:
    cash = rig.cash()
    query = "SELECT adjust_account(%s, %s, -300, 'acted on a wrong figure', 'T-1', 'duty-manager', 5)"
    assert rig.database.rows(query, ("A-1", rig.account)) == [(True,)]
    assert rig.database.rows(query, ("A-2", "C-9999")) == [(False,)]
    assert rig.cash() == cash - 300
    assert rig.balanced()
    assert rig.database.rows("SELECT reference, account, yen FROM adjustments") == [("A-1", rig.account, -300)]
    with pytest.raises(psycopg.errors.CheckViolation):
        rig.database.rows("SELECT adjust_account('A-3', %s, 1, '', 'T-1', 'x', 5)", (rig.account,))
