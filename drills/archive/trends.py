"""The history of each drill: what came of its runs, and how recovery and loss went. Pure functions of the rows.

Runs that cannot be compared are not joined. What differs by intention makes a series of its own: arm, target, who acts,
at which pace. What changes in the course of time breaks the line of a series: the drill's file, its limits, the
runbook, the rules of scoring, the version that holds the target, the machine, the compression of time. Medians are of
the runs between two breaks. Nothing here says whether anything got better: a robot's recovery of a model is no
readiness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from drills.archive.levels import LevelChange, level_changes
from drills.archive.medians import Median, median
from drills.archive.row import RunRow
from drills.judge.repeats import WORST_FIRST
from drills.judge.verdict import Grade
from drills.record.arm import NOTHING_BROKEN
from drills.record.dates import Fate, done_of_due
from drills.record.entries import Begun
from drills.record.register import Register

BREAKS: Mapping[str, Callable[[RunRow], object]] = {
    "drill": lambda row: row.drill_sha256,
    "limits": lambda row: row.limits,
    "runbook": lambda row: row.runbook_sha256,
    "rules": lambda row: row.rules,
    "version": lambda row: row.kunren,
    "machine": lambda row: row.machine,
    "compression": lambda row: row.compression,
    "reaction": lambda row: row.reaction_s if row.operator == "robot" else None,
}
"""What breaks a line -> by what it is known. A value that is not known breaks it as well."""


class Segment(msgspec.Struct, frozen=True):
    """Runs that can be compared, from ``since`` to ``until``; ``because`` is what changed before the first of them.

    ``recover_s`` by the late ends of the intervals measured; ``judged`` are the runs of the two medians. ``changes``:
    where recoveries changed their level all the same.
    """

    since: str
    until: str
    because: list[str]
    runs: int
    judged: int
    passed: int
    recover_s: Median
    service_s: Median
    harmful_actions: Median
    changes: list[LevelChange]


class Series(msgspec.Struct, frozen=True):
    """All runs of a drill that differ by chance or in the course of time alone."""

    drill: str
    title: dict[str, str]
    arm: str
    target: str
    operator: str
    pace: str
    runs: int
    passed: int
    failed: int
    cannot_judge: int
    without_card: int
    last_run: str
    last_at: str
    last_verdict: str
    last_grade: str | None
    last_recover_s: float | None
    recover_limit_s: float | None
    segments: list[Segment]


class WithoutCard(msgspec.Struct, frozen=True):
    """A run that was begun and has no card. ``verdict`` is what the register says of it, None where it has no end."""

    run: str
    drill: str
    arm: str
    target: str
    operator: str
    pace: str
    at: str
    who: str
    verdict: str | None


class Calendar(msgspec.Struct, frozen=True):
    """Dates of schedules that are over: how many were due and how many done whole; ``missed``: the others."""

    due: int
    done: int
    missed: list[Fate]


class Trend(msgspec.Struct, frozen=True):
    """The history of drills. ``others``: runs of other arms than those asked for, by arm.

    ``unregistered``: cards of runs that the register does not have; ``register_holds``: None where there is none;
    ``calendar``: None where no date of a schedule was due yet.
    """

    runs: int
    series: list[Series]
    without_card: list[WithoutCard]
    others: dict[str, int]
    unread: dict[str, str]
    unregistered: int
    register_holds: bool | None
    calendar: Calendar | None


def trend(
    rows: Sequence[RunRow],
    register: Register,
    unread: Mapping[str, str],
    wanted: Callable[[str, str], bool],
    fates: Iterable[Fate] = (),
) -> Trend:
    """Worst first. ``wanted``: whether runs of a drill (with its variant) in an arm are asked for.

    ``fates``: what became of the dates of schedules.
    """
    again = {attempt for row in rows for attempt in row.earlier}
    mine = [row for row in rows if wanted(row.called, row.arm)]
    lost = [each for each in without_card(rows, register, unread) if wanted(each.drill, each.arm)]
    groups: dict[tuple[str, ...], list[RunRow]] = {}
    for row in mine:
        groups.setdefault((row.called, row.arm, row.target, row.operator, row.pace), []).append(row)
    series = [_series(group, again, lost) for group in groups.values()]
    others = [row.arm for row in rows if not wanted(row.called, row.arm)]
    begun = register.begun()
    return Trend(
        runs=len(mine),
        series=sorted(series, key=_badness),
        without_card=lost,
        others={arm: others.count(arm) for arm in sorted(set(others))},
        unread=dict(unread),
        unregistered=sum(row.run not in begun for row in rows),
        register_holds=None if register.head is None and not register.problems else not register.problems,
        calendar=_calendar(list(fates)),
    )


def _calendar(fates: Sequence[Fate]) -> Calendar | None:
    done, due = done_of_due(fates)
    missed = sorted((each for each in fates if each.missed), key=lambda each: each.of)
    return Calendar(due, done, missed) if due else None


def without_card(rows: Iterable[RunRow], register: Register, unread: Mapping[str, str]) -> list[WithoutCard]:
    """Every run that the register has and no card is there of, oldest first: thrown away, or never ended."""
    there = {row.run for row in rows} | unread.keys()
    ended = register.ended()
    return [
        WithoutCard(
            run=run,
            drill=f"{begun.drill}.{begun.variant}" if begun.variant else begun.drill,
            arm=begun.arm,
            target=begun.target,
            operator=acts(begun),
            pace=begun.pace,
            at=begun.at,
            who=begun.who,
            verdict=ended[run].verdict if run in ended else None,
        )
        for run, begun in register.begun().items()
        if run not in there
    ]


def acts(begun: Begun) -> str:
    """Who acts, as cards call it."""
    return "robot" if begun.operator == "auto" else begun.operator


def _series(rows: Sequence[RunRow], again: set[str], lost: Sequence[WithoutCard]) -> Series:
    """``again``: runs that could not judge and were made once more; they are counted, and are no last run."""
    first, counted = rows[0], [row for row in rows if row.run not in again] or list(rows)
    last = counted[-1]
    key = (first.called, first.arm, first.target, first.operator, first.pace)
    limit = next((one.limit for one in last.objectives if one.id == "recover"), None)
    return Series(
        drill=first.called,
        title=last.title,
        arm=first.arm,
        target=first.target,
        operator=first.operator,
        pace=first.pace,
        runs=len(rows),
        passed=sum(row.verdict == "pass" for row in rows),
        failed=sum(row.verdict == "fail" for row in rows),
        cannot_judge=sum(not row.judged for row in rows),
        without_card=sum((each.drill, each.arm, each.target, each.operator, each.pace) == key for each in lost),
        last_run=last.run,
        last_at=last.at,
        last_verdict=last.verdict,
        last_grade=last.grade,
        last_recover_s=None if last.recover is None or not last.judged else last.recover[1],
        recover_limit_s=limit,
        segments=_segments(rows),
    )


def _segments(rows: Sequence[RunRow]) -> list[Segment]:
    parts: list[tuple[list[str], list[RunRow]]] = [([], [rows[0]])]
    for before, row in pairwise(rows):
        because = [name for name, known in BREAKS.items() if known(before) != known(row)]
        if because:
            parts.append((because, [row]))
        else:
            parts[-1][1].append(row)
    return [_segment(because, part) for because, part in parts]


def _segment(because: list[str], rows: Sequence[RunRow]) -> Segment:
    judged = [row for row in rows if row.judged]
    return Segment(
        since=rows[0].at,
        until=rows[-1].at,
        because=because,
        runs=len(rows),
        judged=len(judged),
        passed=sum(row.verdict == "pass" for row in judged),
        recover_s=median([None if row.recover is None else row.recover[1] for row in judged if _recovers(row)]),
        service_s=median([row.service_s for row in judged if row.service_s is not None]),
        harmful_actions=median([row.harmful_actions for row in judged if row.harmful_actions is not None]),
        changes=level_changes([(row.at, row.recover[1]) for row in judged if row.recover is not None]),
    )


def _recovers(row: RunRow) -> bool:
    """Whether it says something of recovery: one in which something was broken, and which recovered or failed."""
    return row.arm not in NOTHING_BROKEN and (row.recover is not None or row.verdict == "fail")


def _badness(series: Series) -> tuple[float, ...]:
    """Failed before what cannot be judged before passed; then the grade, lost cards, the share of passes, the time."""
    verdict = {"fail": 0, "pass": 2}.get(series.last_verdict, 1)
    grade = WORST_FIRST.index(Grade(series.last_grade)) if series.last_grade in set(WORST_FIRST) else len(WORST_FIRST)
    now = series.segments[-1]
    passed = now.passed / now.judged if now.judged else 0.0
    late = now.recover_s.value / series.recover_limit_s if now.recover_s.value and series.recover_limit_s else 0.0
    return verdict, grade, -series.without_card, passed, -late
