from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from targets.brokerage import plant
from targets.brokerage.config import Config

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


def few(config: Config, monkeypatch: pytest.MonkeyPatch, count: int) -> dict[str, Any]:
    """What to ask for so that it comes to ``count`` lots."""
    monkeypatch.setattr(plant, "round_trips_s", lambda _: [0.001] * 10)
    return {"account": ACCOUNT, "outlasts": count * 0.001 / plant.MARGIN}


def totals(database: Database) -> list[tuple[Any, ...]]:
    return database.rows("SELECT account, count(*), sum(quantity) FROM lots GROUP BY account ORDER BY account")


def test_as_many_lots_as_the_round_trip_asks_for(tmp_path: Path, database: Database) -> None:
    with running(tmp_path, database) as (made, _):
        done = plant.plant(made.config, "lots", {"account": ACCOUNT, "outlasts": 1.0})
        assert done.ok
        facts = done.data
        assert facts["added"] == pytest.approx(1.0 / facts["fast_us"] * 1e6 * plant.MARGIN, rel=0.01)
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
        wanted = few(made.config, monkeypatch, 50)
        assert plant.plant(made.config, "lots", wanted).ok
        assert not plant.plant(made.config, "lots", wanted).ok
        assert plant.planted(made.config, "lots", wanted).data["added"] == 50
        assert plant.unplant(made.config, "lots", wanted).data["removed"] == 50
        assert totals(database) == before
        again = plant.unplant(made.config, "lots", wanted)
        assert again.ok
        assert again.data["changed"] is False
        assert not plant.planted(made.config, "lots", wanted).ok


def test_what_was_posted_for_them_is_reversed(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, database) as (made, loop):
        wanted = few(made.config, monkeypatch, 50)
        added = plant.plant(made.config, "lots", wanted).data["lots"]
        loop.call_soon_threadsafe(made.scheduler.start)
        asyncio.run_coroutine_threadsafe(made.until("done"), loop).result(20)
        with_lots = expected(database.world, {ACCOUNT: {row["code"]: row["quantity"] for row in added}})
        assert made.variations()[ACCOUNT] == [with_lots[ACCOUNT]]
        done = plant.unplant(made.config, "lots", wanted)
        right = expected(database.world)[ACCOUNT]
        assert done.data["reversed_yen"] == right - with_lots[ACCOUNT] != 0
        opening, cash = database.rows("SELECT opening, cash FROM accounts WHERE id = %s", (ACCOUNT,))[0]
        assert cash == opening + right
        assert database.rows("SELECT id FROM unbalanced") == []
        assert database.rows("SELECT sum(yen) FROM ledger") == [(0,)]


def test_taking_out_ends_the_session_that_works_on_them(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, database) as (made, loop):
        wanted = few(made.config, monkeypatch, 20_000)
        plant.plant(made.config, "lots", wanted)
        loop.call_soon_threadsafe(made.scheduler.start)
        pid = asyncio.run_coroutine_threadsafe(made.blocked_at(ACCOUNT), loop).result(20)
        done = plant.unplant(made.config, "lots", wanted)
        assert done.data["stopped"] == [pid]
        assert done.data["reversed_yen"] == 0
        asyncio.run_coroutine_threadsafe(made.until("failed"), loop).result(20)
        lock = database.rows("SELECT lots > 20000, released_ns > locked_ns FROM batch_chunks ORDER BY id DESC LIMIT 1")
        assert lock == [(True, True)]


@pytest.mark.parametrize(
    ("what", "wanted", "says"),
    [
        ("ghosts", {"account": ACCOUNT, "outlasts": 1.0}, "cannot plant ghosts"),
        ("lots", {"account": ACCOUNT}, "outlasts"),
        ("lots", {"account": "C-9999", "outlasts": 0.01}, "no account C-9999"),
        ("lots", {"account": ACCOUNT, "outlasts": 1e9}, "lots would be needed"),
    ],
)
def test_what_cannot_be_planted_is_said(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch, what: str, wanted: Any, says: str
) -> None:
    with running(tmp_path, database) as (made, _):
        monkeypatch.setattr(plant, "round_trips_s", lambda _: [0.001] * 10)
        with pytest.raises(ValueError, match=says):
            plant.plant(made.config, what, wanted)
