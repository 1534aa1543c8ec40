"""The world a stack starts from: customers, cash, holdings, prices and the business day, all from one seed.

``make_world`` is pure; whoever judges keeps its rows from before the target started. ``load_world`` puts the same rows
into the database. Rows are dicts in the form of the books' ``world`` rows; ``t_ns`` is 0: before everything.
"""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from targets.brokerage.config import COMPRESSION, BatchConfig
from targets.brokerage.direct import connect
from targets.references import NameRange

CUSTOMERS = 1_500
INSTRUMENTS = 20
HOLDINGS = 3
LOTS = 1
BORROWERS = 0.67
LOT = 100
STARTING_S = 10.0
OPENS_AT = "09:00"

MUST_RUN = ("settlement", "mark-to-market", "margin", "statements", "opening-gate")
"""The jobs without which the next day may not be opened, each after all before it. Stated apart from the batch's own
list: a job that goes missing there must not go missing for whoever judges."""

# Tokyo's daily limit by base price (below, yen either way); the standard table up to the prices used here.
LIMITS = ((700, 100), (1_000, 150), (1_500, 300), (2_000, 400), (3_000, 500), (5_000, 700), (7_000, 1_000))

HERE = Path(__file__).parent
SQL_FILES = (
    HERE / "schema.sql",
    *(HERE / "sql" / f"{name}.sql" for name in ("orders", "posting", "loans", "night", "withdrawals")),
)

COLUMNS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "price": ("instruments", ("code", "base", "tick", "low", "high"), ("id", "base", "tick", "low", "high")),
    "calendar": (
        "calendar",
        ("day", "opens_at", "compression", "next", "settles"),
        ("id", "opens_at", "compression", "next", "settles"),
    ),
    "account": ("accounts", ("id", "opening", "cash"), ("id", "cash", "cash")),
    "holding": ("positions", ("account", "code", "quantity"), ("account", "code", "quantity")),
    "close": ("closes", ("code", "day", "close"), ("code", "day", "close")),
    "lot": ("lots", ("id", "account", "code", "quantity"), ("id", "account", "code", "quantity")),
    "loan": ("loans", ("id", "account", "principal"), ("id", "account", "principal")),
}
"""Row kind -> table, its columns, and the row's fields for them; in the order the foreign keys need."""


def make_world(
    seed: int,
    customers: int = CUSTOMERS,
    day: date | None = None,
    compression: int = COMPRESSION,
    begins: str = "",
) -> list[dict[str, Any]]:
    """The rows for the accounts of so many ``customers`` on ``day``; without one, a Tokyo business day by the seed.

    ``begins`` is the business time (ISO 8601) at which the load will start; without it nobody can date the night.
    """
    rng = random.Random(f"world:{seed}")
    prices = day_prices(rng)
    codes = [row["id"] for row in prices]
    ids = list(account_names(customers))
    accounts = [_row("account", each, account=each, cash=rng.randrange(300, 2_001) * 10_000) for each in ids]
    holdings = [row for each in ids for row in _holdings(rng, each, codes)]
    days = business_days_from(day or business_day(seed), 3)
    names = [each.isoformat() for each in days]
    plan = BatchConfig()
    calendar = _row(
        "calendar", names[0], opens_at=OPENS_AT, compression=compression, next=names[1], settles=names[2],
        begins=begins, batch_at=plan.start, rolls_at=plan.roll, opening_at=plan.opening, must_run=list(MUST_RUN),
    )  # fmt: skip
    return [calendar, *prices, *accounts, *holdings, *_night(seed, prices, ids, names)]


def account_names(customers: int = CUSTOMERS) -> NameRange:
    """The accounts of so many customers, whatever the seed."""
    return NameRange("C-", 1, customers, 4)


def business_day(seed: int) -> date:
    """A trading day of the Tokyo exchange in 2026, drawn by the seed."""
    within = [each for each in _sessions() if each.year == 2026]
    return random.Random(f"day:{seed}").choice(within)


def business_days_from(day: date, count: int) -> list[date]:
    """``day`` and the trading days after it, ``count`` in all; ValueError when the calendar does not reach so far."""
    later = [each for each in _sessions() if each > day][: count - 1]
    if len(later) < count - 1:
        raise ValueError(f"the calendar does not reach {count} trading days beyond {day}")
    return [day, *later]


