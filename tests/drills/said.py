"""What every check finds of the correct histories and of each planted defect, and what whole cards say of known runs.

``python tests/drills/said.py`` writes ``said.tsv`` and ``cards.json`` anew; read the difference before it is committed,
for cards are made of these.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))  # run as a script, this folder alone would be searched

from drills.cards import score  # noqa: E402
from drills.judge.check import run_check  # noqa: E402
from drills.record.history import Asked, Cause, Earlier, History, Kind, Reason, RequestOutcome, Status  # noqa: E402
from tests.drills.judging import domains  # noqa: E402
from tests.drills.made_histories import MADE  # noqa: E402
from tests.drills.nights import correct_night  # noqa: E402
from tests.drills.synthetic import Draft, correct, replanned, step  # noqa: E402

TABLE = HERE / "said.tsv"
CARDS = HERE / "cards.json"
SEED = 2
ACCEPTS = {"wrong_figures_shown": {"en": "it cannot be helped", "ja": "やむを得ない"}}


def histories() -> Iterator[tuple[str, History, bool]]:
    """Name, history, and whether what does not fail is told as well."""
    for arm in ("runbook", "no-action", "no-fault", "false-alarm"):
        for each in MADE:
            yield each.called(arm), each.make(SEED, arm).history(), True
    for each in MADE:
        for name, draft in each.spoilt(SEED):
            yield name, draft.history(), False


def lines() -> Iterator[str]:
    """History, check, status, counts, reasons, evidence; tabs between them."""
    for name, history, whole in histories():
        for check in domains(history).checks.values():
            found = run_check(check, history)
            if whole or found.status == Status.FAIL:
                evidence = " ".join(map(str, found.evidence))
                counts = " ".join(f"{each.id}={each.bad}/{each.of}" for each in found.counts)
                reasons = msgspec.json.encode([[each.id, each.values] for each in found.reasons]).decode()
                yield "\t".join((name, check.id, str(found.status), counts, reasons, evidence)).rstrip()


def told() -> Draft:
    """A run of which everything is known that a card can tell."""
    draft = correct(SEED)
    step(draft, "declare", 10.6, 10.7, changed=False)
    draft.note(10.8, "operator", Kind.INFO, "escalate", to="duty-manager")
    first = Earlier(
        run="link/earlier",
        evidence="00ff",
        verdict="invalid",
        causes=[Cause("load-on-time", [], [Reason("load.late", {"seconds": 0.1})])],
    )
    draft.run = msgspec.structs.replace(
        draft.run, subject="app@1.2.3", attempts=2, earlier=[first], asked=Asked("a/drill.yaml", "b/page.yaml", "auto")
    )
    words = {
        "limits": ["small"],
        "limits_ja": ["小規模"],
        "fidelity": "F",
        "accepts": {"wrong_figures_shown": {"en": "as it is", "ja": "やむを得ない"}},
    }
    return replanned(draft, **words)


def cards() -> dict[str, Any]:
    """Name -> card without its checks, which the table has."""
    spoilt = correct(SEED, effect=False)
    spoilt.spoil("orders", 9, 12, RequestOutcome.TIMEOUT)
    spoilt.spoil("inquiry", 10, 14, RequestOutcome.CLOSED)
    drafts = {
        "everything": told(),
        "prevented": correct(SEED, effect=False),
        "spoilt": spoilt,
        **{arm: correct(SEED, arm) for arm in ("no-action", "no-fault", "false-alarm")},
        "night": correct_night(SEED),
    }
    found = {name: msgspec.to_builtins(score(draft.history(), "3f9c")) for name, draft in drafts.items()}
    return {name: {key: cell for key, cell in card.items() if key != "checks"} for name, card in found.items()}


if __name__ == "__main__":
    CARDS.write_bytes(msgspec.json.format(msgspec.json.encode(cards()), indent=1) + b"\n")
    TABLE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
