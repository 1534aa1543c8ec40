"""Correct histories in which every request stands in a transaction log before it goes on, and its volume has room."""

from __future__ import annotations

import msgspec

from drills.domains.customers.rows import Request
from drills.domains.transaction_log.rows import HighWater, LogFile, LogLine, LogTrace, VolumeState

from . import synthetic as made
from .synthetic import END, Draft, at

LOG_CHECKS = ["accepted-logged", "log-without-gap", "log-volume-headroom", "alerted-before-the-breach"]
BEFORE, PACKED = 100, 60
CURRENT = "transactions.log"
KEYED = ("order", "repayment")
WHAT = {"order": "POST /orders", "repayment": "POST /repayments", "quote": "GET /quotes/7203"}


def correct_logged(seed: int = 0, arm: str = "runbook", effect: bool = True) -> Draft:
    """A day, with the log's book."""
    draft = made.correct(seed, arm, effect)
    draft.plan = msgspec.structs.replace(draft.plan, checks=[*made.CHECKS, *LOG_CHECKS])
    draft.run = msgspec.structs.replace(draft.run, books=[*draft.run.books, "transactions"])
    asked = sorted((row for row in draft.customers if isinstance(row, Request)), key=lambda row: row.t_ns)
    middle = BEFORE + 1 + len(asked) // 2  # there it was opened anew
    lines = [line(n + (n >= middle), row) for n, row in enumerate(asked, BEFORE + 1)]
    lines.append(LogLine(t_ns=at(END / 2), id=f"{CURRENT}:{middle}", sequence=middle, what="opened anew", file=CURRENT))
    last = BEFORE + len(lines)
    files = {"transactions-00000060.log.gz": (1, PACKED), "transactions-00000100.log": (PACKED + 1, BEFORE)}
    draft.transactions = [*lines, *(file(name, *each) for name, each in {**files, CURRENT: (BEFORE + 1, last)}.items())]
    draft.transactions += [
        LogTrace(t_ns=at(END + 1), id="debug.log", requests=10, first_ns=at(8), last_ns=at(10), bytes=16_000),
        HighWater(t_ns=at(END + 1), id="relay", sequence=last, began=BEFORE),
        VolumeState(
            t_ns=at(END + 1), id="relay-log", size=3_932_160, free=3_000_000, inodes=200, inodes_free=190, per_s=12_000
        ),
    ]
    return draft


def line(sequence: int, row: Request) -> LogLine:
    """Only what is to be carried out once has a key in its head."""
    what = WHAT.get(row.action, f"GET /{row.action}")
    key = row.key if row.action in KEYED else ""
    return LogLine(
        t_ns=row.t_ns + 1, id=f"{CURRENT}:{sequence}", account=row.account, key=key, sequence=sequence, what=what,
        file=CURRENT,
    )  # fmt: skip


def file(name: str, first: int, last: int) -> LogFile:
    return LogFile(t_ns=at(END + 1), id=name, ranges=((first, last),), damaged=0, bytes=60_000, copied=False)
