"""Mutate the judge and see whether its tests notice: ``python tests/mutation/run.py [FILE…]``.

Needs mutmut beside this interpreter's other packages (``pip install mutmut==3.*``; it is no part of the dev extra).
Works on a copy of the checkout, so that nobody who uses it meanwhile sees a mutant. Without FILEs the whole judge is
mutated: some four thousand mutants, hours of one core; ``--sample 600`` tries so many of them, drawn by ``--seed``.
Prints the score and the survivors; ``SURVIVORS.md`` beside this file says why they live. The golden cards and the
digest of the rules are left out on purpose: they notice every change, and tell nobody what it broke.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("drills", "targets", "faults", "loadprofiles", "reports")
JUDGE = ("drills/judge", "drills/domains")
TESTS = (
    "tests/drills/test_instants_clockwork.py", "tests/drills/test_vacuity.py", "tests/drills/test_score.py",
    "tests/drills/test_checkers.py", "tests/drills/test_checkers_standing.py", "tests/drills/test_checkers_oracle.py",
    "tests/drills/test_instants.py", "tests/drills/test_instants_outage.py",
    "tests/drills/test_instants_accuracy.py", "tests/drills/test_checkers_defects.py",
    "tests/drills/test_checkers_night.py", "tests/drills/test_after_the_end.py", "tests/drills/test_cost.py",
    "tests/drills/test_what_checks_say.py", "tests/drills/test_run_record.py", "tests/drills/test_adversaries.py",
    "tests/drills/test_checkers_boundaries.py", "tests/drills/test_repairs.py", "tests/drills/test_standing_words.py",
    "tests/drills/test_card_tells.py", "tests/drills/test_not_offered.py", "tests/drills/test_planned.py",
    "tests/drills/test_pulse.py",
)  # fmt: skip
NAMES_NO_CODE = "not that_raises and not every_part_that_broke"
"""Without the tests that a card names the function that failed: in a mutant every function has another name."""

KILLED = ("killed", "timeout", "caught by type check", "segfault")


def copy(to: Path, files: list[str], tests: list[str]) -> None:
    """The checkout with its tests, and mutmut's settings: what to mutate, and by which of the tests."""
    for name in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    settings = {
        "source_paths": list(PACKAGES),
        "only_mutate": [f"{file}/*.py" if (ROOT / file).is_dir() else file for file in files],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "--hypothesis-profile", "mutation", "-k", NAMES_NO_CODE],
        "pytest_add_cli_args_test_selection": tests,
    }
    lines = [f"{name} = {value!r}" for name, value in settings.items()]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (to / "pyproject.toml").write_text("\n".join([project, "[tool.mutmut]", *lines, ""]), encoding="utf-8")


def main() -> int:
    """The exit code: 1 where a tenth or more of the mutants live."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", default=list(JUDGE), metavar="FILE")
    parser.add_argument("--children", default="1", help="mutants tried at the same time")
    parser.add_argument("--sample", type=int, help="try only so many, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--tests", nargs="*", default=list(TESTS), help="by these tests alone: quicker, and a lower bound"
    )
    parser.add_argument("--only", nargs="*", default=[], help="try only these mutants")
    options = parser.parse_args()
    folder = Path(mkdtemp(prefix="kunren-mutants-"))
    copy(folder, options.files, options.tests)
    names = options.only
    if options.sample is not None:
        mutmut(folder, "run", "drills.judge.attempt.*")  # makes them all and tries the fewest
        names = random.Random(options.seed).sample(sorted(results(folder)), options.sample)
    mutmut(folder, "run", "--max-children", options.children, *names)
    return tell(folder, {name: status for name, status in results(folder).items() if not names or name in names})


def mutmut(folder: Path, *argv: str) -> None:
    """Its own exit code says only that there are survivors."""
    subprocess.run([sys.executable, "-m", "mutmut", *argv], cwd=folder, check=False)


def results(folder: Path) -> dict[str, str]:
    """Mutant -> what became of it."""
    argv = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    told = subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True).stdout
    lines = (line.strip().rpartition(": ") for line in told.splitlines())
    return {name: status for name, colon, status in lines if colon}


def tell(folder: Path, found: dict[str, str]) -> int:
    """Print the survivors with their changes, and the score."""
    count = Counter(found.values())
    dead = sum(count[status] for status in KILLED)
    for name, status in sorted(found.items()):
        if status not in KILLED:
            argv = [sys.executable, "-m", "mutmut", "show", name]
            lines = subprocess.run(argv, cwd=folder, check=False, capture_output=True, text=True).stdout.splitlines()
            change = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
            print("\n".join([f"{status}: {name}", *change]))
    print(f"{dead} of {len(found)} mutants noticed; {dict(count)}; look closer: cd {folder} && mutmut show NAME")
    return int(dead * 10 < len(found) * 9)


if __name__ == "__main__":
    sys.exit(main())
