"""The transaction log: everything accepted stands in it, its numbers have no gap, and its volume has room again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from drills.domains.transaction_log import facts
from drills.domains.transaction_log.rows import HighWater, LogFile, LogLine, VolumeState
from drills.judge.check import Check, because, combine, count
from drills.judge.warning import alerted_before
from drills.record.history import CheckResult, Count, History, Status

MOST_USED = 0.7
LEAST_S = 60
"""How long the room must last at the pace at which the volume last grew."""

Span = tuple[int, int]


def accepted_logged(history: History) -> CheckResult:
    """What a customer was told is accepted, and what the brokerage has stored, stands on a whole line.

    A log that lost its end has no gap in its numbers; this is seen by the other books alone.
    """
    return combine(count("log.unlogged", [each.row for each in facts.unlogged(history)], len(facts.accepted(history))))


def log_without_gap(history: History) -> CheckResult:
    """Each number up to the high-water mark is on one whole line, wherever that lies by now; none is above it."""
    rows = dict(enumerate(history.books[facts.BOOK]))
    marks = {index: row for index, row in rows.items() if isinstance(row, HighWater)}
    if len(marks) != 1:
        return because(Status.UNKNOWN, "log.no-mark")
    ((place, mark),) = marks.items()
    files = {index: row for index, row in rows.items() if isinstance(row, LogFile)}
    spans = sorted((first, last, index) for index, row in files.items() for first, last in row.ranges)
    gaps = dict(_gaps(spans, mark.sequence, place))
    damaged = {index: row.damaged for index, row in files.items() if row.damaged}
    lines = [(index, row.sequence) for index, row in rows.items() if isinstance(row, LogLine)]
    return combine(
        Count("log.missing", sum(last - first + 1 for first, last in gaps), mark.sequence, _places(gaps.values())),
        count("log.repeated", _again(lines), len(lines)),
        count("log.beyond", _places({n for _, last, n in spans if last > mark.sequence}), len(files)),
        Count("log.damaged", sum(damaged.values()), mark.sequence, _places(damaged)),
    )


def log_volume_headroom(history: History) -> CheckResult:
    """At the end less than 70 % of the volume is taken, and it does not fill up within a minute."""
    rows = {n: row for n, row in enumerate(history.books[facts.BOOK]) if isinstance(row, VolumeState)}
    if not rows:
        return because(Status.UNKNOWN, "log.no-volume")
    full = [
        n for n, row in rows.items() if max(_used(row.size, row.free), _used(row.inodes, row.inodes_free)) > MOST_USED
    ]
    soon = [n for n, row in rows.items() if row.per_s and row.free < LEAST_S * row.per_s]
    return combine(
        count("log.full", _places(full), len(rows)),
        count("log.soon-full", _places(soon), len(rows)),
    )


def alerted_before_the_breach(history: History) -> CheckResult:
    """Where the log refused requests, an alert that names the cause had come before."""
    return alerted_before(history, facts.first_refusal(history), "log.lead", "log.no-alert")


def _gaps(spans: Iterable[tuple[int, int, int]], highest: int, mark: int) -> Iterable[tuple[Span, int]]:
    """What no span covers up to the highest number, each with the row after it: a file's, or at the end the mark's."""
    seen = 0
    for first, last, index in spans:
        if first > seen + 1:
            yield (seen + 1, first - 1), index
        seen = max(seen, last)
    if seen < highest:
        yield (seen + 1, highest), mark


def _again(lines: list[tuple[int, int]]) -> list[str]:
    given: Counter[int] = Counter()
    found = []
    for index, sequence in lines:
        given[sequence] += 1
        if given[sequence] > 1:
            found.append(index)
    return _places(found)


def _used(all_there: int, free: int) -> float:
    return 1 - free / all_there if all_there else 0.0


def _places(indexes: Iterable[int]) -> list[str]:
    return [f"{facts.BOOK}:{index}" for index in sorted(set(indexes))]


CHECKS = (
    Check("accepted-logged", "I-17", ("customers", "oms", facts.BOOK), False, accepted_logged),
    Check("log-without-gap", "I-17", (facts.BOOK,), False, log_without_gap),
    Check("log-volume-headroom", "I-11", (facts.BOOK,), False, log_volume_headroom),
    Check("alerted-before-the-breach", "I-11", ("customers",), False, alerted_before_the_breach),
)
