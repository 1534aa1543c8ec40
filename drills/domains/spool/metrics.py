"""How many notices waited at once, and how good the forecast of the limit was."""

from __future__ import annotations

from drills.domains.spool import facts
from drills.judge.interval import Interval, point
from drills.judge.metric import Metric, Observed, Part
from drills.judge.text import Text
from drills.judge.timeline import events
from drills.record.history import History, Kind
from drills.record.unsupported import BOOKS

MS = 1_000_000


def _most(observed: Observed, _: Part) -> Interval | None:
    looks = facts.looks(observed.history)
    return point(max(row.waiting + row.pending for _, row in looks)) if looks else None


def _error(observed: Observed, _: Part) -> Interval | None:
    """By how much the first forecast after the fault was off, either way; None where nothing became full."""
    history, found = observed.history, facts.full(observed.history)
    struck = _struck(history)
    if found is None or struck is None:
        return None
    said = (row for _, row in facts.looks(history) if row.left_ms >= 0 and struck < row.t_ns < found[1].t_ns)
    return next((point(abs(row.t_ns + row.left_ms * MS - found[1].t_ns)) for row in said), None)


def _struck(history: History) -> int | None:
    times = (
        event.t for each in history.plan.faults for event in events(history, f"fault:{each.index}", "inject", Kind.OK)
    )
    return min(times, default=None)


_OF_BOOKS = frozenset({BOOKS})

METRICS = (
    Metric(
        "notices_waiting",
        "count",
        Text("most notices that waited at once", "同時に滞留した通知の最大件数"),
        _most,
        needs=_OF_BOOKS,
        books=(facts.BOOK,),
        detail=True,
    ),
    Metric(
        "spool_forecast_error",
        "s",
        Text("the forecast of the spool's limit was off by", "通知スプール上限到達予測の誤差"),
        _error,
        needs=_OF_BOOKS,
        books=(facts.BOOK,),
    ),
)
