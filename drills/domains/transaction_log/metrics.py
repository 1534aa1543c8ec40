"""Orders accepted without a line in the log, and how the volume was used up."""

from __future__ import annotations

from drills.domains.transaction_log import facts
from drills.judge import timeline
from drills.judge.harm import HarmKind, Instance
from drills.judge.interval import Interval, point
from drills.judge.metric import Harm, Metric, Observed, Part, tally
from drills.judge.text import Text
from drills.record.history import History
from drills.record.unsupported import BOOKS

SHIPPED = "archive/"
"""Where housekeeping ships files to, off the volume."""


def _unlogged(history: History) -> list[Instance]:
    """Each once, be it told to the customer, stored, or both."""
    once = {(each.account, each.key): each for each in reversed(facts.unlogged(history))}
    return [Instance(each.t_ns, each.yen, each.row) for each in once.values()]


def _bytes_a_request(observed: Observed, _: Part) -> Interval | None:
    found = facts.traces(observed.history)
    requests = sum(each.requests for each in found)
    return point(round(sum(each.bytes for each in found) / requests)) if requests else None


def _level_raised(observed: Observed, _: Part) -> Interval | None:
    """Up to the last request that it wrote; on a volume without room for another, to the end of the observation."""
    history = observed.history
    found, seen = facts.traces(history), facts.volume(history)
    if not found:
        return None
    longest = max(each.bytes // each.requests for each in found)
    full = seen is not None and seen.free < longest
    ended = timeline.observed_until(history) if full else max(each.last_ns for each in found)
    return point(ended - min(each.first_ns for each in found))


def _left(observed: Observed, _: Part) -> Interval | None:
    """What the log, that of the days before and the copies of them leave of the volume, bytes."""
    seen = facts.volume(observed.history)
    if seen is None:
        return None
    taken = (row.bytes for row in facts.files(observed.history) if not row.id.startswith(SHIPPED))
    return point(max(0, seen.size - sum(taken)))


UNLOGGED = HarmKind("unlogged_requests", ("customers", "oms", facts.BOOK), _unlogged)
HARMS = (UNLOGGED,)

_OF_BOOKS = frozenset({BOOKS})

METRICS = (
    Metric(
        "unlogged_requests",
        "count",
        Text("accepted requests without a line in the log", "取引ログに記録のない受付済み要求"),
        tally(UNLOGGED),
        needs=_OF_BOOKS,
        books=UNLOGGED.books,
        harm=Harm(limited_by=frozenset({"accepted-logged"})),
    ),
    Metric(
        "log_bytes_a_request",
        "count",
        Text("bytes logged of a request at the raised level", "ログレベル引き上げ中の1要求あたりの記録量(バイト)"),
        _bytes_a_request,
        needs=_OF_BOOKS,
        books=(facts.BOOK,),
        detail=True,
    ),
    Metric(
        "log_level_raised",
        "s",
        Text("log level raised for", "ログレベルの引き上げ時間"),
        _level_raised,
        needs=_OF_BOOKS,
        books=(facts.BOOK,),
        detail=True,
    ),
    Metric(
        "log_bytes_left",
        "count",
        Text("bytes that logs and copies leave on the volume", "ログと複製を除くログ領域の残量(バイト)"),
        _left,
        needs=_OF_BOOKS,
        books=(facts.BOOK,),
        detail=True,
    ),
)
