"""Conditions put into the data, as the world outside a brokerage does: here, an account that gets very many lots.

``lots`` ``{"account", "outlasts"}``: so many lots that valuing them one by one takes longer than ``outlasts`` seconds,
by the round trip to the valuation service as measured just before, through the batch's own link. It goes by the fastest
tenth of the round trips: under a lock everybody else waits, and the machine has more time for the one who holds it.
Taking the lots out again
stops the night's work on them, takes back what was posted for them by reversing entries, and says how long the account
was really held.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import msgspec
import psycopg

from targets import http_sync
from targets.brokerage.config import Config
from targets.brokerage.direct import connect
from targets.brokerage.postgres import dsn
from targets.target import ProbeResult

PLANTABLE = ("lots",)

CALLS = 200
MARGIN = 1.3
MOST = 2_000_000
CALL_S = 2.0
WITHIN_S = 3.0
BATCH_SESSIONS = "batch:%"

SOURCE = "transfer@"
"""What planted lots are told from all others by; the instant of their coming follows it."""

ADDED = "SELECT count(*) FROM lots WHERE account = %s AND source LIKE 'transfer@%%'"
BLOCKING = """SELECT b.pid FROM pg_stat_activity b WHERE b.application_name LIKE %s AND EXISTS (
    SELECT 1 FROM pg_stat_activity w WHERE w.wait_event_type = 'Lock' AND b.pid = ANY (pg_blocking_pids(w.pid)))"""
AT_WORK = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s AND backend_type = 'client backend'"
LONGEST = """SELECT coalesce(max(released_ns - locked_ns), 0) FROM batch_chunks
    WHERE job = 'mark-to-market' AND %s BETWEEN first AND last AND lots > %s"""
REVERSE = """SELECT (SELECT coalesce(sum(l.quantity::bigint * (now.close - before.close)), 0)::bigint FROM lots l
        JOIN closes now ON now.code = l.code AND now.day = c.next
        JOIN closes before ON before.code = l.code AND before.day = c.day
        WHERE l.account = %(account)s AND l.source LIKE 'transfer@%%'),
    (SELECT count(*) FROM ledger v WHERE v.why = 'variation' AND v.account = %(account)s AND v.day = c.next
        AND v.mono_ns > (SELECT min(split_part(l.source, '@', 2)::bigint) FROM lots l
            WHERE l.account = %(account)s AND l.source LIKE 'transfer@%%'))
    FROM calendar c"""
REMOVE = "DELETE FROM lots WHERE account = %s AND source LIKE 'transfer@%%'"
LEGS = """INSERT INTO ledger (reference, account, yen, mono_ns, why) VALUES
    (%(reference)s, %(account)s, %(yen)s, %(now)s, 'adjustment'),
    (%(reference)s, 'VARIATION', -%(yen)s, %(now)s, 'adjustment')"""


class Lots(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to plant: on which account, to outlast how many seconds."""

    account: str
    outlasts: float


Verb = Callable[[Config, str, Mapping[str, Any]], ProbeResult]


