"""A run folder with as many samples as wanted and next to nothing in its books: two services, a partial outage."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run as a script, this folder alone would be searched

from drills.domains.customers.rows import Request
from drills.record.folder import card_bytes
from drills.record.history import NS, OUTCOMES, RequestOutcome, RunEnd
from drills.record.names import COLUMNS
from drills.record.samplefile import TYPES, Names
from tests.drills.synthetic import correct

RATE = 5_000
"""Requests per second; three of five are for the second service."""
SERVICES = {"orders": RATE * 0.4, "inquiry": RATE * 0.6}
BLOCK = 1 << 20
ROW = 1
"""The one row of the customers' book, which all samples name: a row for each would take longer to read than they."""
T0 = 1_000 * NS


def make(folder: Path, rows: int, bad_share: float = 0.02) -> None:
    """``bad_share`` of all requests fail, in one outage in the middle in which every second one does."""
    for sub in ("samples", "books"):
        (folder / sub).mkdir(parents=True)
    _samples(folder / "samples", rows, bad_share)
    draft = correct(1)
    until = T0 + rows * NS // RATE
    hurt = until // 2 + T0 // 2
    plan = msgspec.structs.replace(
        draft.plan, services=SERVICES, drill_sha256="0" * 64, faults=draft.plan.faults, cap=until - hurt
    )
    events = [
        ("runner", "invoke", "baseline", T0), ("runner", "ok", "baseline", T0 + NS),
        ("fault:0", "invoke", "inject", hurt - NS // 10), ("fault:0", "ok", "inject", hurt - NS // 20),
        ("fault:0", "ok", "verify_effect", hurt),
        ("runner", "invoke", "snapshot", until), ("runner", "ok", "snapshot", until),
        ("fault:0", "ok", "rollback", until), ("fault:0", "ok", "verify_removed", until),
    ]  # fmt: skip
    lines = [
        msgspec.json.encode({"index": n, "t": t, "actor": actor, "kind": kind, "what": what})
        for n, (actor, kind, what, t) in enumerate(events)
    ]
    (folder / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    (folder / "rollback.jsonl").write_bytes(b"")
    for book in ("world", "customers", "exchange", "oms", "notices"):
        (folder / "books" / f"{book}.jsonl").write_bytes(b"")
    row = Request(t_ns=T0, id=str(ROW), action="fetch", intended_ns=T0)
    (folder / "books" / "customers.jsonl").write_bytes(msgspec.json.encode(row) + b"\n")
    run = msgspec.structs.replace(draft.run, plan=plan, t0=T0, ready=T0, end=RunEnd(until, "judged"))
    (folder / "run.json").write_bytes(card_bytes(run))


def _samples(folder: Path, rows: int, bad_share: float) -> None:
    columns = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.dtype(TYPES[name]), (rows,), version=(1, 0))
        for name in COLUMNS
    }
    for start, block in _blocks(rows, bad_share):
        for name, column in columns.items():
            column[start : start + len(block[name])] = block[name]
    for column in columns.values():
        column.flush()
    words = Names(list(SERVICES), [str(outcome) for outcome in OUTCOMES])
    (folder / "names.json").write_bytes(msgspec.json.encode(words))


def _blocks(rows: int, bad_share: float) -> Iterator[tuple[int, dict[str, npt.NDArray[np.int64]]]]:
    rng = np.random.default_rng(7)
    low, high = int(rows * (0.5 - bad_share)), int(rows * (0.5 + bad_share))
    for start in range(0, rows, BLOCK):
        at = np.arange(start, min(start + BLOCK, rows))
        intended = T0 + at * (NS // RATE) + rng.integers(0, NS // RATE, len(at))
        sent = intended + rng.integers(20_000, 2_000_000, len(at))
        done = sent + rng.integers(300_000, 9_000_000, len(at))
        fails = (at >= low) & (at < high) & (at % 2 == 0)
        outcome = np.where(fails, OUTCOMES.index(RequestOutcome.REFUSED), OUTCOMES.index(RequestOutcome.OK))
        name = (rng.integers(0, 5, len(at)) >= 2).astype(np.int64)
        key = np.full(len(at), ROW)
        yield start, {"intended": intended, "sent": sent, "done": done, "outcome": outcome, "name": name, "key": key}
