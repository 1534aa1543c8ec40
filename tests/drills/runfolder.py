"""Small run folders made by hand: six requests, four events, two or three rows a book."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from drills.domains.registry import DOMAINS
from drills.record.folder import RunFolder
from drills.record.history import NS, Kind, Objective, Plan, PlannedFault, RunEnd, RunRecord, Slo

STARTED = datetime(2026, 11, 22, 10, 6, 0, 250_000, tzinfo=UTC)
DRILL_TEXT = b"drill: exchange-link-down\n"
RUNBOOK_TEXT = b"runbook: exchange-link-down\n"
T0 = 1_000 * NS

BOOKS: Mapping[str, list[dict[str, Any]]] = {
    "world": [{"kind": "account", "t_ns": 0, "id": "C-0001", "account": "C-0001", "cash": 1_000_000}],
    "customers": [
        {"kind": "request", "t_ns": T0 + 2, "id": "1", "action": "order", "intended_ns": T0 + 1},
        {"kind": "reply", "t_ns": T0 + 9, "id": "1", "action": "order", "status": 201, "outcome": "ok"},
    ],
    "exchange": [
        {
            "kind": "exchange-execution",
            "t_ns": T0 + 7,
            "id": "E-1",
            "order": "O-1",
            "code": "7203",
            "side": "buy",
            "quantity": 100,
            "price": 2500,
        },
        {
            "kind": "exchange-order",
            "t_ns": T0 + 5,
            "id": "O-1",
            "code": "7203",
            "side": "buy",
            "quantity": 100,
            "price": 2500,
        },
    ],
    "oms": [{"kind": "posting", "t_ns": T0 + 8, "id": "P-1", "reference": "E-1", "account": "C-0001", "yen": -250_000}],
    "notices": [{"kind": "notice", "t_ns": T0 + 9, "id": "E-1.json", "key": "E-1", "account": "C-0001"}],
}


def plan(**changed: Any) -> Plan:
    whole = Plan(
        drill="exchange-link-down",
        variant=None,
        title={"en": "The link to the exchange goes silent", "ja": "取引所回線の無応答"},
        sources=["rkt-05"],
        phase="D3",
        fidelity="F",
        limits=["one exchange only"],
        governing=None,
        arm="runbook",
        operator="auto",
        reaction=NS,
        seed=7,
        slo=Slo(latency=NS, hold=5 * NS, grace=3 * NS // 2, notice=10 * NS, monitor_gap=2 * NS),
        services={"orders": 25.0, "inquiry": 35.0},
        alerts=["LinkSilent"],
        objectives=[Objective("recover", 15, "s")],
        checks=["executions-one-to-one"],
        faults=[PlannedFault(0, "toxic", 3 * NS, None, {"link": "exchange-a"})],
        baseline=5 * NS,
        cap=40 * NS,
        drill_sha256=hashlib.sha256(DRILL_TEXT).hexdigest(),
        runbook_sha256=hashlib.sha256(RUNBOOK_TEXT).hexdigest(),
    )
    return msgspec.structs.replace(whole, **changed)


def record(folder: RunFolder, **changed: Any) -> RunRecord:
    whole = RunRecord(
        schema="kunren.run/2",
        run=folder.name,
        plan=plan(),
        started="2026-11-22T10:06:00.250Z",
        t0=T0,
        kunren="0.1.0",
        subject=None,
        target="local",
        engines={"proxy": "embedded 2.12.0"},
        machine={"cores": 2},
        clock={"start": 1, "end": 1},
        books=["exchange", "oms", "notices"],
        end=RunEnd(T0 + 30 * NS, "judged"),
        own_parts=["harness", "load", "proxy"],
    )
    return msgspec.structs.replace(whole, **changed)


def load_file(path: Path, requests: int = 6, torn: bytes = b"") -> Path:
    """The load's own record file, newest first, so that sorting shows."""
    rows = [
        struct.pack("<qqqqBB6x", T0 + i * NS, T0 + i * NS + 1, T0 + i * NS + 9, i, i % 3, i % 2)
        for i in reversed(range(requests))
    ]
    path.write_bytes(b"".join(rows) + torn)
    return path


def open_run(
    root: Path, arm: str = "runbook", seed: int = 7, started: datetime = STARTED, drill: str = "exchange-link-down"
) -> RunFolder:
    return RunFolder.create(root / "runs", drill, arm, seed, started, DOMAINS.books)


def whole_run(
    root: Path, arm: str = "runbook", seed: int = 7, before_seal: Callable[[RunFolder], None] | None = None
) -> Path:
    """A complete, sealed run; ``before_seal`` may spoil something first."""
    folder = open_run(root, arm, seed)
    folder.copy_inputs(DRILL_TEXT, RUNBOOK_TEXT)
    folder.events.append("runner", Kind.INFO, "started", t=T0)
    folder.rollback.append({"what": "intent", "index": 0, "fault": {"kind": "toxic"}})
    folder.events.append("fault:0", Kind.INVOKE, "inject", {"link": "exchange-a"}, t=T0 + 8 * NS)
    folder.events.append("fault:0", Kind.OK, "inject", t=T0 + 8 * NS + 5)
    folder.rollback.append({"what": "undone", "index": 0})
    folder.events.append("runner", Kind.INFO, "finished", {"reason": "judged"}, t=T0 + 30 * NS)
    for name, rows in BOOKS.items():
        folder.write_book(name, rows)
    folder.write_samples(load_file(root / "samples.bin"), ("orders", "inquiry"))
    (folder.logs / "api.log").write_text("started\n")
    folder.write_run(record(folder))
    if before_seal:
        before_seal(folder)
    folder.seal()
    return folder.path
