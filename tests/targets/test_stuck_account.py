"""Whose lots keep the marking: brokerctl's own question to the database."""

from __future__ import annotations

import pytest

from targets.brokerage import postgres
from targets.brokerage.operations.batch import stuck_account
from targets.brokerage.operations.outcome import NotReached

from .ports import free_ports
from .stack import Database

DONE = """INSERT INTO batch_done SELECT 'mark-to-market', id, (SELECT next FROM calendar), 1 FROM accounts
    WHERE id < %s"""
MANY = """INSERT INTO lots (id, account, code, quantity, source)
    SELECT 'T-' || n, %s, (SELECT min(code) FROM instruments), 100, 'test' FROM generate_series(1, 200) n"""


def test_nobody_stands_out_in_a_common_night(database: Database) -> None:
    assert stuck_account(database.dsn, 5) is None


def test_the_account_with_most_lots_of_the_next_chunk(database: Database) -> None:
    database.rows(MANY, ("C-0007",))
    assert stuck_account(database.dsn, 5) is None  # its chunk's turn has not come
    database.rows(DONE, ("C-0006",))
    assert stuck_account(database.dsn, 5) == "C-0007"
    database.rows("DELETE FROM batch_done")
    database.rows(DONE, ("D",))
    assert stuck_account(database.dsn, 5) is None  # all are marked


def test_a_database_that_is_away_is_said_to_be() -> None:
    (port,) = free_ports(1)
    with pytest.raises(NotReached):
        stuck_account(postgres.dsn(port), 5)
