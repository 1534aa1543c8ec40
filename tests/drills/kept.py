"""Run folders that hold a card and its record, as they are after a run was judged: what the history is made from."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from drills.record.entries import Begun, Ended
from drills.record.evidence import write_chain
from drills.record.folder import add_card
from drills.record.register import enter

GOLDEN = Path(__file__).parents[1] / "golden"
FIRST = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
ARMS = "arms: {runbook: pass, no-fault: pass, no-action: fail}\n"
"""What the drills of these runs declare."""


@cache
def _text(which: str, file: str) -> str:
    return (GOLDEN / which / file).read_text()


def keep(
    runs: Path,
    day: float = 0,
    *,
    drill: str = "link-down",
    which: str = "pass",
    arm: str = "runbook",
    seed: int = 7,
    recover: float | None = None,
    limit: float | None = None,
    registered: bool = True,
    drawn: bool = False,
    purpose: str | None = None,
    arms: str = ARMS,
    machine: dict[str, Any] | None = None,
    thrown_away: bool = False,
    **card: Any,
) -> str:
    """Make one, ``day`` days after the first; ``DRILL/FOLDER``.

    ``which`` of the golden runs its card is like; ``recover``: late end of its recovery; ``limit``: its limit on that.
    ``thrown_away``: begun and ended in the register, and no folder any more. ``card``: fields that differ.
    """
    runs.mkdir(exist_ok=True)
    at = FIRST + timedelta(days=day)
    run = f"{drill}/{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03d}Z-{arm.replace(':', '.')}-{seed}"
    found = json.loads(_text(which, "scorecard.json"))
    found |= {"drill": drill, "arm": arm, "seed": seed, "run": run, "started": f"{at:%Y-%m-%dT%H:%M:%SZ}"} | card
    record = json.loads(_text(which, "run.json"))
    record["machine"] = machine or {"cores": 2}
    if recover is not None:
        _metric(found, "recover")["value"] = [recover, recover]
    for one in found["objectives"]:
        if one["metric"] == "recover" and limit is not None:
            one["limit"] = limit
    for one in record["plan"]["objectives"]:
        if one["metric"] == "recover" and limit is not None:
            one["limit"] = limit
    operator, pace = found["operator"]["kind"], found["operator"]["pace"]
    if registered:
        begun = Begun(
            run=run, drill=drill, variant=found["variant"], arm=arm, seed=seed, drawn=drawn, target=found["target"],
            operator="auto" if operator == "robot" else operator, pace=pace, drill_sha256=found["drill_sha256"],
            limits="l", who="sato@host", kunren="0.1.0", purpose=purpose,
        )  # fmt: skip
        where = enter(runs, begun)
        record["register"] = {"n": where.n, "sha256": where.sha256}
    record["run"] = run
    digest = None
    if not thrown_away:
        digest, found["evidence"] = _write(runs / run, found, record, f"drill: {drill}\n{arms}")
    if registered:
        enter(
            runs,
            Ended(
                run=run, reason="judged", verdict=found["verdict"], grade=found["grade"],
                evidence=found["evidence"], card=digest,
            ),
        )  # fmt: skip
    return run


def _write(folder: Path, card: dict[str, Any], record: dict[str, Any], drill: str) -> tuple[str, str]:
    """Hash of the card, and the evidence number."""
    (folder / "books").mkdir(parents=True)
    (folder / "books" / "bank.jsonl").write_text('{"rows": 0}\n')
    (folder / "events.jsonl").write_text("")
    (folder / "drill.yaml").write_text(drill)
    (folder / "run.json").write_text(json.dumps(record))
    card["evidence"] = write_chain(folder)
    content = json.dumps(card).encode()
    (folder / "scorecard.json").write_bytes(content)
    add_card(folder)
    return hashlib.sha256(content).hexdigest(), card["evidence"]


def _metric(card: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in card["metrics"] if one["id"] == name)["values"][0]
    return found
