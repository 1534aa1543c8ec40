"""Late notices, and those that were not sent at the end."""

from __future__ import annotations

from collections.abc import Iterator

from drills.domains.orders import trades
from drills.judge.check import count
from drills.judge.domain import Residual
from drills.judge.harm import HarmKind, Instance
from drills.judge.metric import Harm, Metric, tally
from drills.judge.text import Text
from drills.judge.timeline import observed_until
from drills.record.history import Count, History
from drills.record.unsupported import BOOKS


def _late(history: History) -> list[Instance]:
    limit = history.plan.slo.notice
    return [Instance(trade.row.t_ns + limit, 0, f"exchange:{trade.index}") for trade in trades.late_notices(history)]


def _unsent(history: History) -> Count:
    return count("left.notices", list(_without(history)), len(trades.due(history)))


def _without(history: History) -> Iterator[str]:
    """Executions that were posted in time for a notice, and have none."""
    until = observed_until(history) - history.plan.slo.grace
    for trade in trades.due(history):
        if trade.posted and not trade.noticed and trade.posted[0][1].t_ns <= until:
            yield f"exchange:{trade.index}"


LATE = HarmKind("late_notices", ("exchange", "notices"), _late)
HARMS = (LATE,)
RESIDUALS = (Residual(("exchange", "oms", "notices"), _unsent),)

METRICS = (
    Metric(
        "late_notices",
        "count",
        Text("notices late", "遅延した通知"),
        tally(LATE),
        needs=frozenset({BOOKS}),
        books=LATE.books,
        harm=Harm(),
        always=True,
    ),
)
