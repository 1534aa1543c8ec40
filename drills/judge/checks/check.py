"""What a checker is, and the helpers that word its verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest

from drills.judge.attempt import broke
from drills.judge.timeline import snapshot_at
from drills.record.history import CheckResult, History, Status

NOT_EXERCISED = "0 of 0, not exercised"
NOT_OFFERED = "not offered by the target"
MOST_EVIDENCE = 20
"""A verdict names this many rows at most; its sentence has the full count."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question asked of a history.

    ``invariant`` is its number in the incident catalogue, empty for the standing checks, which ask whether the run
    can judge at all. ``needs_books`` are the books without which the answer is unknown.
    """

    id: str
    invariant: str
    needs_books: tuple[str, ...]
    standing: bool
    run: Callable[[History], CheckResult]


def rule(check: Check, history: History) -> CheckResult:
    """Ask it. A missing book and a checker that fails are unknown, never a pass."""
    missing = [book for book in check.needs_books if book not in history.books]
    if history.withheld(*missing):
        return not_offered(f"book {', '.join(missing)}")
    if missing:
        return CheckResult(Status.UNKNOWN, f"cannot tell: no book {', '.join(missing)}")
    if check.needs_books and snapshot_at(history) is None:
        return CheckResult(Status.UNKNOWN, "cannot tell: the books were never read at an end")
    try:
        return check.run(history)
    except Exception as error:  # noqa: BLE001  # whatever broke in a checker, the other verdicts must still come out
        return CheckResult(Status.UNKNOWN, f"the checker failed: {broke(error)}")


def not_offered(what: str) -> CheckResult:
    """The target's own file says that it has no such thing: nobody can ask, and the card says so."""
    return CheckResult(Status.NOT_APPLICABLE, f"{NOT_OFFERED}: {what}")


@dataclass(frozen=True, slots=True)
class Part:
    """One count within a check: ``evidence`` names the bad ones among ``domain``."""

    what: str
    evidence: list[str]
    domain: int


def combine(*parts: Part) -> CheckResult:
    """Pass if nothing bad was found, "0 of 0" said plainly; else fail with the evidence."""
    if not any(part.domain for part in parts):
        return CheckResult(Status.PASS, NOT_EXERCISED)
    bad = [part for part in parts if part.evidence]
    says = "; ".join(f"{len(part.evidence)} of {part.domain} {part.what}" for part in bad or parts)
    in_turns = zip_longest(*(part.evidence for part in bad))  # a long list must not crowd out the others
    evidence = dict.fromkeys(row for turn in in_turns for row in turn if row is not None)
    return CheckResult(Status.FAIL if bad else Status.PASS, says, list(evidence)[:MOST_EVIDENCE])
