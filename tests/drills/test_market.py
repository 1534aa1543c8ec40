"""What is known of prices that move: by when, by how far, and what nobody may be refused for."""

from __future__ import annotations

import msgspec
import pytest

from drills.domains.market import facts
from drills.domains.market.facts import Path
from drills.domains.market.rows import MarketPrice
from drills.domains.orders.means import beyond_means
from drills.domains.orders.rows import ExchangeCancel, ExchangeExecution, ExchangeOrder
from drills.domains.registry import DOMAINS
from drills.judge.check import run_check
from drills.record.history import NS, Status

from .crowded import NEWS, correct_crowded, price_at, refuse
from .synthetic import END, Draft, at

CHECK = DOMAINS.checks["refusals-right"]


def empty() -> Draft:
    """The frame of a history without any order."""
    draft = correct_crowded(1, "no-fault")
    draft.customers, draft.exchange, draft.oms, draft.notices, draft.world = [], [], [], [], draft.world[:]
    return draft


def test_a_price_holds_from_its_row_on() -> None:
    path = Path([10, 20, 30], [100, 110, 120])
    assert [path.at(t) for t in (9, 10, 19, 20, 99)] == [None, 100, 100, 110, 120]
    assert path.within(12, 20) == [100, 110]
    assert path.within(20, 29) == [110]
    assert path.within(0, 5) == []


@pytest.mark.parametrize(
    ("price", "status"),
    [
        (price_at(20), Status.FAIL),
        (int(price_at(20) * 1.028), Status.FAIL),
        (int(price_at(20) * 1.033), Status.PASS),
        (int(price_at(20) * 0.968), Status.PASS),
    ],
)
def test_a_refusal_is_right_where_the_limit_was_far_from_the_price(price: int, status: Status) -> None:
    draft = empty()
    refuse(draft, "1", 20, price)
    assert run_check(CHECK, draft.history()).status == status


def test_a_refusal_is_not_wrong_by_a_price_that_has_only_just_changed() -> None:
    draft = empty()
    draft.market = [MarketPrice(t_ns=at(0), id=NEWS, price=1_000), MarketPrice(t_ns=at(20.2), id=NEWS, price=1_100)]
    refuse(draft, "1", 20, 1_100)  # answered at 20.31
    assert run_check(CHECK, draft.history()).status == Status.PASS


def test_what_does_not_move_is_refused_by_nobody_s_price() -> None:
    draft = empty()
    draft.market = []
    refuse(draft, "1", 20, 1)
    found = run_check(CHECK, draft.history())
    assert [(count.bad, count.of) for count in found.counts] == [(0, 0)]


def test_late_orders_are_weighed_by_how_far_the_price_moved() -> None:
    draft = empty()
    refuse(draft, "1", 10, price_at(10))
    common = {"account": "C-0001", "code": NEWS, "side": "buy", "quantity": 100, "price": price_at(10)}
    draft.exchange += [
        ExchangeOrder(t_ns=at(10.3) + 5 * NS, id="x-1", key="7-1", **common),  # just not late
        ExchangeOrder(t_ns=at(17.3), id="x-2", key="7-1", **common),
    ]
    (late,) = facts.late(draft.history())
    assert (late.row.id, late.moved) == ("x-2", price_at(17) - price_at(10))


def test_means_are_what_was_there_and_what_was_sold_less_what_was_bought() -> None:
    draft = empty()
    cash = next(row.cash for row in draft.world if getattr(row, "id", "") == "C-0001" and hasattr(row, "cash"))
    common = {"account": "C-0001", "code": "1301", "price": 1}
    buy = ExchangeOrder(t_ns=at(1), id="x-1", key="1", side="buy", quantity=cash, **common)
    more = ExchangeOrder(t_ns=at(3), id="x-2", key="2", side="buy", quantity=100, **common)

    def beyond(*between: object) -> dict[str, int]:
        draft.exchange = [buy, *between, more]
        return beyond_means(draft.history())

    fill = {"account": "C-0001", "code": "1301", "price": 1, "key": "1", "id": "E-1"}
    cancel = ExchangeCancel(t_ns=at(2), id="x-1", account="C-0001", key="1")
    assert beyond() == {"C-0001": 1}
    assert beyond(cancel) == {}
    assert beyond(ExchangeExecution(t_ns=at(2), order="x-9", side="sell", quantity=100, **fill)) == {}
    assert beyond(ExchangeExecution(t_ns=at(2), order="x-9", side="sell", quantity=99, **fill)) == {"C-0001": 2}
    whole = ExchangeExecution(t_ns=at(1.5), order="x-1", side="buy", quantity=cash, **fill)
    assert beyond(whole, cancel) == {"C-0001": 3}  # what was traded cannot be cancelled
    late = msgspec.structs.replace(more, t_ns=at(END + 1))
    draft.exchange = [buy, late]
    assert beyond_means(draft.history()) == {}
