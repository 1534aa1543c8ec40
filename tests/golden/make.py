"""Make the golden run folders beside this file, and their cards.

    python tests/golden/make.py              make what is missing, judge all; refuses to change a card's meaning
                                             under the same rules number
    python tests/golden/make.py --anew       make every folder again from its recipe
    python tests/golden/make.py --same-rules let cards change under the same number (before a release only)

A changed rule needs a new number: raise RULES in drills/judge/scorecard.py, say in CHANGELOG.md what changed, then run
this.
The inputs are made once from the histories of tests/drills/synthetic.py with fixed seeds and a thin load, so that a
folder stays far below 200 KB; a new rules number changes their cards only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from tests.drills.words import said as said_of

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))  # run as a script, this folder alone would be searched

from drills.cards import judge, judge_and_write  # noqa: E402
from drills.domains.orders.rows import OmsExecution  # noqa: E402
from drills.domains.registry import DOMAINS  # noqa: E402
from drills.judge.scorecard import RULES  # noqa: E402
from drills.record.folder import RunFolder, card_bytes  # noqa: E402
from drills.record.history import NS, Objective, RunRecord  # noqa: E402
from tests.drills import synthetic  # noqa: E402
from tests.drills.synthetic import Draft, correct, replanned  # noqa: E402

THIN = {"orders": 2.0, "inquiry": 3.0}
DRILL = "drill: made-up\ntitle: {en: Made up, ja: 作り物}\n".encode()
RUNBOOK = b"runbook: link-down\n"
KILLED_AT = 12.0

Recipe = Callable[[], Draft]
FOLLOWED = hashlib.sha256(RUNBOOK).hexdigest()


def _limit(recover: float) -> list[Objective]:
    return [Objective("recover", recover, "s") if one.id == "recover" else one for one in synthetic.OBJECTIVES]


def posted_twice() -> Draft:
    draft = correct(5)
    row = next(row for row in draft.oms if isinstance(row, OmsExecution))
    value = row.quantity * row.price * (-1 if row.side == "buy" else 1)
    again = synthetic.legs(row.id, row.account, value, row.t_ns + NS)
    draft.oms += [msgspec.structs.replace(leg, id=f"{leg.id}-again") for leg in again]
    return draft


def unwitnessed() -> Draft:
    draft = correct(7)
    draft.events = [event for event in draft.events if event[3] != "verify_effect"]
    return draft


def killed() -> Draft:
    draft = correct(13)
    draft.events = [event for event in draft.events if event[0] < synthetic.at(KILLED_AT)]
    draft.run = msgspec.structs.replace(draft.run, end=None, clock={"start": 10**18})
    return draft


RECIPES: dict[str, Recipe] = {
    "pass": lambda: correct(3),
    "pass-prevented": lambda: correct(11, effect=False),
    "pass-no-fault": lambda: correct(3, "no-fault"),
    "pass-false-alarm": lambda: correct(4, "false-alarm"),
    "fail-integrity": posted_twice,
    "fail-objective": lambda: replanned(correct(3), objectives=_limit(4)),
    "unknown": lambda: replanned(correct(3), objectives=_limit(6.5)),
    "invalid-unwitnessed": unwitnessed,
    "invalid-truncated-book": lambda: correct(9),
    "invalid-killed": killed,
}


def make(name: str, folder: Path) -> None:
    """The run folder of a recipe at ``folder``, without its card; sealed unless it was killed."""
    before = synthetic.SERVICES
    synthetic.SERVICES = THIN
    try:
        draft = RECIPES[name]()
        history = draft.history()
    finally:
        synthetic.SERVICES = before
    folder.mkdir()
    for sub in ("samples", "books", "logs"):
        (folder / sub).mkdir()
    writer = RunFolder(folder, DOMAINS.books)
    writer.copy_inputs(DRILL, RUNBOOK)
    for event in history.events:
        followed = {"sha256": FOLLOWED} if "sha256" in event.data else {}
        writer.events.append(event.actor, event.kind, event.what, {**event.data, **followed}, event.t)
    alive = name != "invalid-killed"
    if history.plan.injects:
        writer.rollback.append({"what": "intent", "index": 0, "fault": {"kind": "timeout", "link": "exchange-a"}})
        if alive:
            writer.rollback.append({"what": "undone", "index": 0})
    for book, rows in history.books.items():
        if alive or book == "world":
            writer.write_book(book, [msgspec.to_builtins(row) for row in rows])
    if alive:
        _samples(writer, history.samples)
    (folder / "logs" / "api.log").write_text("started\n")
    writer.write_run(_record(history.run, name))
    if name == "invalid-truncated-book":
        _cut(folder / "books" / "exchange.jsonl", 40)
    if alive:
        writer.seal()
    else:
        writer.close()
        _cut(folder / "events.jsonl", 17)


def _record(run: RunRecord, name: str) -> RunRecord:
    plan = msgspec.structs.replace(
        run.plan,
        drill_sha256=hashlib.sha256(DRILL).hexdigest(),
        runbook_sha256=FOLLOWED,
    )
    called = f"made-up/20261122T100600.000Z-{plan.arm}-{plan.seed}"
    return msgspec.structs.replace(run, plan=plan, run=called, subject=f"golden@{name}")


def _samples(writer: RunFolder, samples: Any) -> None:
    with TemporaryDirectory() as scratch:
        records = Path(scratch) / "samples.bin"
        columns = (samples.intended, samples.sent, samples.done, samples.key, samples.outcome, samples.name)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        records.write_bytes(b"".join(struct.pack("<qqqqBB6x", *row) for row in rows))
        writer.write_samples(records, samples.names)


def _cut(path: Path, much: int) -> None:
    path.write_bytes(path.read_bytes()[:-much])


def _would_change(folder: Path) -> bool:
    """Whether the card changes although its rules number does not."""
    path = folder / "scorecard.json"
    if not path.exists():
        return False
    before = path.read_bytes()
    return json.loads(before)["rules"] == RULES and before != card_bytes(judge(folder)[0])


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the golden run folders and their cards.")
    parser.add_argument("--anew", action="store_true", help="make every folder again")
    parser.add_argument("--same-rules", action="store_true", help="let cards change under the same rules number")
    asked = parser.parse_args()
    for name in RECIPES:
        folder = HERE / name
        if asked.anew and folder.exists():
            shutil.rmtree(folder)
        if not folder.exists():
            make(name, folder)
    changed = [name for name in RECIPES if _would_change(HERE / name)]
    if changed and not asked.same_rules:
        print(f"the cards of {', '.join(changed)} would change although the rules still have number {RULES}.")
        print("Fix: raise RULES in drills/judge/scorecard.py, say in CHANGELOG.md what changed, run this again.")
        return 1
    for name in RECIPES:
        card, _ = judge_and_write(HERE / name)
        says = [f"{c.id}: {said_of(c)}" for c in card.checks if c.verdict not in ("pass", "n/a")]
        missed = [f"{o.id} {o.measured} limit {o.limit}" for o in card.objectives if o.verdict not in ("pass", "n/a")]
        print(f"{name:24} {card.verdict:8} {card.grade or '-':18} {'; '.join(says + missed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
