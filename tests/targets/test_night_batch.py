from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from targets.brokerage.batch.jobs import JOBS
from targets.brokerage.batch.scheduler import Conflict

from .night import Night, end_session, expected, night
from .stack import CUSTOMERS, Database

Play = Callable[[Night], Awaitable[Any]]
SKEWED = "C-0008"  # in the second chunk of five
MANY = 3_000


@pytest.fixture
def play(tmp_path: Path, database: Database) -> Callable[..., Any]:
    def play(scene: Play, **changes: Any) -> Any:
        async def whole() -> Any:
            async with night(tmp_path, database, **changes) as made:
                return await scene(made)

        return asyncio.run(whole())

    return play


def balanced(made: Night) -> bool:
    total = made.database.rows("SELECT coalesce(sum(yen), 0) FROM ledger")
    return made.database.rows("SELECT id FROM unbalanced") == [] and total == [(0,)]


def test_a_night_marks_every_account_at_the_day_s_price(play: Callable[..., Any], database: Database) -> None:
    async def scene(made: Night) -> None:
        made.scheduler.start()
        await made.until("done")
        assert {account: [yen] for account, yen in expected(database.world).items()} == made.variations()
        assert balanced(made)
        assert [run[0] for run in made.runs()] == list(JOBS)
        assert all(run[1:] == (1, "done", CUSTOMERS, CUSTOMERS) for run in made.runs()[1:])
        assert database.rows(
            "SELECT count(*) FROM lots WHERE mark IS NULL OR marked <> (SELECT next FROM calendar)"
        ) == [(0,)]
        assert database.rows("SELECT count(*) FROM statements") == [(CUSTOMERS,)]

    play(scene)


def test_lots_are_valued_one_call_each(play: Callable[..., Any], database: Database) -> None:
    async def scene(made: Night) -> None:
        made.scheduler.start()
        await made.until("done")
        lots = database.rows("SELECT count(*) FROM lots")[0][0]
        assert made.valuation.registry.get_sample_value("valuation_calls_total") == lots

    play(scene)


def test_a_held_batch_goes_on_from_its_checkpoint(play: Callable[..., Any], database: Database) -> None:
    async def scene(made: Night) -> None:
        made.skew(SKEWED, MANY)
        made.scheduler.start()
        await made.blocked_at(SKEWED)
        made.scheduler.hold()
        await made.until("held")
        assert made.marked() == {f"C-{n:04d}" for n in range(1, 11)}  # the chunk under way was committed
        await made.scheduler.resume(None)
        await made.until("done")
        assert {len(found) for found in made.variations().values()} == {1}
        assert [run[:3] for run in made.runs() if run[0] == "mark-to-market"] == [
            ("mark-to-market", 1, "held"),
            ("mark-to-market", 2, "done"),
        ]

    play(scene)


def test_cancelling_rolls_back_to_the_checkpoint(play: Callable[..., Any], database: Database) -> None:
    async def scene(made: Night) -> None:
        made.skew(SKEWED, MANY)
        made.scheduler.start()
        await made.blocked_at(SKEWED)
        await made.scheduler.cancel()
        assert made.scheduler.state == "cancelled"
        assert made.marked() == set(made.variations()) == {f"C-{n:04d}" for n in range(1, 6)}
        assert balanced(made)
        chunks = database.rows("SELECT first, last, lots > 3000, outcome FROM batch_chunks ORDER BY id")
        assert chunks == [("C-0001", "C-0005", False, "committed"), ("C-0006", "C-0010", True, "rolled-back")]

    play(scene)


def test_a_job_whose_session_is_ended_fails_and_waits(play: Callable[..., Any], database: Database) -> None:
    async def scene(made: Night) -> None:
        made.skew(SKEWED, MANY)
        made.scheduler.start()
        end_session(database, await made.blocked_at(SKEWED))
        await made.until("failed")
        await asyncio.sleep(0.3)
        assert made.scheduler.state == "failed"
        assert made.marked() == {f"C-{n:04d}" for n in range(1, 6)}
        await made.scheduler.resume(SKEWED)
        await made.until("done")
        code = database.rows("SELECT min(code) FROM instruments")[0][0]
        right = expected(database.world, {SKEWED: {code: MANY}})
        assert {account: [yen] for account, yen in right.items()} == made.variations()
        assert balanced(made)
        assert database.rows("SELECT account, lots_done = lots, done_ns > 0 FROM isolated_accounts") == [
            (SKEWED, True, True)
        ]

    play(scene)


