"""The night batch: every job once and in order, every account moved once, and the day opened in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from drills.domains.cash.rows import Account, Posting
from drills.domains.night import batch
from drills.domains.night import calendar as nights
from drills.domains.night.batch import Attempt
from drills.domains.night.calendar import Night
from drills.domains.orders.rows import ExchangeExecution
from drills.judge import outage
from drills.judge.check import Check, because, combine, count
from drills.judge.interval import seconds
from drills.judge.timeline import observed_until
from drills.record.history import CheckResult, History, Status

OF_TRADES = "settlement"
"""The job that works on executions; all others work on accounts."""

NO_LIST = because(Status.UNKNOWN, "night.no-list")


def batch_complete_in_order(history: History) -> CheckResult:
    """Each job that must run was done exactly once, after all before it, and what came in went out or was rejected.

    A job that was done on nothing, or turned all of it away, was not done; one on accounts takes all that the world
    has. A job may be open only while the opening has not come, and then
    nobody can tell.
    """
    night = nights.night(history)
    if night is None or not night.jobs:
        return NO_LIST
    done, open_ = batch.successes(history), batch.undone(history, night)
    due = night.opens is not None and observed_until(history) >= night.opens
    all_ = [one for job in night.jobs for one in done.get(job, [])]
    verdict = combine(
        count("night.jobs-undone", _standing(history, night, open_) if due else [], len(night.jobs)),
        count("night.jobs-again", _rows(one for job in night.jobs for one in done.get(job, [])[1:]), len(all_)),
        count("night.jobs-early", _rows(_early(night, done)), len(all_)),
        count("night.jobs-counts", _rows(one for one in all_ if not _adds_up(history, one)), len(all_)),
        count("night.jobs-idle", _rows(one for one in all_ if _idle(history, one)), len(all_)),
    )
    if verdict.status == Status.PASS and open_:
        return _ended_before(history, night, open_)
    return verdict


def _rows(found: Iterator[Attempt]) -> list[str]:
    return [f"oms:{one.index}" for one in found]


def _standing(history: History, night: Night, jobs: list[str]) -> list[str]:
    """Where each of the jobs stands: its last attempt, or the list that asks for it."""
    known = batch.attempts(history)
    return [f"oms:{known[job][-1].index}" if job in known else f"world:{night.index}" for job in jobs]


def _ended_before(history: History, night: Night, open_: list[str]) -> CheckResult:
    rows = _standing(history, night, open_)
    if night.opens is None:
        return because(Status.UNKNOWN, "night.ended-no-opening", rows, jobs=open_)
    left = seconds(night.opens - observed_until(history))
    return because(Status.UNKNOWN, "night.ended-before", rows, seconds=left, jobs=open_)


def _early(night: Night, done: dict[str, list[Attempt]]) -> Iterator[Attempt]:
    """Attempts that were begun while a job before theirs had not been done."""
    for place, job in enumerate(night.jobs):
        before = [done.get(each) for each in night.jobs[:place]]
        for one in done.get(job, []):
            if any(not first or first[0].row.ended_ns > one.row.started_ns for first in before):
                yield one


def _adds_up(history: History, one: Attempt) -> bool:
    taken, given, rejected = one.row.taken, one.row.given, one.row.rejected
    whole = taken == 0 or one.row.job == OF_TRADES or taken >= _accounts(history)  # of nothing another part speaks
    return whole and taken == given + rejected and min(given, rejected) >= 0


def _accounts(history: History) -> int:
    return sum(isinstance(row, Account) for row in history.books["world"])


def _idle(history: History, one: Attempt) -> bool:
    if one.row.given > 0:
        return False
    if one.row.taken > 0:
        return True  # all of it was turned away
    if one.row.job == OF_TRADES:
        due = one.row.started_ns - history.plan.slo.grace
        return any(isinstance(row, ExchangeExecution) and row.t_ns <= due for row in history.books["exchange"])
    return _accounts(history) > 0


def one_variation(history: History) -> CheckResult:
    """Each account has at most one variation, of the night's date, and those with something to move have one.

    The latter only once the batch says it is done. Corrections are entries of another kind and are not counted here.
    """
    night = nights.night(history)
    if night is None:
        return because(Status.UNKNOWN, "night.no-night")
    customers = {row.account or row.id: n for n, row in enumerate(history.books["world"]) if isinstance(row, Account)}
    posted = [
        (index, row)
        for index, row in enumerate(history.books["oms"])
        if isinstance(row, Posting) and row.why == "variation" and row.account in customers
    ]
    times = Counter(row.account for _, row in posted)
    moved = [name for name, yen in nights.variations(history, night).items() if name in customers and any(yen or (1,))]
    due = moved if batch.claims_done(history, night) else []
    return combine(
        count("night.variations-again", _again(posted), len(posted)),
        count("night.variations-other-day", [f"oms:{n}" for n, row in posted if row.day != night.day], len(posted)),
        count("night.no-variation", [f"world:{customers[name]}" for name in due if not times[name]], len(due)),
    )


def _again(posted: list[tuple[int, Posting]]) -> list[str]:
    seen: Counter[tuple[str, str]] = Counter()
    again = []
    for index, row in posted:
        seen[row.account, row.day] += 1
        if seen[row.account, row.day] > 1:
            again.append(f"oms:{index}")
    return again


def opening_gate(history: History) -> CheckResult:
    """The gate was passed by the opening, and not before all else that must run was done; then services are open.

    A run that ended before the opening passes if the gate had been passed, else nobody can tell.
    """
    night = nights.night(history)
    if night is None or not night.jobs:
        return NO_LIST
    if night.opens is None:
        return because(Status.UNKNOWN, "night.no-opening")
    gate = night.jobs[-1]
    done, end = batch.successes(history), observed_until(history)
    passed = next(iter(done.get(gate, [])), None)
    if passed is None and end < night.opens:
        open_ = batch.undone(history, night)
        return _ended_before(history, night, open_)
    early = [one for one in _early(night, done) if one is passed]
    late = _standing(history, night, [gate]) if passed is None or passed.row.ended_ns > night.opens else []
    shut = list(_shut(history, night.opens))
    verdict = combine(
        count("night.gate-early", _rows(iter(early)), 1),
        count("night.gate-late", late, 1),
        count("night.services-closed", shut, len(outage.services(history))),
    )
    if verdict.status == Status.PASS and passed is not None:
        early_by = seconds(night.opens - passed.row.ended_ns)
        return because(Status.PASS, "night.gate-passed", _rows(iter([passed])), seconds=early_by)
    return verdict


def _shut(history: History, at: int) -> Iterator[str]:
    """The first request to each service at or after the instant, where the operator had it closed then.

    None where the observation ended before: the services hold no later requests.
    """
    for service in outage.services(history):
        first = int(np.searchsorted(service.intended, at))
        if first < len(service.intended) and bool(service.closed[first]):
            yield f"samples:{int(np.searchsorted(history.samples.intended, service.intended[first]))}"


CHECKS = (
    Check("batch-complete-in-order", "I-07", ("world", "exchange", "oms"), False, batch_complete_in_order),
    Check("one-variation-per-account-and-day", "I-05", ("world", "oms"), False, one_variation),
    Check("opening-gate", "I-21", ("world", "oms"), False, opening_gate),
)
