"""Kinds of values that a schedule is written in: dates, times of day, weekdays, recurrence rules, calendars' names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rrule, rrulestr

from drills.errors import unknown
from drills.spec.forms import Schema, kind
from drills.spec.reader import Node
from drills.spec.values import AS_WRITTEN, TEXT, one_of

DAY = re.compile(r"20\d{2}-\d{2}-\d{2}\Z", re.ASCII)
"""Of this century: no calendar of an exchange is sure of more."""
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z", re.ASCII)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+\Z", re.ASCII | re.IGNORECASE)

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYWEEKNO", "BYYEARDAY", "WKST")
"""Of a recurrence rule. From when on, until when and at what time of the day are keys of their own."""
ELSEWHERE = {
    "UNTIL": "say it with 'until'",
    "COUNT": "say until when with 'until'",
    "BYHOUR": "say it with 'at'",
    "BYMINUTE": "say it with 'at'",
    "BYSECOND": "say it with 'at'",
}


class Rule:
    """A recurrence rule of iCalendar (RFC 5545), by days; ``text`` as it was written."""

    def __init__(self, text: str) -> None:
        self.text = text

    def days(self, since: date, first: date, last: date) -> list[date]:
        """Those from ``first`` to ``last``, both included; an INTERVAL counts from ``since``."""
        found = self._from(since).between(_midnight(max(since, first)), _midnight(last), inc=True)
        return [each.date() for each in found]

    def _from(self, since: date) -> rrule:
        made = rrulestr(self.text, dtstart=_midnight(since))
        assert isinstance(made, rrule)
        return made


def rule_of(node: Node) -> Rule:
    """A rule such as ``FREQ=WEEKLY;BYDAY=TU,TH``; BadInput says which part cannot be taken."""
    text = node.text("a recurrence rule such as FREQ=WEEKLY;BYDAY=TU,TH")
    parts = [part.partition("=") for part in text.split(";")]
    for key, equals, value in parts:
        if key in ELSEWHERE:
            raise node.bad(f"{node.name}: {key} is not taken in the rule; {ELSEWHERE[key]}")
        if not equals or not value or key not in PARTS:
            raise node.bad(f"{node.name}: {unknown('part of the rule', key, PARTS)}; each is written PART=VALUE")
    found = {key: value for key, _, value in parts}
    if len(found) < len(parts):
        raise node.bad(f"{node.name}: a part of the rule stands twice")
    if found.get("FREQ") not in FREQUENCIES:
        raise node.bad(f"{node.name}: {unknown('FREQ', found.get('FREQ', 'none'), FREQUENCIES)}")
    if not re.match(r"[1-9]\d{0,2}\Z", found.get("INTERVAL", "1"), re.ASCII):
        raise node.bad(f"{node.name}: INTERVAL is a whole number from 1 to 999")
    try:
        rule = Rule(text)
        some = rule.days(date(2024, 1, 1), date(2024, 1, 1), date(2031, 12, 31))
    except (ValueError, TypeError, AttributeError) as error:  # whatever dateutil stumbles over
        raise node.bad(f"{node.name}: no recurrence rule of iCalendar: {error}") from None
    if not some:
        raise node.bad(f"{node.name}: this rule has no date within eight years")
    return rule


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def day_of(text: str) -> date | None:
    """A date such as ``2026-12-01``, of this century; None for anything else."""
    try:
        return date.fromisoformat(text) if DAY.match(text) else None
    except ValueError:
        return None


def _date(node: Node) -> date:
    found = day_of(node.written or "")
    if found is None:
        raise node.expected("a date such as 2026-12-01, from 2000 to 2099")
    return found


def _clock(node: Node) -> time:
    match = CLOCK.match(node.written or "")
    if match is None:
        raise node.expected("a time of the day such as 18:30, from 00:00 to 23:59")
    return time(int(match[1]), int(match[2]))


def _zone(node: Node) -> ZoneInfo:
    name = node.text("a time zone such as Asia/Tokyo")
    known = available_timezones()
    if name not in known:
        raise node.bad(f"{node.name}: {unknown('time zone', name, _near(name, known))}")
    return ZoneInfo(name)


def _near(name: str, known: set[str]) -> list[str]:
    """Those of the same part of the world, or all parts: there are hundreds."""
    part = name.partition("/")[0]
    return sorted(each for each in known if each.startswith(f"{part}/")) or [*sorted({*known} & {"UTC"}), "Asia/Tokyo"]


def _exchange(node: Node) -> str:
    import exchange_calendars  # here: importing it takes a second, and a schedule need not name one

    name = node.text("a calendar such as XTKS")
    known = exchange_calendars.get_calendar_names()
    if name not in known:
        raise node.bad(f"{node.name}: {unknown('calendar of exchange_calendars', name, sorted(known))}")
    return name


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[Node], str]:
    def read(node: Node) -> str:
        found = node.text(what)
        if not pattern.match(found):
            raise node.expected(what)
        return found

    return read


def _flag(node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise node.expected("true or false")
    return node.value


DAY_SCHEMA: Schema = {"type": "string", "pattern": r"^20\d{2}-\d{2}-\d{2}$"}
CLOCK_SCHEMA: Schema = {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}
RULE_SCHEMA: Schema = {
    "type": "string",
    "pattern": f"^({'|'.join(PARTS)})=[^;]+(;({'|'.join(PARTS)})=[^;]+)*$",
}

if TYPE_CHECKING:
    Day: TypeAlias = date
    TimeOfDay: TypeAlias = time
    Weekday: TypeAlias = str
    Zone: TypeAlias = ZoneInfo
    Exchange: TypeAlias = str
    Recurrence: TypeAlias = Rule
    Variable: TypeAlias = str
    Address: TypeAlias = str
    Few: TypeAlias = int
    Flag: TypeAlias = bool
else:
    Day = kind("date", _date, DAY_SCHEMA)
    TimeOfDay = kind("time of the day", _clock, CLOCK_SCHEMA)
    Weekday = one_of(WEEKDAYS, "weekday")
    Zone = kind("time zone", _zone, TEXT)
    Exchange = kind("calendar", _exchange, TEXT)
    Recurrence = kind("rule", rule_of, RULE_SCHEMA)
    Variable = kind(
        "variable",
        _matching(VARIABLE, "the name of an environment variable"),
        {"type": AS_WRITTEN, "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    )
    Address = kind(
        "address",
        _matching(ADDRESS, "an address of apprise such as mailto://mail.example.co.jp?to=desk@example.co.jp"),
        {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9+.-]*://\S+$"},
    )
    Few = kind("number of days", lambda node: node.integer(1, 10), {"type": "integer", "minimum": 1, "maximum": 10})
    Flag = kind("true or false", _flag, {"type": "boolean"})