def test_an_isolated_account_is_free_while_it_is_valued(play: Callable[..., Any], database: Database) -> None:
    async def scene(made: Night) -> None:
        made.skew(SKEWED, MANY)
        made.scheduler.start()
        end_session(database, await made.blocked_at(SKEWED))
        await made.until("failed")
        calls = made.valuation.registry.get_sample_value("valuation_calls_total")
        await made.scheduler.resume(SKEWED)
        free = 0
        while made.scheduler.state == "running":
            free += len(database.rows("SELECT 1 FROM accounts WHERE id = %s FOR UPDATE SKIP LOCKED", (SKEWED,)))
            await asyncio.sleep(0.01)
        assert free > 3
        assert made.scheduler.state == "done"
        others = database.rows("SELECT count(*) FROM lots WHERE account > 'C-0005' AND account <> %s", (SKEWED,))[0][0]
        blocks = -(-(MANY + 1) // made.config.batch.block)
        after = made.valuation.registry.get_sample_value("valuation_calls_total")
        assert after is not None
        assert calls is not None
        assert after - calls == others + blocks

    play(scene)


def test_from_the_start_posts_a_second_time_and_the_ledger_does_not_mind(
    play: Callable[..., Any], database: Database
) -> None:
    async def scene(made: Night) -> None:
        made.scheduler.start()
        await made.until("done")
        made.scheduler.rerun("mark-to-market", from_start=False)
        await made.until("done")
        assert {len(found) for found in made.variations().values()} == {1}
        made.scheduler.rerun("mark-to-market", from_start=True)
        await made.until("done")
        assert {account: [yen, yen] for account, yen in expected(database.world).items()} == made.variations()
        assert balanced(made)

    play(scene)


def test_jobs_cannot_be_done_out_of_order_or_twice_at_once(play: Callable[..., Any]) -> None:
    async def scene(made: Night) -> None:
        with pytest.raises(Conflict, match="settlement") as refused:
            made.scheduler.rerun("margin", from_start=False)
        assert refused.value.code == "OUT_OF_ORDER"
        made.skew(SKEWED, MANY)
        made.scheduler.start()
        await made.blocked_at(SKEWED)
        with pytest.raises(Conflict) as refused:
            await made.scheduler.resume(None)
        assert refused.value.code == "RUNNING"
        await made.scheduler.cancel()
        with pytest.raises(Conflict) as refused:
            await made.scheduler.resume("C-9999")
        assert refused.value.code == "NO_SUCH_ACCOUNT"

    play(scene)


def test_a_batch_held_before_its_time_does_not_begin(play: Callable[..., Any]) -> None:
    async def scene(made: Night) -> None:
        made.scheduler.hold()
        made.scheduler.start()
        assert made.scheduler.state == "waiting"
        await made.scheduler.resume(None)
        made.scheduler.start()
        await made.until("done")

    play(scene)


def test_a_new_process_finds_where_the_last_one_left_off(
    play: Callable[..., Any], tmp_path: Path, database: Database
) -> None:
    database.rows(
        """INSERT INTO batch_runs (job, attempt, day, state, started_ns)
        SELECT job, 1, next, state, 1 FROM calendar,
            (VALUES ('settlement', 'done'), ('mark-to-market', 'running')) AS v (job, state)"""
    )

    async def scene(made: Night) -> None:
        assert made.scheduler.state == "failed"
        made.scheduler.start()
        assert made.scheduler.state == "failed"  # it does not go on by itself
        await made.scheduler.resume(None)
        await made.until("done")
        assert made.runs()[0][:3] == ("settlement", 1, "done")
        assert sorted(run[1:3] for run in made.runs() if run[0] == "mark-to-market") == [(1, "failed"), (2, "done")]

    play(scene)


def test_the_gate_stays_shut_on_books_that_do_not_balance(play: Callable[..., Any], database: Database) -> None:
    database.rows("UPDATE accounts SET cash = cash + 1 WHERE id = 'C-0002'")

    async def scene(made: Night) -> None:
        made.scheduler.start()
        await made.until("failed")
        assert made.runs()[-1][:3] == ("opening-gate", 1, "failed")
        assert "1 accounts whose cash" in made.scheduler.says

    play(scene)


def test_without_the_valuation_service_the_batch_fails_and_says_so(
    play: Callable[..., Any], database: Database
) -> None:
    async def scene(made: Night) -> None:
        database.rows("DELETE FROM closes")
        made.valuation._closes.clear()
        made.scheduler.start()
        await made.until("failed")
        assert "valuation" in made.scheduler.says
        assert made.marked() == set()

    play(scene, call_s=0.2)
