"""The golden run folders: one for each way a run can end. Their cards are pinned, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drills.cards import judge
from drills.judge.scorecard import RULES
from drills.record.folder import card_bytes, verify_evidence

HERE = Path(__file__).parent
BYTES = 200_000
FIX = (
    "The card of {name} changed. If that is meant, the rules are new: raise RULES in drills/judge/scorecard.py, say in"
    " CHANGELOG.md what changed, and run python tests/golden/make.py. If it is not meant, the change is a bug."
)

EXPECTED = {  # folder -> verdict, grade, and the cells that decide it
    "pass": ("pass", "performed", []),
    "pass-prevented": ("pass", "performed", []),
    "pass-no-fault": ("pass", "performed", []),
    "pass-false-alarm": ("pass", "performed", []),
    "fail-integrity": ("fail", "unable", ["cash-conserved", "no-duplicates"]),
    "fail-objective": ("fail", "major-challenges", ["recover"]),
    "unknown": ("unknown", None, ["recover"]),
    "invalid-unwitnessed": ("invalid", None, ["fault-really-happened"]),
    "invalid-truncated-book": ("invalid", None, ["history-whole"]),
    "invalid-killed": ("invalid", None, ["run-ended", "history-whole"]),
}


def test_each_golden_folder_is_expected_here() -> None:
    assert {path.parent.name for path in HERE.glob("*/run.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_changed_rule_has_a_new_number(name: str) -> None:
    pinned = (HERE / name / "scorecard.json").read_bytes()
    rules = json.loads(pinned)["rules"]
    assert rules == RULES, f"{name} is judged by rules {rules}, now there are {RULES}: run python tests/golden/make.py"
    assert card_bytes(judge(HERE / name)[0]).decode() == pinned.decode(), FIX.format(name=name)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_verdict_is_what_the_folder_is_called(name: str) -> None:
    card = json.loads((HERE / name / "scorecard.json").read_bytes())
    verdict, grade, reasons = EXPECTED[name]
    assert (card["verdict"], card["grade"]) == (verdict, grade)
    cells = {cell["id"]: cell["verdict"] for cell in [*card["checks"], *card["objectives"]]}
    assert [cells[reason] for reason in reasons] == [verdict] * len(reasons)
    assert card["prevented"] == (name == "pass-prevented")
    assert reasons or set(cells.values()) <= {"pass", "n/a"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_golden_folder_is_small_and_as_it_was_sealed(name: str) -> None:
    assert sum(path.stat().st_size for path in (HERE / name).rglob("*")) < BYTES
    unsealed = ["SHA256SUMS is missing: the run was never sealed, or the file was removed"]
    assert verify_evidence(HERE / name) == (unsealed if name == "invalid-killed" else [])
