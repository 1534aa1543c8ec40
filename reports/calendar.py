"""The dates of a schedule in the terminal and as JSON: what will run when, why not, and what became of those before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from drills.record.dates import Fate, done_of_due
from drills.schedule.clock import minutes_of
from drills.schedule.dates import Date
from reports.calendar_words import at, on, say, state_words, why
from reports.cells import print_table
from reports.history_words import verdict_words
from reports.texts import Lang


def print_next(
    out: Console, schedule: str, zone: ZoneInfo, first: date, last: date, found: Sequence[Date], lang: Lang
) -> None:
    """A line a date, in order."""
    out.print(say(lang, "next.head", schedule=schedule, zone=zone, first=on(lang, first), last=on(lang, last)))
    if not found:
        out.print(say(lang, "next.none"))
        return
    table = Table(*(Column(no_wrap=True) for _ in range(4)), Column(), box=None, show_header=False, pad_edge=False)
    for each in found:
        minutes = say(lang, "next.minutes", minutes=minutes_of(each.takes))
        if each.why_not is None:
            remarks = "; ".join(why(lang, remark) for remark in each.remarks)
            table.add_row(on(lang, each.day), at(each.start, zone), each.entry, minutes, remarks)
        else:
            reason = say(lang, "next.not", why=why(lang, each.why_not))
            table.add_row(*(Text(cell, "dim") for cell in (on(lang, each.day), "–", each.entry, "", reason)))
    print_table(out, table)
    taking_place = [each for each in found if each.why_not is None]
    total = minutes_of(sum((each.takes for each in taking_place), timedelta()))
    out.print(say(lang, "next.sum", n=len(taking_place), minutes=total, not_=len(found) - len(taking_place)))


def document(schedule: str, zone: ZoneInfo, first: date, last: date, found: Sequence[Date]) -> dict[str, Any]:
    """The same for programs; instants as ISO 8601, local with their offset."""
    return {
        "schema": "kunren.calendar/1",
        "schedule": schedule,
        "zone": str(zone),
        "first": first,
        "last": last,
        "dates": [
            {
                "entry": each.entry,
                "of": each.of,
                "day": each.day,
                "start": None if each.why_not else each.start.astimezone(zone).isoformat(),
                "latest": None if each.why_not else each.latest.astimezone(zone).isoformat(),
                "takes_s": round(each.takes.total_seconds()),
                "why_not": each.why_not,
                "remarks": list(each.remarks),
                "says": {lang: _says(lang, each) for lang in ("en", "ja")},
            }
            for each in found
        ],
    }


def print_past(out: Console, zone: ZoneInfo, found: Sequence[Fate], lang: Lang) -> None:
    """A line a date, in order, and how many of the due ones were done."""
    if not found:
        out.print(say(lang, "past.none"))
        return
    table = Table(*(Column(no_wrap=True) for _ in range(4)), Column(), box=None, show_header=False, pad_edge=False)
    for each in sorted(found, key=lambda fate: (fate.start or datetime.min.replace(tzinfo=UTC), fate.entry)):
        reasons = [] if each.reason is None else [why(lang, each.reason)]
        runs = [f"{ran.drill} {ran.arm}: {verdict_words(lang, ran.verdict)}" for ran in each.runs]
        start = "–" if each.start is None else at(each.start, zone)
        state = state_words(lang, each.state)
        table.add_row(on(lang, each.of), start, each.entry, state, "; ".join([*reasons, *runs]))
    print_table(out, table)
    done, due = done_of_due(found)
    out.print(say(lang, "past.sum", done=done, due=due, missed=due - done))


def _says(lang: Lang, each: Date) -> str:
    reasons = [each.why_not] if each.why_not is not None else list(each.remarks)
    return "; ".join(why(lang, reason) for reason in reasons)
