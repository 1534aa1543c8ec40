"""An account that gets very many lots: whoever values them one by one under its lock holds it for long.

There are so many that valuing them takes longer than ``outlasts`` seconds, by the round trip to the valuation service
as measured just before, through the batch's own link. It goes by the fastest tenth of the round trips: under a lock
everybody else waits, and the machine has more time for the one who holds it. Taking the lots out again stops the
night's work on them, takes back what was posted for them by reversing entries, and says how long the account was really
held.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import socket
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import msgspec
import psycopg
from msgspec import Meta

from targets.brokerage.condition import asked, connected, number
from targets.brokerage.config import Config
from targets.references import AccountName
from targets.target import ConditionState, ProbeResult

CALLS = 200
MARGIN = 1.3
MOST = 2_000_000
CALL_S = 2.0
WITHIN_S = 3.0
BATCH_SESSIONS = "batch:%"

LOOK_FOR_S = 2.0
"""How long one look takes at most; the batch's turn at the account may be a while away, and is looked for again."""
PAUSE_S = 0.4

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


class SkewedLots(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``account`` gets so many lots that a lock held over them outlasts ``outlasts`` seconds, if nobody acts."""

    NAME: ClassVar[str] = "skewed-lots"

    account: AccountName
    outlasts: Annotated[float, Meta(gt=0, le=600)]

    def plant(self, config: Config) -> ProbeResult:
        """Add the lots; the facts hold how many shares of what, and how long the lock should last."""
        trips = round_trips_s(config)
        fast, usual = trips[len(trips) // 10], trips[len(trips) // 2]
        count = math.ceil(self.outlasts / fast * MARGIN)
        if count > MOST:
            raise ValueError(f"{count} lots would be needed: a round trip takes only {fast * 1e6:.0f} us")
        with connected(config) as connection:
            if number(connection, "SELECT count(*) FROM accounts WHERE id = %s", [self.account]) == 0:
                raise ValueError(f"no account {self.account}")
            if number(connection, ADDED, [self.account]):
                return ProbeResult(False, f"{self.account} has such lots already")
            added = _insert(connection, self.account, count, config.seed)
        measured = {"fast_us": round(fast * 1e6, 1), "round_trip_us": round(usual * 1e6, 1)}
        facts = {"added": count, **measured, "forecast_s": round(count * usual, 1)}
        rows = [{"account": self.account, "code": code, "quantity": added[code]} for code in sorted(added)]
        says = f"{count} lots on {self.account}; valuing them one by one should take {count * usual:.0f} s"
        return ProbeResult(True, says, {**facts, "lots": rows})

    def look(self, config: Config, *, wait: bool) -> ConditionState:
        """Felt while the batch's session blocks others over the lots; with ``wait``, one that does so twice in a row.

        A single look may meet a wait that any job brings about and that is over at once.
        """
        if not wait:
            return self._state(config)
        until, before = time.monotonic() + LOOK_FOR_S, None
        while time.monotonic() < until:
            seen = self._state(config)
            if seen.felt and seen.data["pid"] == before:
                return seen
            before = seen.data["pid"]
            time.sleep(PAUSE_S)
        seen = self._state(config)
        return replace(seen, felt=False, says=f"nobody waited for it: {seen.says}")

    def unplant(self, config: Config) -> ProbeResult:
        """Hold the batch, end its session, remove the lots, reverse what was posted for them."""
        with connected(config) as connection:
            count = number(connection, ADDED, [self.account])
            if not count:
                return ProbeResult(True, f"no planted lots on {self.account}", {"changed": False})
            stopped = _stop_batch(config, connection)
            longest = number(connection, LONGEST, [self.account, max(1, count // 2)])
            with connection.transaction():
                connection.execute("SELECT 1 FROM accounts WHERE id = %s FOR UPDATE", [self.account])
                reversed_yen = _reverse(connection, self.account)
                connection.execute(REMOVE, [self.account])
        facts = {"changed": True, "removed": count, "reversed_yen": reversed_yen, "stopped": stopped}
        says = f"{count} lots removed from {self.account}, {reversed_yen} yen taken back"
        return ProbeResult(True, says, {**facts, "lock_s": round(longest / 1e9, 3)})

    def _state(self, config: Config) -> ConditionState:
        """As of now; ``pid`` is the session that blocks others, ``lock_s`` how long the account was held at most."""
        with connected(config) as connection:
            there = number(connection, ADDED, [self.account])
            blocking = connection.execute(BLOCKING, [BATCH_SESSIONS]).fetchone()
            held = blocking is not None and _holds(connection, self.account)
            longest = number(connection, LONGEST, [self.account, max(1, there // 2)])
        pid = blocking[0] if blocking is not None and held else None
        waits = f"session {pid} blocks others" if held else "nobody is blocked"
        facts = {"added": there, "pid": pid, "lock_s": round(longest / 1e9, 3)}
        return ConditionState(there > 0, held, f"{there} planted lots on {self.account}; {waits}", facts)


def round_trips_s(config: Config) -> list[float]:
    """Seconds of calls for one lot through the batch's link, in order of size. OSError, ValueError without answers."""
    with connected(config) as connection:
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


def _insert(connection: psycopg.Connection[Any], account: str, count: int, seed: int) -> Counter[str]:
    """Small lots, as a savings plan makes them, of the instruments in turn."""
    rng = random.Random(f"transfer:{seed}:{account}")
    source = f"{SOURCE}{time.monotonic_ns()}"
    codes = [row[0] for row in connection.execute("SELECT code FROM instruments ORDER BY code").fetchall()]
    added: Counter[str] = Counter()
    with connection.cursor() as cursor, connection.transaction():
        with cursor.copy("COPY lots (id, account, code, quantity, source) FROM STDIN") as copy:
            for number in range(count):
                code, quantity = rng.choice(codes), rng.randrange(1, 4)
                copy.write_row((f"T-{account}-{number:07d}", account, code, quantity, source))
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
    with contextlib.suppress(OSError):
        _, said = asked(config, "batch", path, {}, WITHIN_S, method)
        return said
    return {}


def _reverse(connection: psycopg.Connection[Any], account: str) -> int:
    """Take back, in one entry, what the variations posted since then owe to the lots; the yen taken back."""
    row = connection.execute(REVERSE, {"account": account}).fetchone()
    assert row is not None
    yen = -row[0] * row[1]
    if yen:
        entry = {"reference": f"T-{time.monotonic_ns()}", "account": account, "yen": yen}
        connection.execute(LEGS, {**entry, "now": time.monotonic_ns()})
        connection.execute("UPDATE accounts SET cash = cash + %s WHERE id = %s", [yen, account])
    return int(yen)


def _holds(connection: psycopg.Connection[Any], account: str) -> bool:
    """Whether somebody holds the account's row right now."""
    with connection.transaction():
        row = connection.execute("SELECT 1 FROM accounts WHERE id = %s FOR UPDATE SKIP LOCKED", [account]).fetchone()
    return row is None
