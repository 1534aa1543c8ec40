"""What is measured of the ledger."""

from __future__ import annotations

from drills.domains.cash.facts import unbalanced
from drills.judge.interval import Interval, point
from drills.judge.metric import Harm, Metric, Observed, Part
from drills.judge.text import Text
from drills.record.unsupported import BOOKS


def _unbalanced(observed: Observed, _: Part) -> Interval:
    return point(unbalanced(observed.history))


METRICS = (
    Metric(
        "unbalanced_yen",
        "yen",
        Text("unbalanced", "貸借不一致"),
        _unbalanced,
        needs=frozenset({BOOKS}),
        books=("world", "oms"),
        harm=Harm(limited_by=frozenset({"cash-conserved"})),
    ),
)
