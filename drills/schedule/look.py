"""What is to be done at one instant: dates that are due, dates that were missed, what the journal is to know. Pure.

Somebody looks every few minutes (cron, a timer). A date is due from its start until the latest instant at which all its
runs still end inside the window; where nobody looked meanwhile, since the machine slept or was off, it was missed. What
was planned is written down before, so that a change of the file hides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from drills.record import dates as record
from drills.record.dates import Entry, Reason, because
from drills.schedule.clock import DAY
from drills.schedule.dates import FARTHEST, Date, by_entry

NOBODY_LOOKED, DIED = "nobody-looked", "died"
CHANGED, CHANGED_BEFORE = "changed", "changed-before"


@dataclass(slots=True)
class Look:
    """``due`` in order of their start; ``missed`` and what else ``passed``, each with its reason; ``planned`` next."""

    due: list[Date] = field(default_factory=list)
    missed: list[Passed] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    planned: list[Date] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Passed:
    """A date for which nothing follows: what it is called in the journal, and why."""

    entry: str
    of: date
    what: str
    reason: Reason
    start: datetime | None


def look(schedule: str, found: Sequence[Date], entries: Sequence[Entry], now: datetime) -> Look:
    """``found``: dates of the schedule around now, beginning with the earliest that may still be open (``since``)."""
    mine = [each for each in record.fates(entries) if each.schedule == schedule]
    known = {(each.entry, each.of): each for each in mine if each.state != record.WITHDRAWN}  # it may come back
    watched = watched_since(schedule, entries)
    result, seen = Look(), set()
    for each in found:
        key = each.entry, each.of
        seen.add(key)
        if key in known or (watched is not None and each.start >= watched[0]):
            _sort(each, known.get(key), now, result)
    for key, fate in known.items():
        if key not in seen and fate.state not in record.OVER:
            _gone(fate, now, result)
    open_ = [each for each in found if each.why_not is None and each.start > now]
    for group in by_entry(open_).values():
        before = known.get((group[0].entry, group[0].of))
        if before is None or before.start != group[0].start:
            result.planned.append(group[0])
    return result


def since(schedule: str, entries: Sequence[Entry], today: date) -> date:
    """The first day of which a date may be open: planned and not over, or after anything was written last."""
    own = [each for each in entries if each.schedule == schedule]
    open_ = [each.of for each in record.fates(own) if each.state not in record.OVER]
    last = [each.at.date() for each in own[-1:]]
    return min([*open_, *last, today]) - (FARTHEST + 1) * DAY


def watched_since(schedule: str, entries: Sequence[Entry]) -> tuple[datetime, str | None] | None:
    """Since when its file, by its SHA-256, is looked at as it is; None where it never was."""
    own = [each for each in entries if each.schedule == schedule and each.what == record.WATCHED]
    return (own[-1].at, own[-1].sha256) if own else None


def _sort(each: Date, fate: record.Fate | None, now: datetime, result: Look) -> None:
    """Where a date belongs of which nothing is over."""
    state = None if fate is None else fate.state
    if state in record.OVER:
        return
    if state == record.BEGAN:
        result.missed.append(_passed(each, record.ENDED, because(DIED)))
    elif each.why_not is not None:
        if each.start <= now:
            result.passed.append(_passed(each, record.SKIPPED, each.why_not))
    elif each.start <= now <= each.latest:
        result.due.append(each)
    elif each.latest < now:
        busy = fate.reason if fate is not None and state == record.POSTPONED else None
        result.missed.append(_passed(each, record.MISSED, busy or because(NOBODY_LOOKED)))


def _passed(each: Date, what: str, reason: Reason) -> Passed:
    return Passed(each.entry, each.of, what, reason, each.start)


def _gone(fate: record.Fate, now: datetime, result: Look) -> None:
    """The file was changed over it: what had begun by then was missed, the rest is withdrawn."""
    came = fate.start is not None and fate.start <= now
    what = record.ENDED if fate.state == record.BEGAN else record.MISSED if came else record.WITHDRAWN
    reason = because(DIED if fate.state == record.BEGAN else CHANGED if came else CHANGED_BEFORE)
    gone = Passed(fate.entry, fate.of, what, reason, fate.start)
    (result.passed if what == record.WITHDRAWN else result.missed).append(gone)
