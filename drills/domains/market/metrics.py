"""What it comes to that orders are late while the price moves."""

from __future__ import annotations

from drills.domains.market import facts
from drills.domains.market.facts import BOOK
from drills.judge.interval import Interval, point
from drills.judge.metric import Metric, Observed, Part
from drills.judge.text import Text
from drills.record.unsupported import BOOKS


def _moved(observed: Observed, _: Part) -> Interval | None:
    """Of each late order its shares times what the price had moved; None where no price moves."""
    history = observed.history
    if not facts.paths(history):
        return None
    return point(sum(each.moved * each.row.quantity for each in facts.late(history)))


METRICS = (
    Metric(
        "late_price_move_yen",
        "yen",
        Text("late orders × how far the price had moved", "遅着注文 × その間の価格変動"),
        _moved,
        needs=frozenset({BOOKS}),
        books=("customers", "exchange", BOOK),
    ),
)
