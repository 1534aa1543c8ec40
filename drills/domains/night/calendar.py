"""The night: when its batch may run, pages roll and the day must be open, and what marking moves on each account.

All of it from the world, the instant at which the load started, and the lots the harness says it added; nothing from
the system under drill.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from drills.domains.night.rows import Calendar, Close, Lot
from drills.judge.facts import fact
from drills.judge.interval import Interval
from drills.judge.timeline import events, injection
from drills.record.history import History, Kind

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Night:
    """Business dates ``before`` and ``day`` (ISO), instants in ns, None where they cannot be told.

    ``jobs`` are those that must run, each after all before it; the last is the gate. ``index`` is the calendar's row.
    """

    index: int
    before: str
    day: str
    begins: int | None  # the batch does not run before
    rolls: int | None  # pages show ``day`` from then on
    opens: int | None  # the jobs must be done by then
    jobs: tuple[str, ...]


@fact
def night(history: History) -> Night | None:
    """The night of a history; None if the world knows of no business day to come."""
    for index, row in enumerate(history.books.get("world", ())):
        if isinstance(row, Calendar) and row.next:
            start = _load_started(history)
            begins, rolls, opens = (_instant(row, start, at) for at in (row.batch_at, row.rolls_at, row.opening_at))
            return Night(index, row.id, row.next, begins, rolls, opens, row.must_run)
    return None


def _load_started(history: History) -> int | None:
    started = next(events(history, "load", "started"), None)
    return None if started is None or type(started.data.get("t0")) is not int else int(started.data["t0"])


def _instant(calendar: Calendar, start: int | None, at: str) -> int | None:
    if start is None or not at or not calendar.begins or calendar.compression <= 0:
        return None
    begins = datetime.fromisoformat(calendar.begins)
    moment = datetime.combine(begins.date(), time.fromisoformat(at), begins.tzinfo)
    return start + (moment - begins) // MICROSECOND * 1000 // calendar.compression


def variations(history: History, of: Night) -> dict[str, tuple[int, ...]]:
    """What marking moves on an account, in yen: its lots times the difference of the two closing prices.

    Several values where lots came while the batch may have run already; none where a price is missing. An account
    that is not named has no lots and moves nothing.
    """
    prices = _differences(history, of)
    own: dict[str, int | None] = defaultdict(int)
    later: dict[str, int | None] = defaultdict(int)
    for row in history.books["world"]:
        if isinstance(row, Lot):
            own[row.account] = _plus(own[row.account], row.quantity, prices.get(row.code))
    for lots in added(history):
        for account, code, quantity in lots.lots:
            sure = of.begins is None or lots.came.latest <= of.begins
            total = own if sure else later
            total[account] = _plus(total[account], quantity, prices.get(code))
    return {account: _values(own[account], later[account]) for account in [*own, *later]}


def _differences(history: History, of: Night) -> dict[str, int]:
    closes = {(row.code, row.day): row.close for row in history.books["world"] if isinstance(row, Close)}
    codes = {code for code, _ in closes if (code, of.before) in closes and (code, of.day) in closes}
    return {code: closes[code, of.day] - closes[code, of.before] for code in codes}


def _plus(total: int | None, quantity: int, difference: int | None) -> int | None:
    return None if total is None or difference is None else total + quantity * difference


def _values(own: int | None, later: int | None) -> tuple[int, ...]:
    return () if own is None or later is None else tuple(sorted({own, own + later}))


@dataclass(frozen=True, slots=True)
class Added:
    """Lots a fault brought, as (account, code, shares); ``came`` is the bracket, ``gone`` when undoing began, ns."""

    lots: tuple[tuple[str, str, int], ...]
    came: Interval
    gone: int | None


def added(history: History) -> list[Added]:
    """The lots that the planned faults brought, by the harness's own evidence."""
    found = []
    for fault in history.plan.faults:
        bracket = injection(history, fault.index).bracket
        done = next(events(history, f"fault:{fault.index}", "inject", Kind.OK), None)
        if bracket is None or done is None:
            continue
        lots = tuple((lot["account"], lot["code"], lot["quantity"]) for lot in done.data.get("lots", ()))
        undo = next(events(history, f"fault:{fault.index}", "rollback", Kind.INVOKE), None)
        found.append(Added(lots, bracket, None if undo is None else undo.t))
    return found
