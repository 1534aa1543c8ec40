"""Where the scenarios that were drilled come from: sources with their drills, and kinds of fault by phase of the day.

A trace of sources, and no measure of readiness: the page says so beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from drills.archive.row import RunRow
from drills.archive.trends import Trend
from reports.blocks import MARKS
from reports.figures import DASH
from reports.pages.words import word
from reports.texts import Lang
from reports.words import LISTED


@dataclass(frozen=True, slots=True)
class Covered:
    """``sources``: id and drills; ``families``: kind of fault, then a cell for each of the ``phases``."""

    sources: list[tuple[str, str]]
    phases: list[str]
    families: list[list[str]]


def covered(rows: Mapping[tuple[str, ...], Sequence[RunRow]], trend: Trend, lang: Lang) -> Covered:
    """From the last run of each line of the history."""
    last = {series.last_run: series.last_verdict for series in trend.series}
    shown = [(row, last[row.run]) for group in rows.values() for row in group if row.run in last]
    by_source: dict[str, set[str]] = {}
    by_family: dict[str, dict[str, set[str]]] = {}
    for row, verdict in shown:
        drill = f"{row.called} {MARKS.get(verdict, '?')}"
        for source in row.sources:
            by_source.setdefault(source, set()).add(drill)
        for fault in row.faults:
            by_family.setdefault(fault, {}).setdefault(row.phase, set()).add(row.called)
    phases = sorted({row.phase for row, _ in shown if row.faults})
    return Covered(
        sources=[(source, LISTED[lang].join(sorted(by_source[source]))) for source in sorted(by_source)],
        phases=[phase or word(lang, "history.no-phase") for phase in phases],
        families=[
            [family, *(_cell(by_family[family].get(each, ())) for each in phases)] for family in sorted(by_family)
        ],
    )


def _cell(drills: Collection[str]) -> str:
    return str(len(drills)) if drills else DASH
