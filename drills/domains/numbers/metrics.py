"""Orders under a number that is not theirs alone, orders the exchange refused, and how good the forecast was."""

from __future__ import annotations

from drills.domains.numbers import facts
from drills.domains.orders import facts as orders
from drills.judge import timeline
from drills.judge.harm import HarmKind, Instance
from drills.judge.interval import Interval, point
from drills.judge.metric import MILLION, Harm, Metric, Observed, Part, tally
from drills.judge.text import Text
from drills.record.history import History
from drills.record.unsupported import BOOKS

MS = 1_000_000


def _shared(history: History) -> list[Instance]:
    return [
        Instance(each.row.t_ns, each.row.quantity * each.row.price, f"exchange:{each.index}")
        for each in facts.shared(history)
    ]


def _not_taken(history: History) -> list[Instance]:
    return [Instance(row.t_ns, 0, f"customers:{index}") for index, row in facts.not_taken(history)]


def _acknowledged(observed: Observed, _: Part) -> Interval | None:
    asked = len(orders.intents(observed.history))
    return point(len(orders.acknowledged(observed.history)) * MILLION // asked) if asked else None


def _error(observed: Observed, _: Part) -> Interval | None:
    """By how much the first forecast was off, either way; None where the limit was not reached, or never forecast."""
    history, reached, limit = observed.history, facts.reached(observed.history), facts.near(observed.history)
    if reached is None or limit is None:
        return None
    said = (row for _, row in facts.looks(history) if row.left_ms >= 0 and limit.last < row.value < limit.most)
    return next((point(abs(row.t_ns + row.left_ms * MS - reached.row.t_ns)) for row in said), None)


def _left(observed: Observed, _: Part) -> Interval | None:
    limit = facts.near(observed.history)
    return None if limit is None else point(limit.most - limit.last)


def _session(observed: Observed, _: Part) -> Interval | None:
    limit = facts.near(observed.history)
    return None if limit is None else point(max(0, timeline.observed_until(observed.history) - limit.t_ns))


SHARED = HarmKind("shared_numbers", ("customers", "exchange"), _shared, action=True)
NOT_TAKEN = HarmKind("orders_not_taken", ("customers",), _not_taken, in_journal=True)
HARMS = (SHARED, NOT_TAKEN)

_OF_BOOKS = frozenset({BOOKS})

METRICS = (
    Metric(
        "shared_numbers",
        "count",
        Text("orders under a number of another live order", "他の有効注文と番号が重複した注文"),
        tally(SHARED),
        needs=_OF_BOOKS,
        books=SHARED.books,
        harm=Harm(limited_by=frozenset({"live-number-unique"})),
    ),
    Metric(
        "orders_not_taken",
        "count",
        Text("orders the exchange refused", "取引所に拒否された注文"),
        tally(NOT_TAKEN),
        needs=_OF_BOOKS,
        books=NOT_TAKEN.books,
        harm=Harm(limited_by=frozenset({"orders-taken"})),
    ),
    Metric(
        "acknowledged_ratio",
        "ratio",
        Text("orders acknowledged of those asked for", "注文の受付成立率"),
        _acknowledged,
        more_is_better=True,
        needs=_OF_BOOKS,
        books=("customers", "exchange", facts.BOOK),
        detail=True,
    ),
    Metric(
        "forecast_error",
        "s",
        Text("the forecast of the limit was off by", "上限到達予測の誤差"),
        _error,
        needs=_OF_BOOKS,
        books=("customers", "exchange", facts.BOOK),
    ),
    Metric(
        "numbers_left",
        "count",
        Text("order numbers left at the fault", "障害発生時の注文番号の残数"),
        _left,
        detail=True,
    ),
    Metric(
        "session_after_s",
        "s",
        Text("session after the fault", "障害発生後の取引時間"),
        _session,
        detail=True,
    ),
)
