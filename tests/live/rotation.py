"""Which arms a commit is tried with, beside no-action and runbook of every drill, which are run each time.

    python tests/live/rotation.py [COUNT]     the turns of this commit and of the COUNT after it (default: 10)

One arm on processes and one in containers, in turn by the number of commits up to this one, so that each arm of each
drill and variant has its turn and the same commit always the same. ``KUNREN_ROTATION`` gives another number. The whole
is run by ``make gates``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from drills.spec.drill import catalogue, load_drill
from drills.spec.planning import arms_of

ROOT = Path(__file__).parents[2]
NO_ACTION, RUNBOOK = "no-action", "runbook"
ALWAYS = (NO_ACTION, RUNBOOK)


class Turn(NamedTuple):
    """An arm of a drill, or of a variant of one."""

    drill: str
    arm: str


def drills() -> list[str]:
    """Those of which every commit is tried with the arms of ``ALWAYS``, on processes."""
    return list(catalogue())


@cache
def on_processes() -> list[Turn]:
    """What takes turns there: wrong runbooks, arms without a fault, and whatever variants declare."""
    return [each for each in _every() if each.drill not in drills() or each.arm not in ALWAYS]


def in_containers() -> list[Turn]:
    """What takes turns there: every arm."""
    return _every()


def of_commit(number: int) -> tuple[Turn, Turn]:
    """On processes, in containers; the second begins half-way, so that the two are seldom the same."""
    here, there = on_processes(), in_containers()
    return here[number % len(here)], there[(number + len(there) // 2) % len(there)]


def number() -> int:
    """Of this commit; 0 where nobody knows."""
    asked = os.environ.get("KUNREN_ROTATION")
    if asked is not None:
        return int(asked)
    argv = ["git", "rev-list", "--count", "HEAD"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else 0


@cache
def _every() -> list[Turn]:
    found = [Turn(name, str(arm)) for name in catalogue(variants=True) for arm in arms_of(load_drill(name))]
    return sorted(found)


def main() -> None:
    """Print the turns."""
    first, count = number(), int(sys.argv[1]) if len(sys.argv) > 1 else 10
    for each in range(first, first + count + 1):
        here, there = of_commit(each)
        print(f"{each}: {here.drill} {here.arm} on processes, {there.drill} {there.arm} in containers")


if __name__ == "__main__":
    main()
