"""A/A: runs that must pass, and whether they do. Arms ``no-fault``, ``false-alarm`` and ``runbook`` of every drill.

``make aa`` adds runs with drawn seeds, one after the other, to the files of the gates, and may be stopped at any time;
``--runs 0`` only prints what there is: how many did not pass, which checks and limits spoke, and how probable a false
verdict can still be. With none of n that is 3/n: 0 of 200 says at most 1.5 %, and nothing is claimed beyond it.
``--since`` leaves out what older code showed.
"""

from __future__ import annotations

import argparse
import itertools
import secrets
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gates import INVALID, ROOT, USUAL, Run, arms_of, catalogue, code_hash, prove, rows
from scipy.stats import beta

ARMS = ("no-fault", "false-alarm", "runbook")
SURE = 0.95
PAGED = "no-page"
HARMLESS = ("no-fault", "false-alarm")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="how many there are to be in all")
    parser.add_argument("--since", default="", metavar="DATE", help="only runs from this day (UTC) on, as 2026-12-01")
    asked = parser.parse_args()
    for drill, arm in itertools.cycle(pairs()):
        if len(shown(asked.since)) >= asked.runs:
            break
        prove(drill, Run("local", arm, secrets.randbelow(1_000_000), USUAL), code_hash(drill), book(drill))
    return table(shown(asked.since))


def pairs() -> list[tuple[str, str]]:
    """Every drill and variant with each of these arms that it has."""
    return [(drill, arm) for drill in catalogue() for arm in ARMS if arm in arms_of(drill)]


def book(drill: str) -> Path:
    """Where the lines of a drill's runs are."""
    return ROOT / "tests" / "gates" / f"{drill}.jsonl"


def shown(since: str) -> list[dict[str, Any]]:
    """The runs of these arms that could judge, with the usual reaction: with a slower one some are to fail."""
    found = ({"drill": drill, **row} for drill in catalogue() for row in rows(book(drill)) if row["at"] >= since)
    mine = (each for each in found if each["arm"] in ARMS and each["reaction"] == USUAL)
    return [each for each in mine if each["verdict"] != INVALID]


def table(found: Sequence[dict[str, Any]]) -> int:
    """Print it; 1 where a run did not pass."""
    print(f"{'arm':12} {'runs':>5} {'not passed':>10}  at most ({SURE:.0%})")
    for arm in (*ARMS, "all"):
        mine = [row for row in found if arm in (row["arm"], "all")]
        print(_line(arm, mine, [row for row in mine if row["verdict"] != "pass"]))
    quiet = [row for row in found if row["arm"] in HARMLESS]
    print(_line("false pages", quiet, [row for row in quiet if PAGED in row["red"]]))
    for name, n in Counter(each for row in found for each in row["red"]).most_common():
        print(f"  {name}: {n}")
    wrong = [row for row in found if row["verdict"] != "pass"]
    for row in wrong:
        print(f"  {row['at']} {row['drill']} {row['arm']} seed {row['seed']} {row['target']}: {', '.join(row['red'])}")
    return 1 if wrong else 0


def _line(name: str, runs: Sequence[Any], wrong: Sequence[Any]) -> str:
    return f"{name:12} {len(runs):5} {len(wrong):10}  {upper(len(wrong), len(runs)):.2%}"


def upper(wrong: int, of: int, sure: float = SURE) -> float:
    """The largest probability under which so few of so many are not too improbable (Clopper and Pearson, one-sided)."""
    return 1.0 if wrong >= of else float(beta.ppf(sure, wrong + 1, of - wrong))


if __name__ == "__main__":
    sys.exit(main())
