"""The judge's word on fixed histories, with every planted defect: a digest of each history, and of its card.

    python tests/drills/digests.py [--same-rules]

writes ``digests.tsv`` anew. It refuses a history that is as it was and has another card under the same number of the
rules: raise RULES in drills/judge/scorecard.py and say in CHANGELOG.md what changed (``--same-rules``: before a release
only). A history that is added or changed needs no new number.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))  # run as a script, this folder alone would be searched

from drills.cards import score  # noqa: E402
from drills.judge.scorecard import RULES  # noqa: E402
from drills.record.history import History  # noqa: E402
from tests.drills.made_histories import MADE  # noqa: E402

TABLE = HERE / "digests.tsv"

Digests = dict[str, tuple[str, str]]
"""History -> digest of it, and of its card."""


def histories() -> Iterator[tuple[str, History]]:
    """By name; no two have the same."""
    for each in MADE:
        for arm in ("runbook", "no-action", "no-fault", "false-alarm"):
            yield each.called(arm), each.make(1, arm).history()
    for each in MADE:
        for name, draft in each.spoilt(2):
            yield name, draft.history()


def digests() -> Digests:
    """As the code is now."""
    return {name: (_made(history), _digest(msgspec.json.encode(score(history, None)))) for name, history in histories()}


def read() -> tuple[int, Digests]:
    """As they stand in the table: the number of the rules, and the digests."""
    first, *lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines)
    return int(first.removeprefix("rules ")), {name: (made, judged) for name, made, judged in rows}


def changed(before: Digests, now: Digests) -> list[str]:
    """Histories that are as they were and are judged otherwise."""
    return [name for name, (made, judged) in now.items() if name in before and before[name][0] == made
            and before[name][1] != judged]  # fmt: skip


def _made(history: History) -> str:
    columns = [getattr(history.samples, name).tobytes() for name in ("intended", "sent", "done", "outcome", "name")]
    return _digest(msgspec.json.encode([history.run, history.events, dict(history.books)]), *columns)


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:16]


def main() -> int:
    """Write the table anew."""
    now = digests()
    rules, before = read() if TABLE.exists() else (0, {})
    others = changed(before, now)
    if others and rules == RULES and "--same-rules" not in sys.argv:
        print(f"judged otherwise under the same number of the rules ({RULES}): {', '.join(others)}")
        return 1
    rows = "".join(f"{name}\t{made}\t{judged}\n" for name, (made, judged) in now.items())
    TABLE.write_text(f"rules {RULES}\n{rows}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