def plant(config: Config, what: str, wanted: Mapping[str, Any]) -> ProbeResult:
    """Add the lots. psycopg.Error, OSError; ValueError for what cannot be planted."""
    lots = _lots(what, wanted)
    trips = round_trips_s(config)
    fast, usual = trips[len(trips) // 10], trips[len(trips) // 2]
    count = math.ceil(lots.outlasts / fast * MARGIN)
    if count > MOST:
        raise ValueError(f"{count} lots would be needed: a round trip takes only {fast * 1e6:.0f} us")
    with _connect(config) as connection:
        if _one(connection, "SELECT count(*) FROM accounts WHERE id = %s", [lots.account]) == 0:
            raise ValueError(f"no account {lots.account}")
        if _one(connection, ADDED, [lots.account]):
            return ProbeResult(False, f"{lots.account} has such lots already")
        added = _insert(connection, lots, count, config.seed)
    measured = {"fast_us": round(fast * 1e6, 1), "round_trip_us": round(usual * 1e6, 1)}
    facts = {"added": count, **measured, "forecast_s": round(count * usual, 1)}
    rows = [{"account": lots.account, "code": code, "quantity": added[code]} for code in sorted(added)]
    says = f"{count} lots on {lots.account}; valuing them one by one should take {count * usual:.0f} s"
    return ProbeResult(True, says, {**facts, "lots": rows})


def planted(config: Config, what: str, wanted: Mapping[str, Any]) -> ProbeResult:
    """Whether the lots are there; felt is when the batch's session blocks others over them."""
    lots = _lots(what, wanted)
    with _connect(config) as connection:
        there = _one(connection, ADDED, [lots.account])
        blocking = connection.execute(BLOCKING, [BATCH_SESSIONS]).fetchone()
        held = blocking is not None and _holds(connection, lots.account)
        longest = _one(connection, LONGEST, [lots.account, max(1, there // 2)])
    pid = blocking[0] if blocking is not None and held else None
    says = f"{there} planted lots on {lots.account}; " + (
        f"session {pid} blocks others" if pid else "nobody is blocked"
    )
    return ProbeResult(there > 0, says, {"added": there, "effect": held, "pid": pid, "lock_s": round(longest / 1e9, 3)})


def unplant(config: Config, what: str, wanted: Mapping[str, Any]) -> ProbeResult:
    """Hold the batch, end its session, remove the lots, reverse what was posted for them."""
    lots = _lots(what, wanted)
    with _connect(config) as connection:
        count = _one(connection, ADDED, [lots.account])
        if not count:
            return ProbeResult(True, f"no planted lots on {lots.account}", {"changed": False})
        stopped = _stop_batch(config, connection)
        longest = _one(connection, LONGEST, [lots.account, max(1, count // 2)])
        with connection.transaction():
            connection.execute("SELECT 1 FROM accounts WHERE id = %s FOR UPDATE", [lots.account])
            reversed_yen = _reverse(connection, lots)
            connection.execute(REMOVE, [lots.account])
    facts = {"changed": True, "removed": count, "reversed_yen": reversed_yen, "stopped": stopped}
    says = f"{count} lots removed from {lots.account}, {reversed_yen} yen taken back"
    return ProbeResult(True, says, {**facts, "lock_s": round(longest / 1e9, 3)})


def round_trips_s(config: Config) -> list[float]:
    """Seconds of calls for one lot through the batch's link, in order of size. OSError, ValueError without answers."""
    with _connect(config) as connection:
        code, day = connection.execute("SELECT code, day::text FROM closes LIMIT 1").fetchone() or ("", "")
    with socket.create_connection(("127.0.0.1", config.via["batch-valuation"]), timeout=CALL_S) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = link.makefile("rb")
        marks = [time.monotonic()]
        for number in range(CALLS):
            link.sendall(json.dumps({"id": number, "day": day, "lots": [[code, 100]]}).encode() + b"\n")
            if "marks" not in json.loads(answers.readline()):
                raise ValueError("the valuation service gave no mark")
            marks.append(time.monotonic())
        return sorted(after - before for before, after in pairwise(marks))


def _lots(what: str, wanted: Mapping[str, Any]) -> Lots:
    if what not in PLANTABLE:
        raise ValueError(f"cannot plant {what}; there are: {', '.join(PLANTABLE)}")
    return msgspec.convert(wanted, Lots)


def _connect(config: Config) -> psycopg.Connection[Any]:
    return connect(
        dsn(config.ports["postgres"]), connect_timeout=3, autocommit=True, options="-c statement_timeout=20000"
    )


def _one(connection: psycopg.Connection[Any], query: str, values: list[Any]) -> int:
    row = connection.execute(query.encode(), values).fetchone()
    return int(row[0]) if row else 0


def _insert(connection: psycopg.Connection[Any], lots: Lots, count: int, seed: int) -> Counter[str]:
    """Small lots, as a savings plan makes them, of the instruments in turn."""
    rng = random.Random(f"transfer:{seed}:{lots.account}")
    source = f"{SOURCE}{time.monotonic_ns()}"
    codes = [row[0] for row in connection.execute("SELECT code FROM instruments ORDER BY code").fetchall()]
    added: Counter[str] = Counter()
    with connection.cursor() as cursor, connection.transaction():
        with cursor.copy("COPY lots (id, account, code, quantity, source) FROM STDIN") as copy:
            for number in range(count):
                code, quantity = rng.choice(codes), rng.randrange(1, 4)
                copy.write_row((f"T-{lots.account}-{number:07d}", lots.account, code, quantity, source))
                added[code] += quantity
        cursor.execute("ANALYZE lots")
    return added


def _stop_batch(config: Config, connection: psycopg.Connection[Any]) -> list[int]:
    """Hold it, so that nothing begins anew; end its session, so that nothing goes on; wait until it has seen that."""
    _ask(config, "POST", "/ops/batch/hold")
    pids = [row[0] for row in connection.execute(AT_WORK, [BATCH_SESSIONS]).fetchall()]
    for pid in pids:
        connection.execute("SELECT pg_terminate_backend(%s, 2000)", [pid])
    until = time.monotonic() + WITHIN_S
    while pids and _ask(config, "GET", "/ops/batch").get("state") == "running" and time.monotonic() < until:
        time.sleep(0.05)
    return pids


def _ask(config: Config, method: str, path: str) -> dict[str, Any]:
    """What the batch answers; nothing when it does not."""
    with contextlib.suppress(http_sync.NoReply, ValueError):
        headers = {"X-Ops-Token": config.token}
        reply = http_sync.ask(config.at("batch"), method, path, WITHIN_S, body=b"{}", headers=headers)
        said: dict[str, Any] = json.loads(reply.body)
        return said
    return {}


def _reverse(connection: psycopg.Connection[Any], lots: Lots) -> int:
    """Take back, in one entry, what the variations posted since then owe to the lots; the yen taken back."""
    row = connection.execute(REVERSE, {"account": lots.account}).fetchone()
    assert row is not None
    yen = -row[0] * row[1]
    if yen:
        entry = {"reference": f"T-{time.monotonic_ns()}", "account": lots.account, "yen": yen}
        connection.execute(LEGS, {**entry, "now": time.monotonic_ns()})
        connection.execute("UPDATE accounts SET cash = cash + %s WHERE id = %s", [yen, lots.account])
    return int(yen)


def _holds(connection: psycopg.Connection[Any], account: str) -> bool:
    """Whether somebody holds the account's row right now."""
    with connection.transaction():
        row = connection.execute("SELECT 1 FROM accounts WHERE id = %s FOR UPDATE SKIP LOCKED", [account]).fetchone()
    return row is None
