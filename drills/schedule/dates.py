"""The dates of a schedule in a span of days: when each entry takes place, or why not. The same file, the same dates.

A date goes through days, windows and blackouts (``Place``), is moved where the entry wants that, and is then put into
the order of the machine, which drills one after the other and no longer than the budget allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from drills.schedule.business import BusinessDays
from drills.schedule.clock import DAY, minutes_of
from drills.schedule.fitting import Fit, Place, Reason, because
from drills.spec.schedulefile import Entry, Schedule

FARTHEST = 14
"""Days by which a date is moved at most."""

Takes = Callable[[Entry], timedelta]
"""How long all runs of an entry take at most."""


@dataclass(frozen=True, slots=True)
class Date:
    """One date of an entry: ``of`` by its rule, ``day`` when it is to take place.

    ``start`` (drawn) and ``latest`` (to begin) in UTC; ``why_not`` where it does not take place. ``remarks``: what was
    changed about it.
    """

    entry: str
    of: date
    day: date
    takes: timedelta
    nominal: datetime
    start: datetime
    latest: datetime
    why_not: Reason | None = None
    remarks: tuple[Reason, ...] = ()


def dates(schedule: Schedule, first: date, last: date, takes: Takes, days: BusinessDays | None = None) -> list[Date]:
    """All whose day lies between the two, both included, in order of their start."""
    place = Place(schedule, days or BusinessDays(schedule.form.business))
    since, until = _whole_months(first), last + FARTHEST * DAY  # a budget counts from the month's or week's beginning
    found = [each for entry in schedule.entries for each in _of_entry(entry, place, since, until, takes(entry))]
    order = {entry.name: number for number, entry in enumerate(schedule.entries)}
    ordered = _Machine(schedule).ordered(sorted(found, key=lambda each: (each.start, order[each.entry])))
    return sorted((each for each in ordered if first <= each.day <= last), key=lambda each: each.start)


def _whole_months(first: date) -> date:
    """From where on dates must be known for the budgets and moves that touch this day."""
    return min(first.replace(day=1), first - first.weekday() * DAY) - FARTHEST * DAY


def _of_entry(entry: Entry, place: Place, since: date, until: date, takes: timedelta) -> Iterator[Date]:
    """Each date by the rule; those that are moved come after those that are not, for these keep their day."""
    by_rule = entry.every.days(entry.since, since, min(until, entry.until or until))
    fits = {of: place.fit(entry, of, takes) for of in by_rule}
    taken = {of for of, fit in fits.items() if fit.why_not is None}
    for of, fit in fits.items():
        if fit.why_not is None or entry.otherwise == "skip":
            yield _date(entry, of, of, takes, fit)
            continue
        moved = _moved(entry, of, place, takes)
        if moved is None:
            yield _date(entry, of, of, takes, fit)
            continue
        day, other = moved
        if day in taken:
            why_not = because("coincides", day=day, why=fit.why_not)
            yield _date(entry, of, of, takes, replace(fit, why_not=why_not))
            continue
        taken.add(day)
        remark = because("moved", of=of, why=fit.why_not)
        yield _date(entry, of, day, takes, replace(other, remarks=(remark, *other.remarks)))


def _moved(entry: Entry, of: date, place: Place, takes: timedelta) -> tuple[date, Fit] | None:
    """The nearest day in the direction wanted on which it fits."""
    step = DAY if entry.otherwise == "later" else -DAY
    tried = ((of + n * step, place.fit(entry, of + n * step, takes)) for n in range(1, FARTHEST + 1))
    return next(((day, fit) for day, fit in tried if fit.why_not is None), None)


def _date(entry: Entry, of: date, day: date, takes: timedelta, fit: Fit) -> Date:
    return Date(entry.name, of, day, takes, fit.nominal, fit.start, fit.latest, fit.why_not, fit.remarks)


@dataclass(slots=True)
class _Machine:
    """Takes dates in order of their start: one after the other, and no more than the budget allows."""

    schedule: Schedule
    spent: dict[tuple[str, date], timedelta] = field(default_factory=dict)
    free: datetime | None = None
    busy_with: str = ""

    def ordered(self, found: Sequence[Date]) -> list[Date]:
        """The same dates, some of them later, some of them not."""
        return [each if each.why_not is not None else self._put(each) for each in found]

    def _put(self, each: Date) -> Date:
        if self.free is not None and each.start < self.free:
            each = replace(each, start=self.free, remarks=(*each.remarks, because("after", entry=self.busy_with)))
            if each.start > each.latest:
                return replace(each, start=each.latest, why_not=because("taken", entry=self.busy_with))
        over = self._over_budget(each)
        if over is not None:
            return replace(each, why_not=over)
        for period in self._periods(each.day):
            self.spent[period] = self.spent.get(period, timedelta()) + each.takes
        self.free, self.busy_with = each.start + each.takes, each.entry
        return each

    def _over_budget(self, each: Date) -> Reason | None:
        for period in self._periods(each.day):
            limit, spent = self._limits()[period[0]], self.spent.get(period, timedelta())
            if spent + each.takes > limit:
                return because(
                    "budget",
                    period=period[0],
                    spent=minutes_of(spent),
                    takes=minutes_of(each.takes),
                    limit=int(limit.total_seconds()) // 60,
                )
        return None

    def _periods(self, day: date) -> list[tuple[str, date]]:
        """Those with a limit that the day lies in, each by its first day."""
        first = {"day": day, "week": day - day.weekday() * DAY, "month": day.replace(day=1)}
        return [(name, first[name]) for name in self._limits()]

    def _limits(self) -> Mapping[str, timedelta]:
        form = self.schedule.form.budget
        written = {"day": form.day, "week": form.week, "month": form.month}
        return {name: timedelta(microseconds=ns // 1000) for name, ns in written.items() if ns is not None}


def by_entry(found: Sequence[Date]) -> dict[str, list[Date]]:
    """Entry -> its dates in order."""
    ordered = sorted(found, key=lambda each: (each.entry, each.start))
    return {name: list(group) for name, group in groupby(ordered, key=lambda each: each.entry)}
