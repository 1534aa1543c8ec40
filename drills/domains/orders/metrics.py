"""What is measured of orders, and the harm and the residuals that they may leave."""

from __future__ import annotations

from itertools import pairwise

from drills.domains.orders import facts as orders
from drills.domains.orders import trades
from drills.domains.orders.rows import OmsOrder
from drills.judge import timeline
from drills.judge.check import count
from drills.judge.domain import Residual
from drills.judge.harm import HarmKind, Instance
from drills.judge.interval import Interval, point
from drills.judge.metric import Harm, Metric, Observed, Part, tally
from drills.judge.text import Text
from drills.record.history import Count, History
from drills.record.unsupported import BOOKS


def _twice(history: History) -> list[Instance]:
    """Orders and postings made twice."""
    found = [
        Instance(order.row.t_ns, order.row.quantity * order.row.price, f"exchange:{order.index}")
        for order in orders.duplicates(history)
    ]
    found += [Instance(leg.t_ns, abs(leg.yen), f"oms:{index}") for index, leg in trades.repeated_postings(history)]
    return found


def _acknowledged(observed: Observed, _: Part) -> Interval:
    return point(len(orders.acknowledged(observed.history)))


def _lost(observed: Observed, _: Part) -> Interval:
    return point(len(orders.lost(observed.history)))


def _phantoms(observed: Observed, _: Part) -> Interval:
    return point(len(orders.phantoms(observed.history)))


def _backlog(observed: Observed, _: Part) -> Interval:
    """How many messages the exchange had in the longest time in which no execution was posted: a silent line's gap."""
    history, end = observed.history, timeline.observed_until(observed.history)
    posted = sorted(row.t_ns for _, row in trades.posted_executions(history))
    gaps = pairwise([timeline.observed_from(history), *posted, end])
    begins, ends = max(gaps, key=lambda gap: gap[1] - gap[0])
    return point(sum(begins < row.t_ns <= ends for row in history.books["exchange"]))


def _stuck(history: History) -> Count:
    held = sum(isinstance(row, OmsOrder) for row in history.books["oms"])
    return count("left.orders", orders.stuck_orders(history), held)


def _unposted(history: History) -> Count:
    due = trades.due(history)
    return count("left.executions", [f"exchange:{trade.index}" for trade in due if not trade.posted], len(due))


TWICE = HarmKind("duplicated", ("world", "customers", "exchange", "oms"), _twice, action=True)
HARMS = (TWICE,)
RESIDUALS = (Residual(("customers", "oms"), _stuck), Residual(("exchange", "oms", "notices"), _unposted))

_OF_BOOKS = frozenset({BOOKS})
_ACCOUNTED = Harm(limited_by=frozenset({"orders-accounted"}))

METRICS = (
    Metric(
        "acknowledged_orders",
        "count",
        Text("orders acknowledged", "受付済み注文"),
        _acknowledged,
        needs=_OF_BOOKS,
        books=("customers", "exchange"),
    ),
    Metric(
        "acknowledged_orders_lost",
        "count",
        Text("acknowledged orders lost", "受付済み注文の消失"),
        _lost,
        needs=_OF_BOOKS,
        books=("customers", "exchange"),
        harm=_ACCOUNTED,
        part_of="acknowledged_orders",
    ),
    Metric(
        "exchange_backlog",
        "count",
        Text("messages in the longest time without a posting", "記帳が最も長く途絶えた間の取引所の電文"),
        _backlog,
        needs=_OF_BOOKS,
        books=("exchange", "oms"),
        detail=True,
    ),
    Metric(
        "duplicated",
        "count",
        Text("orders and postings made twice", "二重発注・二重計上"),
        tally(TWICE),
        needs=_OF_BOOKS,
        books=TWICE.books,
        harm=Harm(limited_by=frozenset({"no-duplicates"})),
        always=True,
    ),
    Metric(
        "phantom_orders",
        "count",
        Text("orders nobody asked for", "顧客の指図のない注文"),
        _phantoms,
        needs=_OF_BOOKS,
        books=("customers", "exchange"),
        harm=_ACCOUNTED,
        always=True,
    ),
)
