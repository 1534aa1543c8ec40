"""The long proof: every arm of every drill on three fixed seeds and one drawn one, one after the other; the right
runbook of a drill that says up to which reaction it is fast enough also with slower ones.

``make gates`` may be stopped and started again: each run adds a line to ``tests/gates/DRILL.jsonl`` (arm, seed, card
digest, code hash, …), and what the same code has already shown as declared is skipped. The drawn seed is new each time.
Exit 1 when any run did not behave as declared. ``make gates GATES="exchange-link-down --arm runbook"`` narrows it.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
SEEDS = (7, 11, 23)
USUAL = "1s"
SLOWER = ("6s", "20s")
INVALID = "invalid"
CODE = ("compose", "drills", "faults", "loadprofiles", "targets", "pyproject.toml")


class Run(NamedTuple):
    """What is the same in two runs that need not be done twice."""

    target: str
    arm: str
    seed: int
    reaction: str

    def __str__(self) -> str:
        return f"{self.arm} on {self.target} seed {self.seed} reaction {self.reaction}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drills", nargs="*", help="names of the catalogue; default: all")
    parser.add_argument("--arm", action="append", help="only these arms")
    parser.add_argument("--target", action="append", help="local (default), compose; may be repeated")
    parser.add_argument("--seed", action="append", type=int, help=f"instead of {SEEDS} and the drawn one")
    parser.add_argument("--no-drawn", action="store_true", help="leave out the drawn seed")
    asked = parser.parse_args()
    bad = 0
    for drill in asked.drills or catalogue():
        code, book = code_hash(drill), ROOT / "tests" / "gates" / f"{drill}.jsonl"
        same = [row for row in rows(book) if row["code"] == code]
        good = [row for row in same if row["as_declared"]]
        for row in same:  # a later success of the same code does not take back an earlier failure
            if not row["as_declared"] and row["verdict"] != INVALID:  # that shows nothing, and is run once more
                bad += 1
                print(f"{drill} {row['arm']} seed {row['seed']}: NOT AS DECLARED before, by the same code", flush=True)
        shown = {Run(row["target"], row["arm"], row["seed"], row["reaction"]) for row in good}
        for run in runs_of(drill, asked):
            if run in shown:
                print(f"{drill} {run}: shown before by the same code", flush=True)
                continue
            bad += not prove(drill, run, code, book)
    print(f"{bad} not as declared" if bad else "every run behaved as declared")
    return 1 if bad else 0


def runs_of(drill: str, asked: argparse.Namespace) -> Iterator[Run]:
    """Targets side by side, so that they meet the same noise."""
    known = arms_of(drill)
    for arm in asked.arm or known:
        if arm not in known:
            sys.exit(f"{drill} has no arm {arm}; known: {', '.join(known)}")
        seeds = asked.seed or (SEEDS if asked.no_drawn else (*SEEDS, secrets.randbelow(1_000_000)))
        for seed, reaction in seeds_of(drill, arm, seeds):
            yield from (Run(target, arm, seed, reaction) for target in asked.target or ("local",))


def seeds_of(drill: str, arm: str, seeds: Sequence[int]) -> list[tuple[int, str]]:
    """Seeds with the operator's reaction."""
    from drills.record.arm import Arm
    from drills.spec.drill import load_drill

    found = [(seed, USUAL) for seed in seeds]
    declared = load_drill(drill).arms.get(Arm.parse(arm))
    if declared is not None and declared.reaction_up_to is not None:
        found += [(seeds[0], reaction) for reaction in SLOWER]
    return found


def prove(drill: str, run: Run, code: str, book: Path) -> bool:
    """One run; its line is added whatever came out."""
    with tempfile.TemporaryDirectory(prefix="kunren-gates-") as runs:
        row = verify(drill, run, runs)
        card = (Path(runs) / row["run"] / "scorecard.json").read_bytes()
    line = {
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **run._asdict(),
        "as_declared": row["as_declared"],
        "verdict": row["verdict"],
        "grade": row["grade"],
        "red": row["red"],
        "metrics": row["metrics"],
        "card": hashlib.sha256(card).hexdigest()[:16],
        "code": code,
    }
    with book.open("a") as file:
        file.write(json.dumps(line) + "\n")
    mark = "as declared" if row["as_declared"] else f"NOT AS DECLARED ({row['says']})"
    print(f"{drill} {run}: {row['verdict']} {row['grade']} {','.join(row['red'])}: {mark}", flush=True)
    return bool(row["as_declared"])


def verify(drill: str, run: Run, runs: str) -> dict[str, Any]:
    kunren = Path(sys.executable).parent / "kunren"
    argv = [kunren, "verify", drill, "--arm", run.arm, "--seed", str(run.seed), "--reaction", run.reaction]
    argv += ["--target", run.target, "--runs", runs, "--quiet", "--json", "-"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, timeout=300, check=False)
    if not done.stdout:  # it has said why on stderr
        sys.exit(f"{drill} {run}: nothing to judge, kunren verify ended with {done.returncode}")
    row: dict[str, Any] = json.loads(done.stdout)["rows"][0]
    return row


def arms_of(drill: str) -> list[str]:
    from drills.spec.drill import load_drill
    from drills.spec.planning import arms_of

    return list(map(str, arms_of(load_drill(drill))))


def catalogue() -> list[str]:
    from drills.spec.drill import catalogue

    return list(catalogue(variants=True))


def rows(book: Path) -> list[dict[str, Any]]:
    return [{"target": "local"} | json.loads(line) for line in book.read_text().splitlines()] if book.exists() else []


def code_hash(drill: str) -> str:
    """Of everything that decides how a run of this drill goes and how it is judged.

    No sentence does, and no other drill: words, comments, docstrings, pages and the rest of the catalogue do not count.
    """
    names = subprocess.run(["git", "ls-files", *CODE], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    digest = hashlib.sha256()
    for name in sorted(each for each in names.splitlines() if decides(each, drill)):
        content = (ROOT / name).read_bytes()
        digest.update(name.encode() + b"\0" + (without_sentences(content) if name.endswith(".py") else content) + b"\0")
    return digest.hexdigest()[:16]


def decides(name: str, drill: str) -> bool:
    """Whether the file has a say in how a run of the drill goes, or how it is judged."""
    catalogue, examples = "drills/catalogue/", "drills/examples/"
    own = name.startswith((f"{catalogue}{drill}/", f"{catalogue}runbooks/", f"{catalogue}steps.yaml"))
    others = name.startswith((catalogue, examples)) and not own
    return not others and not name.endswith((".md", "/words.py"))


def without_sentences(source: bytes) -> bytes:
    """The syntax tree of a module, without its comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not _is_text(each)] or [ast.Pass()]
    return ast.dump(tree).encode()


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


if __name__ == "__main__":
    sys.exit(main())
