from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from targets.brokerage.batch import skewed_lots
from targets.brokerage.batch.skewed_lots import SkewedLots
from targets.target import ConditionState

from .night import Night, expected, night
from .stack import Database

ACCOUNT = "C-0008"


@contextmanager
def running(folder: Path, database: Database) -> Iterator[tuple[Night, asyncio.AbstractEventLoop]]:
    """The batch and its valuation service in a loop of their own, so that plain calls can talk to them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    scene = night(folder, database)
    try:
        made = asyncio.run_coroutine_threadsafe(scene.__aenter__(), loop).result(20)
        try:
            yield made, loop
        finally:
            asyncio.run_coroutine_threadsafe(scene.__aexit__(None, None, None), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def few(monkeypatch: pytest.MonkeyPatch, count: int) -> SkewedLots:
    """One that comes to ``count`` lots."""
    monkeypatch.setattr(skewed_lots, "round_trips_s", lambda _: [0.001] * 10)
    return SkewedLots(ACCOUNT, count * 0.001 / skewed_lots.MARGIN)


def totals(database: Database) -> list[tuple[Any, ...]]:
    return database.rows("SELECT account, count(*), sum(quantity) FROM lots GROUP BY account ORDER BY account")


def test_as_many_lots_as_the_round_trip_asks_for(tmp_path: Path, database: Database) -> None:
    with running(tmp_path, database) as (made, _):
        done = SkewedLots(ACCOUNT, 1.0).plant(made.config)
        assert done.ok
        facts = done.data
        assert facts["added"] == pytest.approx(1.0 / facts["fast_us"] * 1e6 * skewed_lots.MARGIN, rel=0.01)
        assert facts["fast_us"] <= facts["round_trip_us"]
        assert facts["forecast_s"] >= 1.2
        found = dict(
            database.rows("SELECT code, sum(quantity) FROM lots WHERE source LIKE 'transfer@%%' GROUP BY code")
        )
        assert {row["code"]: row["quantity"] for row in facts["lots"]} == found
        assert {row["account"] for row in facts["lots"]} == {ACCOUNT}


def test_twice_is_refused_and_taking_out_leaves_what_was_there(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = totals(database)
    with running(tmp_path, database) as (made, _):
        lots = few(monkeypatch, 50)
        assert lots.plant(made.config).ok
        assert not lots.plant(made.config).ok
        assert lots.look(made.config, wait=False).data["added"] == 50
        assert lots.unplant(made.config).data["removed"] == 50
        assert totals(database) == before
        again = lots.unplant(made.config)
        assert again.ok
        assert again.data["changed"] is False
        assert not lots.look(made.config, wait=False).there


def test_what_was_posted_for_them_is_reversed(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, database) as (made, loop):
        lots = few(monkeypatch, 50)
        added = lots.plant(made.config).data["lots"]
        loop.call_soon_threadsafe(made.scheduler.start)
        asyncio.run_coroutine_threadsafe(made.until("done"), loop).result(20)
        with_lots = expected(database.world, {ACCOUNT: {row["code"]: row["quantity"] for row in added}})
        assert made.variations()[ACCOUNT] == [with_lots[ACCOUNT]]
        done = lots.unplant(made.config)
        right = expected(database.world)[ACCOUNT]
        assert done.data["reversed_yen"] == right - with_lots[ACCOUNT] != 0
        opening, cash = database.rows("SELECT opening, cash FROM accounts WHERE id = %s", (ACCOUNT,))[0]
        assert cash == opening + right
        assert database.rows("SELECT id FROM unbalanced") == []
        assert database.rows("SELECT sum(yen) FROM ledger") == [(0,)]


@contextmanager
def waiting(database: Database) -> Iterator[None]:
    """Somebody wants the account's row meanwhile."""
    with psycopg.connect(database.dsn) as customer:

        def wait() -> None:
            with suppress(psycopg.errors.QueryCanceled):
                customer.execute("SELECT 1 FROM accounts WHERE id = %s FOR UPDATE", [ACCOUNT])

        thread = threading.Thread(target=wait)
        thread.start()
        yield
        customer.cancel_safe()
        thread.join(10)


def test_the_session_that_works_on_them_is_felt_and_ends_when_they_are_taken_out(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, database) as (made, loop):
        lots = few(monkeypatch, 20_000)
        lots.plant(made.config)
        loop.call_soon_threadsafe(made.scheduler.start)
        pid = asyncio.run_coroutine_threadsafe(made.blocked_at(ACCOUNT), loop).result(20)
        assert not lots.look(made.config, wait=False).felt, "nobody waits for it yet"
        with waiting(database):
            felt = lots.look(made.config, wait=True)
        assert (felt.there, felt.felt, felt.data["pid"]) == (True, True, pid)
        done = lots.unplant(made.config)
        assert done.data["stopped"] == [pid]
        assert done.data["reversed_yen"] == 0
        asyncio.run_coroutine_threadsafe(made.until("failed"), loop).result(20)
        lock = database.rows("SELECT lots > 20000, released_ns > locked_ns FROM batch_chunks ORDER BY id DESC LIMIT 1")
        assert lock == [(True, True)]


@pytest.mark.parametrize(
    ("lots", "says"),
    [(SkewedLots("C-9999", 0.01), "no account C-9999"), (SkewedLots(ACCOUNT, 1e9), "lots would be needed")],
)
def test_what_cannot_be_planted_is_said(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch, lots: SkewedLots, says: str
) -> None:
    with running(tmp_path, database) as (made, _):
        monkeypatch.setattr(skewed_lots, "round_trips_s", lambda _: [0.001] * 10)
        with pytest.raises(ValueError, match=says):
            lots.plant(made.config)


# -- looking for the effect ---------------------------------------------------------------------------------------


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ConditionState]:
    """``looks(pids)``: what a patient look comes to, where those sessions block others look by look, the last on."""
    monkeypatch.setattr(skewed_lots, "PAUSE_S", 0.0)
    monkeypatch.setattr(skewed_lots, "LOOK_FOR_S", 0.05)

    def look(*pids: int | None) -> ConditionState:
        seen = [ConditionState(True, pid is not None, "seen", {"pid": pid}) for pid in pids]
        monkeypatch.setattr(SkewedLots, "_state", lambda *_: seen.pop(0) if len(seen) > 1 else seen[0])
        return SkewedLots(ACCOUNT, 1.0).look(Any, wait=True)  # type: ignore[arg-type]

    return look


def test_the_same_session_has_to_block_twice_in_a_row(looks: Callable[..., ConditionState]) -> None:
    assert looks(None, 7, None, 7, 7).felt
    assert looks(7, 8, 8).data["pid"] == 8


@pytest.mark.parametrize("pids", [(None,), (*range(1, 200_000),)])
def test_what_is_not_seen_in_time_is_not_felt(looks: Callable[..., ConditionState], pids: tuple[int | None]) -> None:
    seen = looks(*pids)
    assert (seen.there, seen.felt, seen.says) == (True, False, "nobody waited for it: seen")
