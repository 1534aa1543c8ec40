"""What of a run becomes a finding: each objective and check that failed in an arm declared to pass; a looser limit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from drills.archive.row import Limit, RunRow
from drills.archive.trends import acts
from drills.errors import BadInput
from drills.judge.verdict import Grade
from drills.record.entries import Begun, Ended
from drills.record.history import NS
from drills.record.names import DRILL
from drills.record.register import Register
from drills.spec.findingsfile import ANY, LimitForm, Seen
from drills.spec.metrics import metrics
from drills.spec.reader import TIME, UNITS
from drills.spec.yamlfile import load

CRITICAL, HIGH, MEDIUM = "critical", "high", "medium"


@dataclass(frozen=True, slots=True)
class Key:
    """What a finding is about; two runs with the same one have shown the same."""

    drill: str
    arm: str
    target: str
    operator: str
    pace: str
    kind: str
    about: str

    @property
    def id(self) -> str:
        """The same wherever it is found, so that files of two branches can be merged."""
        words = msgspec.json.encode(
            [self.drill, self.arm, self.target, self.operator, self.pace, self.kind, self.about]
        )
        return f"F-{hashlib.sha256(words).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Observed:
    """One thing that failed in a run. ``limits_of``: the run whose limits a retest must keep."""

    key: Key
    row: RunRow
    severity: str
    detail: str
    limits_of: RunRow


Declared = Callable[[RunRow], bool]
"""Whether a run was declared to pass."""


def failures(row: RunRow, declared: Declared) -> Iterator[Observed]:
    """What failed in a run; nothing where it cannot judge, or was declared to fail."""
    if row.verdict != "fail" or not declared(row):
        return
    found = [("objective", one.id, _missed(row, one), _detail(one)) for one in row.objectives if one.verdict == "fail"]
    found += [("check", name, CRITICAL if name in row.checks else MEDIUM, "") for name in row.red]
    for kind, about, severity, detail in found or [("run", "verdict", HIGH, row.grade or "")]:
        key = Key(row.called, row.arm, row.target, row.operator, row.pace, kind, about)
        yield Observed(key, row, severity, detail, row)


def thrown_away(rows: Sequence[RunRow], register: Register, unread: Collection[str]) -> list[RunRow]:
    """Runs that failed by the register and whose cards are gone, as far as another run tells what the drill declares.

    What failed in them nobody knows any more; that they did is not forgotten.
    """
    there = {row.run for row in rows} | set(unread)
    like = {(row.drill_sha256, row.arm): row for row in rows}
    ended = register.ended()
    found = []
    for run, begun in register.begun().items():
        model = like.get((begun.drill_sha256, begun.arm))
        if run not in there and model is not None and run in ended and ended[run].verdict == "fail":
            found.append(_without_card(model, begun, ended[run]))
    return found


def _without_card(model: RunRow, begun: Begun, ended: Ended) -> RunRow:
    unmeasured = [msgspec.structs.replace(one, verdict="unknown", measured=None) for one in model.objectives]
    return msgspec.structs.replace(
        model,
        run=begun.run,
        at=at_of(begun.run),
        drill=begun.drill,
        variant=begun.variant,
        seed=begun.seed,
        target=begun.target,
        operator=acts(begun),
        pace=begun.pace,
        verdict=ended.verdict,
        grade=ended.grade,
        evidence=ended.evidence,
        objectives=unmeasured,
        red=[],
        reaction_s=None,
    )


def loosened(before: RunRow, row: RunRow) -> Iterator[Observed]:
    """Limits of the same drill that let more pass than in the run before."""
    for about, detail in looser(before, row):
        key = Key(row.called, ANY, ANY, ANY, row.pace, "limit", about)
        yield Observed(key, row, MEDIUM, detail, before)


def looser(before: RunRow, row: RunRow) -> Iterator[tuple[str, str]]:
    """What is limited less than before, and how: an objective, a check that is asked no more, harm newly accepted."""
    now = {one.id: one for one in row.objectives}
    for one in before.objectives:
        if one.id not in now:
            yield one.id, f"limit removed, was {_limit(one)}"
        elif now[one.id].at_least != one.at_least or now[one.id].looser_than(one):
            yield one.id, f"{_limit(one)} before, {_limit(now[one.id])} now"
    yield from ((name, "check removed") for name in before.checks if name not in row.checks)
    yield from ((name, "harm accepted now") for name in row.accepts if name not in before.accepts)


def seen(row: RunRow) -> Seen:
    """The run as a finding names it."""
    return Seen(run=row.run, date=day_of(row.run), evidence=row.evidence)


def limits_of(row: RunRow) -> tuple[LimitForm, ...]:
    """The limits of a run as a finding keeps them."""
    return tuple(
        LimitForm(id=one.id, at_least=one.limit) if one.at_least else LimitForm(id=one.id, at_most=one.limit)
        for one in row.objectives
    )


def at_of(run: str) -> str:
    """The stamp in a run's name, by which runs are ordered."""
    return run.partition("/")[2].partition("-")[0]


def day_of(run: str) -> date:
    """The day of a run, UTC."""
    stamp = at_of(run)
    return date(int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8]))


def declared_to_pass(runs: Path, rows: Sequence[RunRow]) -> Declared:
    """By the very drill file that ran, which lies in the run folder; each text is read once.

    ``rows``: all runs at hand; of one that was thrown away the file lies in the folder of another.
    """
    of_text = {row.drill_sha256: row.run for row in rows}
    known: dict[str, dict[str, Any]] = {}

    def declared(row: RunRow) -> bool:
        text = row.drill_sha256
        if text not in known:
            known[text] = _arms(runs / row.run / DRILL) or _arms(runs / of_text.get(text, row.run) / DRILL)
        return _passes(known[text].get(row.arm), row.reaction_s)

    return declared


def _arms(file: Path) -> dict[str, Any]:
    """The ``arms:`` of a drill file that was taken when it ran; all else in it may be of another version."""
    try:
        data = load(file).data
    except BadInput:
        return {}
    arms = data.get("arms") if isinstance(data, dict) else None
    return arms if isinstance(arms, dict) else {}


def _passes(arm: Any, reaction_s: float | None) -> bool:
    """A reaction slower than the one up to which the runbook is declared to be quick enough must fail."""
    if not isinstance(arm, dict):
        return bool(arm == "pass")
    match = TIME.match(str(arm.get("reaction_up_to", "")))
    late = match is not None and reaction_s is not None and reaction_s * NS > float(match[1]) * UNITS.get(match[2], NS)
    return arm.get("verdict") == "pass" and not late


def _missed(row: RunRow, one: Limit) -> str:
    metric = metrics().get(one.metric)
    if metric is not None and metric.harm is not None:
        return CRITICAL
    return HIGH if row.grade == Grade.UNABLE or one.measured is None else MEDIUM


def _detail(one: Limit) -> str:
    if one.measured is None:
        return f"not measured, limit {_limit(one)}"
    early, late = one.measured
    measured = f"{late:g}" if early == late else f"{early:g} to {late:g}"
    return f"{measured}{_unit(one)}, limit {_limit(one)}"


def _limit(one: Limit) -> str:
    return f"{'at least ' if one.at_least else ''}{one.limit:g}{_unit(one)}"


def _unit(one: Limit) -> str:
    return "" if one.unit in ("count", "ratio") else f" {one.unit}"


def by_time(rows: Sequence[RunRow]) -> list[RunRow]:
    """Oldest first."""
    return sorted(rows, key=lambda row: (row.at, row.run))
