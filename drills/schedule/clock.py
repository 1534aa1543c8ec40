"""From the time of day on a date to an instant: a time that a zone leaves out, and one that it has twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil import tz

DAY = timedelta(days=1)
EVERY_MINUTES = 5
"""So often somebody looks, unless said otherwise."""


def instant(day: date, at: time, zone: ZoneInfo, *, later: bool = False) -> datetime:
    """In UTC. A time that is left out is as much later as the clocks are put on: 2:30 is 3:30 then.

    Of one that comes twice the first is meant, or the ``later``.
    """
    local = datetime.combine(day, at, zone).replace(fold=1 if later else 0)
    return tz.resolve_imaginary(local).astimezone(UTC)


def left_out(day: date, at: time, zone: ZoneInfo) -> bool:
    """Whether the clocks are put on over it."""
    return not tz.datetime_exists(datetime.combine(day, at, zone))


def twice(day: date, at: time, zone: ZoneInfo) -> bool:
    """Whether it comes twice, since the clocks are put back."""
    return not left_out(day, at, zone) and tz.datetime_ambiguous(datetime.combine(day, at, zone))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When the day begins there, in UTC."""
    return instant(day, time(), zone)


def minutes_of(span: timedelta) -> int:
    """Whole minutes, rounded up."""
    return -(-int(span.total_seconds()) // 60)
