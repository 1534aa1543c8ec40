"""Brings the findings up to date with what the runs at hand show. A pure function; what persons set is never touched.

A failure later than the last one counts once more, and opens again what was closed (its due date goes: a new one has to
be set). Retests close. A limit that was loosened is closed when it is as tight again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from drills.archive.row import RunRow
from drills.findings.derive import (
    Declared,
    Observed,
    at_of,
    by_time,
    day_of,
    failures,
    limits_of,
    loosened,
    seen,
    thrown_away,
)
from drills.findings.retests import attempts, closing, is_looser, since_last_seen
from drills.record.register import Register
from drills.spec.findingsfile import SEVERITIES, Attempt, Closure, Finding


@dataclass(slots=True)
class Synced:
    """The findings as they stand now, and the ids of those that are new, seen again, opened again and closed."""

    findings: list[Finding]
    new: list[str] = field(default_factory=list)
    seen_again: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


def synced(
    known: Sequence[Finding],
    rows: Sequence[RunRow],
    register: Register,
    declared: Declared,
    file_of: Callable[[RunRow], str | None] = lambda _: None,
    unread: Collection[str] = (),
) -> Synced:
    """``rows``: all runs at hand; ``unread``: those whose cards are there and cannot be read.

    ``file_of``: the file of a run's drill where it is not in the catalogue.
    """
    ordered = by_time(rows)
    result = Synced([])
    found = {finding.id: finding for finding in known}
    gone = thrown_away(ordered, register, unread)
    for observed in _observed(ordered, gone, declared):
        before = found.get(observed.key.id)
        if before is None:
            found[observed.key.id] = _first(observed, file_of(observed.row))
            result.new.append(observed.key.id)
        else:
            found[observed.key.id] = _again(before, observed, result)
    by_run = {row.run: row for row in ordered}
    result.findings = [_closed(finding, by_run, register, result) for finding in found.values()]
    result.seen_again = list(dict.fromkeys(each for each in result.seen_again if each not in result.new))
    return result


def _observed(rows: Sequence[RunRow], gone: Sequence[RunRow], declared: Declared) -> Iterable[Observed]:
    """In the order of the runs; limits are compared with those of the run before, in the same arm at the same pace."""
    before: dict[tuple[str, str, str], RunRow] = {}
    lost = {row.run for row in gone}
    for row in by_time([*rows, *gone]):
        yield from failures(row, declared)
        if row.run in lost:
            continue
        place = row.called, row.arm, row.pace
        if place in before:
            yield from loosened(before[place], row)
        before[place] = row


def _first(observed: Observed, file: str | None) -> Finding:
    row, key = observed.row, observed.key
    return Finding(
        id=key.id,
        drill=key.drill,
        arm=key.arm,
        target=key.target,
        operator=key.operator,
        pace=key.pace,
        kind=key.kind,
        about=key.about,
        severity=observed.severity,
        first_seen=seen(row),
        last_seen=seen(row),
        times=1,
        detail=observed.detail or None,
        limits=limits_of(observed.limits_of),
        checks=tuple(observed.limits_of.checks),
        accepts=tuple(observed.limits_of.accepts),
        reaction_s=row.reaction_s if key.operator == "robot" else None,
        file=file,
    )


def _again(finding: Finding, observed: Observed, result: Synced) -> Finding:
    """Seen in one more run. One that is not later than the last was counted before."""
    row = observed.row
    if row.at <= at_of(finding.last_seen.run):
        return finding
    result.seen_again.append(finding.id)
    changed = msgspec.structs.replace(
        finding,
        last_seen=seen(row),
        times=finding.times + 1,
        detail=observed.detail or finding.detail,
        severity=min(finding.severity, observed.severity, key=SEVERITIES.index),
    )
    if finding.closed is None:
        return changed
    result.reopened.append(finding.id)
    return msgspec.structs.replace(changed, closed=None, due=None, recurrences=(*finding.recurrences, seen(row)))


def _closed(finding: Finding, rows: Mapping[str, RunRow], register: Register, result: Synced) -> Finding:
    if finding.closed is not None:
        return finding
    if finding.kind == "limit":
        return _tight_again(finding, rows, result)
    tried = attempts(finding, rows, register)
    finding = msgspec.structs.replace(finding, retests=_merged(finding.retests, tried))
    by = closing(since_last_seen(finding, tried))
    if by is None:
        return finding
    result.closed.append(finding.id)
    return msgspec.structs.replace(finding, closed=Closure(date=day_of(by[-1]), by=by), accepted=None)


def _tight_again(finding: Finding, rows: Mapping[str, RunRow], result: Synced) -> Finding:
    """By the newest run of the drill after the one in which it was loosened."""
    later = [
        row
        for row in rows.values()
        if row.called == finding.drill and row.pace == finding.pace and row.at > at_of(finding.last_seen.run)
    ]
    if not later or _still_loose(finding, later[-1]):
        return finding
    result.closed.append(finding.id)
    return msgspec.structs.replace(finding, closed=Closure(date=day_of(later[-1].run), by=(later[-1].run,)))


def _still_loose(finding: Finding, row: RunRow) -> bool:
    """Of what the finding is about alone: a limit, a check that was asked, or harm that was not accepted."""
    limits = [each for each in finding.limits if each.id == finding.about]
    checks = [each for each in finding.checks if each == finding.about]
    if limits or checks:
        return is_looser(row, limits, checks, None)
    return finding.about in row.accepts


def _merged(before: Sequence[Attempt], now: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """All that are known, those of other machines too; what came of one is as the register at hand has it."""
    found = {each.run: each for each in (*before, *now)}
    return tuple(sorted(found.values(), key=lambda each: at_of(each.run)))
