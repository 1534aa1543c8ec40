from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from targets.brokerage.api.oms import Oms
from targets.brokerage.api.rules import OrderBody, Refusal
from targets.brokerage.api.store import Store
from targets.brokerage.config import ApiConfig
from targets.http_async import NotSent, Unanswered

from .stack import Database, Peer, Says, make_config


def accepted(_: dict[str, Any]) -> tuple[int, Any]:
    return 200, {"state": "new", "reason": "", "sent": True}


class Rig:
    def __init__(self, folder: Path, database: Database) -> None:
        config = make_config(folder, {}, {"api-pg": database.port})
        bounds = ApiConfig(pool=2, pool_wait_s=0.3, lock_timeout_s=0.3)
        self.config = msgspec.structs.replace(config, api=bounds)
        self.database = database
        price = next(row for row in database.world if row["kind"] == "price")
        self.body = OrderBody(price["id"], "buy", 100, price["low"])

    def run(self, says: Says, play: Callable[[Oms], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            store = Store(self.config)
            await store.pool.open(wait=True)
            try:
                return await play(Oms(self.config, store, Peer(says)))  # type: ignore[arg-type]
            finally:
                await store.pool.close()

        return asyncio.run(whole())

    def place(self, says: Says, key: str = "k") -> Any:
        return self.run(says, lambda oms: oms.place("C-0001", key, self.body))

    def refused(self, says: Says, key: str = "k") -> Refusal:
        with pytest.raises(Refusal) as refusal:
            self.place(says, key)
        return refusal.value

    def order(self) -> tuple[Any, ...]:
        return self.database.rows("SELECT state, reserved_quantity FROM orders")[0]


@pytest.fixture
def oms(tmp_path: Path, database: Database) -> Rig:
    return Rig(tmp_path, database)


def test_accepted_is_created_and_the_same_key_again_is_the_same_order(oms: Rig) -> None:
    status, body = oms.place(accepted)
    assert (status, body["state"]) == (201, "new")
    again, present = oms.place(accepted)
    assert (again, present["order"], present["state"]) == (200, body["order"], "pending-new")


@pytest.mark.parametrize(
    "says",
    [
        lambda _: (200, {"state": "unknown", "reason": "", "sent": True}),
        lambda _: Unanswered("time-out"),
        lambda _: (500, {}),
    ],
)
def test_what_was_sent_and_not_answered_is_unknown_and_keeps_its_reserve(oms: Rig, says: Says) -> None:
    refusal = oms.refused(says)
    assert (refusal.status, refusal.code, refusal.fields["state"]) == (504, "STATE_UNKNOWN", "unknown")
    assert oms.order() == ("unknown", 100)


@pytest.mark.parametrize(
    "says", [lambda _: (200, {"state": "rejected", "reason": "not sent", "sent": False}), lambda _: NotSent("refused")]
)
def test_what_was_never_sent_is_rejected_for_certain(oms: Rig, says: Says) -> None:
    refusal = oms.refused(says)
    assert (refusal.status, refusal.code) == (503, "GATEWAY_BUSY")
    assert oms.order() == ("rejected", 0)


def test_a_late_acceptance_wins_over_unknown(oms: Rig) -> None:
    def says(body: dict[str, Any]) -> tuple[int, Any]:
        oms.database.rows("SELECT accept_order(%s)", (body["cl_ord_id"],))
        return 200, {"state": "unknown", "reason": "", "sent": True}

    status, body = oms.place(says)
    assert (status, body["state"]) == (201, "new")


def test_rejected_by_the_exchange(oms: Rig) -> None:
    refusal = oms.refused(lambda _: (200, {"state": "rejected", "reason": "halted", "sent": True}))
    assert (refusal.status, refusal.code) == (422, "REJECTED")


def test_unknown_is_answered_also_when_it_cannot_be_written_down(oms: Rig) -> None:
    def says(_: dict[str, Any]) -> tuple[int, Any]:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'api'"
        assert len(oms.database.rows(query)) == 2
        return 200, {"state": "unknown", "reason": "", "sent": True}

    assert oms.refused(says).code == "STATE_UNKNOWN"
    assert oms.order() == ("pending-new", 100)


def test_failures_of_the_database_have_codes_of_their_own(oms: Rig) -> None:
    with psycopg.connect(oms.database.dsn) as blocker:
        blocker.execute("SELECT 1 FROM accounts WHERE id = 'C-0001' FOR UPDATE")
        assert oms.refused(accepted).code == "LOCK_TIMEOUT"

    async def crowd(oms_: Oms) -> list[str]:
        async def one(number: int) -> str:
            try:
                await oms_._store.one("SELECT pg_sleep(0.7), %s::int", [number])
            except Refusal as refusal:
                return refusal.code
            return "ok"

        return await asyncio.gather(*(one(number) for number in range(4)))

    assert sorted(oms.run(accepted, crowd)) == ["POOL_TIMEOUT", "POOL_TIMEOUT", "ok", "ok"]


def test_a_statement_that_hangs_is_cut(oms: Rig) -> None:
    oms.config = msgspec.structs.replace(oms.config, api=ApiConfig(pool=1, database_s=0.2))
    with pytest.raises(Refusal, match="connection") as refusal:
        oms.run(accepted, lambda each: each._store.one("SELECT pg_sleep(30)", []))
    assert refusal.value.code == "DATABASE"


def test_looking_and_cancelling(oms: Rig) -> None:
    oms.place(accepted)
    oms.database.rows("SELECT accept_order(cl_ord_id) FROM orders")
    seen = oms.run(accepted, lambda each: each.look("C-0001", "k"))
    assert (seen["state"], seen["filled"]) == ("new", 0)
    with pytest.raises(Refusal, match="no order"):
        oms.run(accepted, lambda each: each.look("C-0002", "k"))

    def cancelled(body: dict[str, Any]) -> tuple[int, Any]:
        oms.database.rows("SELECT end_order(%s, 'cancelled', '')", (body["cl_ord_id"],))
        return 200, {"state": "cancelled", "reason": "", "sent": True}

    status, body = oms.run(cancelled, lambda each: each.cancel("C-0001", "k"))
    assert (status, body["state"]) == (200, "cancelled")
    with pytest.raises(Refusal) as refusal:
        oms.run(cancelled, lambda each: each.cancel("C-0001", "k"))
    assert (refusal.value.status, refusal.value.code) == (409, "NOT_CANCELLABLE")


def test_a_cancel_that_was_not_sent_leaves_the_order_as_it_was(oms: Rig) -> None:
    oms.place(accepted)
    oms.database.rows("SELECT accept_order(cl_ord_id) FROM orders")
    with pytest.raises(Refusal) as refusal:
        oms.run(lambda _: NotSent("refused"), lambda each: each.cancel("C-0001", "k"))
    assert refusal.value.status == 503
    assert oms.order() == ("new", 100)
