"""Which days are business days: those of an exchange's calendar, or Monday to Friday, less one's own holidays."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from drills.schedule.clock import DAY
from drills.spec.scheduleform import BusinessForm

SATURDAY = 5

Sessions = Callable[[str, int], frozenset[date] | None]
"""The trading days of an exchange in a year; None where nobody knows them yet."""


@cache
def sessions(name: str, year: int) -> frozenset[date] | None:
    """By exchange_calendars; of several exchanges its release knows no more than this year or some years ahead."""
    import exchange_calendars  # here: importing it takes a second, and a schedule need not name one

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # between exchange_calendars and pandas, of no matter here
        try:
            known = exchange_calendars.get_calendar(name, start=f"{year}-01-01", end=f"{year}-12-31").sessions
        except ValueError:
            return None
    return frozenset(each.date() for each in known)


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """Of a schedule; ``of_exchange`` is asked where it names an exchange."""

    form: BusinessForm
    of_exchange: Sessions = field(default=sessions)

    def on(self, day: date) -> bool:
        """Whether it is a business day."""
        if day in self.form.holidays:
            return False
        of_exchange = None if self.form.calendar is None else self.of_exchange(self.form.calendar, day.year)
        return day.weekday() < SATURDAY if of_exchange is None else day in of_exchange

    def known(self, day: date) -> bool:
        """Whether its calendar, if it has one, reaches so far; ``on`` takes the usual week beyond that."""
        return self.form.calendar is None or self.of_exchange(self.form.calendar, day.year) is not None

    def first(self, day: date, number: int) -> bool:
        """Whether it lies in its month up to the first so many business days."""
        return sum(map(self.on, _days(day.replace(day=1), day - DAY))) < number

    def last(self, day: date, number: int) -> bool:
        """Whether it lies in its month from the last so many business days on."""
        end = (day.replace(day=28) + 4 * DAY).replace(day=1) - DAY
        return sum(map(self.on, _days(day + DAY, end))) < number


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY
