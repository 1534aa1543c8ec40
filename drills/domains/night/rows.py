"""Rows about the night: its calendar, lots and closing prices, and what its batch says that it did."""

from __future__ import annotations

from collections.abc import Mapping

from drills.record.books import Row


class Calendar(Row, frozen=True, kw_only=True, tag="calendar"):
    """The business day the drill plays on; ``id`` is the ISO date, ``next`` that of the business day after it.

    Trades of the day settle on ``settles``. Business time is ``begins`` (ISO 8601) when the load starts and runs
    ``compression`` times as fast from there. Of the night that follows, in business times of that day (``HH:MM``):
    its batch does not run before ``batch_at``, pages show ``next`` from ``rolls_at`` on, and by ``opening_at`` the jobs
    of ``must_run`` must be done, each after all before it; the last of them is the gate that lets the day be opened.
    Empty where nothing is known of the night.
    """

    opens_at: str
    compression: int
    next: str = ""
    settles: str = ""
    begins: str = ""
    batch_at: str = ""
    rolls_at: str = ""
    opening_at: str = ""
    must_run: tuple[str, ...] = ()


class Lot(Row, frozen=True, kw_only=True, tag="lot"):
    """One lot of a margin position: ``quantity`` shares of ``code`` that are marked to market each business day."""

    code: str
    quantity: int


class Close(Row, frozen=True, kw_only=True, tag="close"):
    """The price in yen at which lots are marked for a business day; ``id`` is ``CODE/DAY``."""

    code: str
    day: str
    close: int


class BatchJob(Row, frozen=True, kw_only=True, tag="batch-job"):
    """One attempt at a job of the night batch; ``id`` is ``JOB/ATTEMPT``, ``ended_ns`` is 0 while it goes on.

    ``taken`` accounts (or trades) came in, ``given`` went out, ``rejected`` did not; attempts count from 1.
    """

    job: str
    state: str
    started_ns: int
    ended_ns: int
    taken: int
    given: int
    rejected: int
    attempt: int


class Marked(Row, frozen=True, kw_only=True, tag="marked"):
    """The account's lots were last marked to market for the business date ``day`` at ``t_ns``; one row an account."""

    day: str


ROWS: Mapping[str, tuple[type[Row], ...]] = {
    "world": (Calendar, Lot, Close),
    "oms": (BatchJob, Marked),
}
"""Book -> its rows of this kind."""
