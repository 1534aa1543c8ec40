"""The judge's word on fixed histories, with every planted defect, is fixed under one number of the rules.

If this fails and the histories are the same, the judge says something else than it did: raise RULES in
drills/judge/scorecard.py, say in CHANGELOG.md what changed, and enter the new digest here. If only the histories
changed (``MADE``), enter both anew.
"""

from __future__ import annotations

import hashlib
import random

import msgspec

from drills.judge.score import score
from drills.judge.scorecard import RULES
from drills.record.history import History

from .defects import DEFECTS
from .night_defects import NIGHT_DEFECTS
from .nights import correct_night
from .synthetic import correct

MADE = "40a8fddad58e55f1"
SAID = {2: "4afb7e347a2f7cf0"}


def histories() -> list[tuple[str, History]]:
    found = [(arm, correct(1, arm).history()) for arm in ("runbook", "no-action", "no-fault", "false-alarm")]
    for defect in DEFECTS:
        draft = correct(2)
        defect.plant(draft, random.Random(2))
        found.append((defect.name, draft.history()))
    found += [(f"night {arm}", correct_night(1, arm).history()) for arm in ("runbook", "no-action", "no-fault")]
    for defect in NIGHT_DEFECTS:
        draft = correct_night(2)
        defect.plant(draft, random.Random(2))
        found.append((defect.name, draft.history()))
    return found


def digest(parts: list[bytes]) -> str:
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:16]


def made(history: History) -> bytes:
    columns = [getattr(history.samples, name).tobytes() for name in ("intended", "sent", "done", "outcome", "name")]
    rows = msgspec.json.encode([history.run, history.events, dict(history.books)])
    return digest([rows, *columns]).encode()


def test_a_changed_rule_has_a_new_number() -> None:
    all_ = histories()
    assert digest([made(history) for _, history in all_]) == MADE, "the histories are others: enter both digests anew"
    said = digest([name.encode() + msgspec.json.encode(score(history, None)) for name, history in all_])
    assert SAID.get(RULES) == said, __doc__
