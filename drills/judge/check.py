"""What a checker is, and the helpers that make its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from drills.judge.attempt import broke
from drills.judge.timeline import snapshot_at
from drills.record.history import CheckResult, Count, History, Reason, Status, Value

NOT_EXERCISED = "not-exercised"
"""The reason of a check that had nothing to check."""
UNSUPPORTED = "unsupported"
"""How the reason begins that the target's own file says it does not offer something."""
MOST_EVIDENCE = 20
"""A result names this many rows at most, and so does each of its counts; ``bad`` is the full count."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question asked of a history.

    ``invariant`` is its number in the incident catalogue, empty for validity checks, which ask whether the run can
    judge at all. ``needs_books`` are the books without which the answer is unknown.
    """

    id: str
    invariant: str
    needs_books: tuple[str, ...]
    validity: bool
    run: Callable[[History], CheckResult]


def run_check(check: Check, history: History) -> CheckResult:
    """Ask it. A missing book and a checker that fails are unknown, never a pass."""
    missing = [book for book in check.needs_books if book not in history.books]
    if history.withheld(*missing):
        return because(Status.NOT_APPLICABLE, f"{UNSUPPORTED}.book", books=missing)
    if missing:
        return because(Status.UNKNOWN, "no-book", books=missing)
    if check.needs_books and snapshot_at(history) is None:
        return because(Status.UNKNOWN, "books-never-read")
    try:
        return check.run(history)
    except Exception as error:  # noqa: BLE001  # whatever broke in a checker, the other results must still come out
        return because(Status.UNKNOWN, "check-failed", error=broke(error))


def unsupported(thing: str) -> CheckResult:
    """The target's own file says that it has no such thing: nobody can ask, and the card says so."""
    return because(Status.NOT_APPLICABLE, f"{UNSUPPORTED}.{thing}")


def because(status: Status, reason: str, evidence: Sequence[str] = (), /, **values: Value) -> CheckResult:
    """A result for one reason."""
    return CheckResult(status, reasons=[Reason(reason, values)], evidence=list(evidence))


def count(what: str, evidence: list[str], of: int) -> Count:
    """How many of ``of`` things were not as they should be: as many as ``evidence`` names."""
    return Count(what, len(evidence), of, evidence[:MOST_EVIDENCE])


def combine(*counts: Count) -> CheckResult:
    """Pass if nothing bad was found, and say so where there was nothing to find; else fail with the evidence."""
    if not any(each.of for each in counts):
        return CheckResult(Status.PASS, list(counts), [Reason(NOT_EXERCISED)])
    bad = [each for each in counts if each.bad]
    in_turns = zip_longest(*(each.evidence for each in bad))  # a long list must not crowd out the others
    evidence = dict.fromkeys(row for turn in in_turns for row in turn if row is not None)
    status = Status.FAIL if bad else Status.PASS
    return CheckResult(status, list(counts), evidence=list(evidence)[:MOST_EVIDENCE])
