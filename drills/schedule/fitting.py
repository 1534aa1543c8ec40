"""Whether an entry fits on a day: is the day open to it, does a window hold all its runs, and no blackout."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from drills.record.dates import Reason, because
from drills.schedule.business import BusinessDays
from drills.schedule.clock import DAY, EVERY_MINUTES, instant, left_out, midnight, minutes_of, twice
from drills.spec.calendarkinds import WEEKDAYS
from drills.spec.schedulefile import Entry, Schedule
from drills.spec.scheduleform import BlackoutForm

__all__ = ["Fit", "Place", "Reason", "because"]

MINUTE = timedelta(minutes=1)
LOOKS = timedelta(minutes=EVERY_MINUTES)
"""Somebody looks this often: what may begin for a shorter time might be met by no look."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How an entry fits on a day: ``nominal`` as written, ``start`` as drawn, ``latest`` to begin; or why not."""

    nominal: datetime
    start: datetime
    latest: datetime
    why_not: Reason | None = None
    remarks: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """The days, windows and blackouts of a schedule."""

    schedule: Schedule
    days: BusinessDays

    def fit(self, entry: Entry, day: date, takes: timedelta) -> Fit:
        """The entry on that day."""
        zone = self.schedule.form.zone
        nominal = instant(day, entry.at, zone)
        why_not = self._closed(entry, day)
        if why_not is not None:
            return Fit(nominal, nominal, nominal, why_not)
        window = self._window(day, entry.at)
        if window is None:
            return Fit(nominal, nominal, nominal, because("window"))
        latest = window[1] - takes
        if latest < nominal:
            left = minutes_of(window[1] - nominal)
            return Fit(nominal, nominal, nominal, because("window-short", left=left, takes=minutes_of(takes)))
        for begins, ends, form in self._blackouts(day):
            if begins < nominal + takes and nominal < ends:
                return Fit(nominal, nominal, nominal, because("blackout", words=form.why))
            if nominal < begins:
                latest = min(latest, begins - takes)
        start = self._drawn(entry, day, nominal, latest)
        if entry.late is not None:
            latest = min(latest, start + timedelta(microseconds=entry.late // 1000))
        return Fit(nominal, start, latest, remarks=tuple(self._clocks_changed(entry, day)))

    def _closed(self, entry: Entry, day: date) -> Reason | None:
        calendar = self.schedule.form.business.calendar
        if entry.days != "any" and calendar is not None and not self.days.known(day):
            return because("calendar-unknown", calendar=calendar, year=day.year)
        if entry.days == "any" or self.days.on(day) == (entry.days == "business"):
            return None
        if entry.days == "closed":
            return because("business-day")
        own = day in self.schedule.form.business.holidays
        return because("own-holiday" if own else "weekend" if WEEKDAYS[day.weekday()] in ("sat", "sun") else "holiday")

    def _window(self, day: date, at: time) -> tuple[datetime, datetime] | None:
        """The one that the time lies in and that lasts longest; it may have opened the day before."""
        start, found = instant(day, at, self.schedule.form.zone), []
        for opening in (day - DAY, day):
            found += [each for each in self._windows(opening) if each[0] <= start < each[1]]
        return max(found, key=lambda each: each[1], default=None)

    def _windows(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Those that open on that day."""
        zone = self.schedule.form.zone
        for window in self.schedule.form.windows:
            if window.days and WEEKDAYS[day.weekday()] not in window.days:
                continue
            closing = day if window.opens < window.closes else day + DAY
            yield instant(day, window.opens, zone), instant(closing, window.closes, zone, later=True)

    def _blackouts(self, day: date) -> Iterator[tuple[datetime, datetime, BlackoutForm]]:
        """Those of this day and of the next, in order: a window may reach into it."""
        zone = self.schedule.form.zone
        for each in (day, day + DAY):
            for form in self.schedule.form.blackouts:
                if self._black(form, each):
                    yield midnight(each, zone), midnight(each + DAY, zone), form

    def _black(self, form: BlackoutForm, day: date) -> bool:
        if form.first is not None and form.last is not None:
            return form.first <= day <= form.last
        if form.every is not None:
            return bool(form.every.days(date(day.year, 1, 1), day, day))
        if form.month is None:
            return False
        first, last = form.month.first, form.month.last
        return (first is not None and self.days.first(day, first)) or (last is not None and self.days.last(day, last))

    def _drawn(self, entry: Entry, day: date, nominal: datetime, latest: datetime) -> datetime:
        """Uniform over whole minutes, by the names and the day alone: who looks twice sees the same."""
        room = max(latest - nominal - LOOKS, timedelta())
        most = min(timedelta(microseconds=(entry.jitter or 0) // 1000), room) // MINUTE
        return nominal + random.Random(f"{self.schedule.name}/{entry.name}/{day}").randint(0, most) * MINUTE

    def _clocks_changed(self, entry: Entry, day: date) -> Iterator[Reason]:
        zone = self.schedule.form.zone
        if left_out(day, entry.at, zone):
            yield because("left-out", at=f"{entry.at:%H:%M}")
        if twice(day, entry.at, zone):
            yield because("twice", at=f"{entry.at:%H:%M}")