@cache
def _sessions() -> tuple[date, ...]:
    import exchange_calendars  # here, because importing it takes a second and only this function needs it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it uses what the next pandas will change, not we
        sessions = exchange_calendars.get_calendar("XTKS", start="2026-01-01", end="2027-03-31").sessions
    return tuple(each.date() for each in sessions)


def create_schema(dsn: str) -> None:
    """Create all tables and functions in an empty database; psycopg.Error when it is not empty or not there."""
    with _connect(dsn) as connection:
        for path in SQL_FILES:
            connection.execute(path.read_bytes())


def _connect(dsn: str) -> psycopg.Connection[Any]:
    """A server that has just bound its port still refuses for some milliseconds: it says that it is starting up."""
    deadline = time.monotonic() + STARTING_S
    while True:
        try:
            return connect(dsn, connect_timeout=10)
        except psycopg.OperationalError as error:
            if "starting up" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def load_world(dsn: str, rows: Iterable[Mapping[str, Any]], identity: str = "KUNREN") -> None:
    """Fill an empty schema with the world's rows, in one transaction, and start the session's numbers at 1."""
    by_kind: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in COLUMNS}
    for row in rows:
        by_kind[row["kind"]].append(row)
    with connect(dsn, connect_timeout=10) as connection, connection.cursor() as cursor:
        for kind, (table, columns, fields) in COLUMNS.items():
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)) as copy:
                for row in by_kind[kind]:
                    copy.write_row([row[field] for field in fields])
        cursor.execute("INSERT INTO session (identity) VALUES (%s)", [identity])
        cursor.execute("ANALYZE")


def daily_limits(base: int) -> tuple[int, int]:
    """Lowest and highest price allowed on a day that starts from ``base``; ValueError outside the table."""
    width = next((yen for below, yen in LIMITS if base < below), None)
    if width is None:
        raise ValueError(f"no daily limit is known for a base price of {base} yen")
    return base - width, base + width


def tick_of(base: int) -> int:
    """Price step in yen: 1 up to 3,000 yen, above that 5."""
    return 1 if base <= 3_000 else 5


def day_prices(rng: random.Random) -> list[dict[str, Any]]:
    """The rows of the day's instruments: what is drawn first of a world."""
    codes = sorted(rng.sample(range(1_301, 10_000), INSTRUMENTS))
    return [_price(str(code), rng.randrange(500, 5_001)) for code in codes]


def _price(code: str, drawn: int) -> dict[str, Any]:
    tick = tick_of(drawn)
    base = drawn - drawn % tick
    low, high = daily_limits(base)
    return _row("price", code, base=base, tick=tick, low=low, high=high)


def _holdings(rng: random.Random, account: str, codes: list[str]) -> Iterator[dict[str, Any]]:
    for code in sorted(rng.sample(codes, HOLDINGS)):
        lots = rng.randrange(5, 21)
        yield _row("holding", f"{account}/{code}", account=account, code=code, quantity=lots * LOT)


def _night(seed: int, prices: list[dict[str, Any]], accounts: list[str], days: list[str]) -> Iterator[dict[str, Any]]:
    """What the night batch works on; drawn apart, so that the rest of the world does not depend on it."""
    rng = random.Random(f"night:{seed}")
    for price in prices:
        for day, close in zip(days, (price["base"], _next_close(rng, price)), strict=False):
            yield _row("close", f"{price['id']}/{day}", code=price["id"], day=day, close=close)
    codes = [price["id"] for price in prices]
    for place, account in enumerate(accounts):
        for number in range(1 + place * LOTS, 1 + (place + 1) * LOTS):
            held = {"code": rng.choice(codes), "quantity": rng.randrange(1, 6) * LOT}
            yield _row("lot", f"L-{number:06d}", account=account, **held)
        if rng.random() < BORROWERS:
            yield _row("loan", account, account=account, principal=rng.randrange(200, 1_201) * 10_000)


def _next_close(rng: random.Random, price: dict[str, Any]) -> int:
    """From half a percent to four percent away from the base, on a tick: never where it was."""
    ticks = max(1, round(price["base"] * rng.uniform(0.005, 0.04) / price["tick"]))
    return int(price["base"] + rng.choice((-1, 1)) * ticks * price["tick"])


def _row(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "t_ns": 0, "id": name, **fields}
