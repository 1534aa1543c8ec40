from __future__ import annotations

from typing import Any

import psycopg

from targets.brokerage.batch.forecast import SHORT_JOB_S, remaining_s
from targets.brokerage.batch.jobs import JOBS
from targets.brokerage.batch.locks import BLOCKERS, FORGIVEN_NS, Locks
from targets.brokerage.batch.marking import Progress
from targets.brokerage.config import BatchConfig

from .stack import Database

S = 1_000_000_000


def batch(began: float = 1.0, waiting: int = 3) -> list[tuple[Any, ...]]:
    return [(7, "batch:mark-to-market", began, waiting)]


def test_a_blocker_is_timed_from_when_it_was_first_seen() -> None:
    locks = Locks()
    locks.see(batch(), 10 * S)
    locks.see(batch(waiting=5), 10 * S + S // 2)
    assert locks.shown() == {"blockers": 1, "pid": 7, "job": "mark-to-market", "seconds": 0.5, "waiting": 5}


def test_another_transaction_of_the_same_session_starts_from_nought() -> None:
    locks = Locks()
    locks.see(batch(), 10 * S)
    for step in range(1, 5):
        locks.see(batch(began=1.0 + step), 10 * S + step * S // 4)
    assert max(each.seconds for each in locks.blockers()) == 0


def test_a_look_between_two_waiters_is_forgiven_and_a_pause_is_not() -> None:
    locks = Locks()
    locks.see(batch(), 10 * S)
    locks.see([], 10 * S + FORGIVEN_NS)
    assert locks.shown()["blockers"] == 1
    locks.see([], 10 * S + FORGIVEN_NS + 1)
    assert locks.shown() == {"blockers": 0, "pid": None, "job": "", "seconds": 0.0, "waiting": 0}


def test_the_root_is_who_waits_for_nobody(database: Database) -> None:
    with (
        psycopg.connect(database.dsn, application_name="batch:mark-to-market") as root,
        psycopg.connect(database.dsn, autocommit=True) as look,
    ):
        root.execute("SELECT 1 FROM accounts WHERE id = 'C-0001' FOR UPDATE")
        assert look.execute(BLOCKERS).fetchall() == []
        with waiting(database, "C-0001"), waiting(database, "C-0001"):
            found: list[tuple[Any, ...]] = []
            while not found or found[0][3] < 2:
                found = look.execute(BLOCKERS).fetchall()
            assert [row[:2] for row in found] == [(root.info.backend_pid, "batch:mark-to-market")]
            root.rollback()


class waiting:  # noqa: N801
    """A session that asks for an account's lock and will get it."""

    def __init__(self, database: Database, account: str) -> None:
        self.connection = psycopg.connect(database.dsn, autocommit=True)
        self.query = f"SELECT 1 FROM accounts WHERE id = '{account}' FOR UPDATE"

    def __enter__(self) -> None:
        self.connection.pgconn.send_query(self.query.encode())
        self.connection.pgconn.flush()

    def __exit__(self, *exc: object) -> None:
        self.connection.pgconn.get_result()
        self.connection.close()


def test_the_forecast_goes_by_what_is_left_and_the_pace_so_far() -> None:
    done = dict.fromkeys(JOBS, "done")
    progress = Progress(lots=1_000, lots_done=400)
    assert remaining_s(done, progress, 0.01, BatchConfig()) == 0
    marking = {"settlement": "done", "mark-to-market": "running"}
    assert remaining_s(marking, progress, None, BatchConfig()) is None
    left = remaining_s(marking, progress, 0.01, BatchConfig())
    assert left is not None
    assert abs(left - (6.0 + 3 * SHORT_JOB_S)) < 1e-9


def test_an_account_apart_costs_blocks_not_lots() -> None:
    marking = {"settlement": "done", "mark-to-market": "running"}
    together = remaining_s(marking, Progress(lots=40_000), 0.001, BatchConfig())
    apart = remaining_s(marking, Progress(apart={"C-0001": 40_000}), 0.001, BatchConfig())
    assert together is not None
    assert apart is not None
    assert apart < together / 10
