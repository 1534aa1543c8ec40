"""Small schedules, a year of which has three holidays, and the dates they have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from drills.schedule.business import BusinessDays
from drills.schedule.dates import Date, dates
from drills.spec.schedulefile import Schedule, load_schedule

DRILL = "exchange-link-down"
TOKYO = ZoneInfo("Asia/Tokyo")

USUAL = {
    "schedule": "desk",
    "zone": "Asia/Tokyo",
    "windows": "[{from: 18:30, to: 23:30}]",
    "entries": f"{{link: {{drills: [{DRILL}], every: FREQ=DAILY, since: 2026-12-01, at: 19:00}}}}",
}


def text(**changed: str) -> str:
    """``schedule.yaml`` with these keys instead of, or beside, the usual ones; an empty one is left out."""
    whole = {**USUAL, **changed}
    return "".join(f"{key}: {value}\n" for key, value in whole.items() if value)


def entry(**changed: str) -> str:
    """One entry, ``link``."""
    usual = {"drills": f"[{DRILL}]", "every": "FREQ=DAILY", "since": "2026-12-01", "at": "19:00"}
    return f"{{link: {{{', '.join(f'{key}: {value}' for key, value in {**usual, **changed}.items())}}}}}"


def written(folder: Path, **changed: str) -> Schedule:
    """The same, written and read."""
    file = folder / "schedule.yaml"
    file.write_text(text(**changed), encoding="utf-8")
    return load_schedule(file)


def golden_week(name: str, year: int) -> frozenset[date]:
    """Weekdays but for 29 April and 3 to 5 May."""
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(365))
    closed = {date(year, 4, 29), *(date(year, 5, n) for n in (3, 4, 5))}
    return frozenset(day for day in days if day.weekday() < 5 and day not in closed)


def of(schedule: Schedule, first: str, last: str, minutes: int | Mapping[str, int] = 3) -> list[Date]:
    """Its dates between two days; each entry takes so many minutes."""
    days = BusinessDays(schedule.form.business, golden_week)

    def takes(entry: object) -> timedelta:
        named = minutes if isinstance(minutes, int) else minutes[entry.name]  # type: ignore[attr-defined]
        return timedelta(minutes=named)

    return dates(schedule, date.fromisoformat(first), date.fromisoformat(last), takes, days)


def said(found: list[Date], zone: ZoneInfo = TOKYO) -> list[str]:
    """A line a date: when, or why not."""
    return [
        f"{each.day:%m-%d} {each.entry} "
        + (f"no {each.why_not.id}" if each.why_not else f"{each.start.astimezone(zone):%H:%M}")
        for each in found
    ]


def tokyo(text: str) -> datetime:
    """``2026-12-01 19:00`` in Tokyo."""
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)
