"""What a change has touched that a new drill should not: files of the neutral code, and registrations.

    python tests/packaging/touched.py [BASE]     of all that lies between BASE (default: HEAD~1) and the working tree

Prints both numbers and the files behind them. Ends with 1 where neutral code was edited, or more than ``MOST``
registries.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

NEUTRAL = (
    "drills/spec/",
    "drills/execution/",
    "drills/operators/",
    "drills/record/",
    "drills/judge/",
    "drills/commands/",
    "reports/",
)
"""Code that knows no drill, no domain and no component."""

REGISTRIES = (
    "drills/domains/registry.py",
    "faults/__init__.py",
    "loadprofiles/profiles.py",
    "targets/brokerage/plant.py",
    "targets/brokerage/components.py",
    "targets/brokerage/operations/tool.py",
)
"""Files that list what there is: a line each."""

MOST = 4


@dataclass(frozen=True, slots=True)
class Touched:
    """Paths that a change has edited (not added), by sort."""

    neutral: tuple[str, ...]
    registries: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """Whether a drill may be added so."""
        return not self.neutral and len(self.registries) <= MOST


def sorted_by_kind(paths: Iterable[str]) -> Touched:
    """Tell them apart; tests do not count."""
    product = [path for path in paths if not path.startswith("tests/")]
    neutral = tuple(path for path in product if path.startswith(NEUTRAL))
    registries = tuple(path for path in product if path in REGISTRIES)
    return Touched(neutral, registries, tuple(path for path in product if path not in (*neutral, *registries)))


def edited(base: str) -> list[str]:
    """Files that were there at ``base`` and are different, or gone, now."""
    done = subprocess.run(
        ["git", "diff", "--name-only", "--diff-filter=MDRT", base], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def main() -> int:
    """Print both numbers."""
    found = sorted_by_kind(edited(sys.argv[1] if len(sys.argv) > 1 else "HEAD~1"))
    for words, paths in (
        ("files of neutral code edited", found.neutral),
        (f"registries edited (at most {MOST})", found.registries),
        ("other product files edited", found.others),
    ):
        print(f"{len(paths):3} {words}")
        for path in paths:
            print(f"      {path}")
    return 0 if found.allowed else 1


if __name__ == "__main__":
    sys.exit(main())
