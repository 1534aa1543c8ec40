"""Defects planted in correct histories, one each: what it is, who must speak of it, and the rows that give it away.

A plant keeps everything else consistent (a movement that is gone is gone from the balance, too), so that nobody but
those named in ``speaks`` has anything to say.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from drills.domains.cash.rows import Balance, Posting
from drills.domains.customers.rows import Reply, Request
from drills.domains.figures.rows import Acted
from drills.domains.orders.rows import ExchangeCancel, ExchangeExecution, ExchangeOrder, Notice, OmsExecution, OmsOrder
from drills.record.books import Row
from drills.record.history import NS, RequestOutcome

from . import synthetic as made
from .synthetic import ACCOUNTS, END, SWITCHED, Draft, at, change

Rows = list[Any]
Plant = Callable[[Draft, random.Random], Rows]


@dataclass(frozen=True)
class Defect:
    """``shown_by`` must name exactly the rows that ``plant`` returns; ``loss`` is what the card must count."""

    plant: Plant
    speaks: frozenset[str]
    shown_by: str = ""
    loss: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        return self.plant.__name__


DEFECTS: list[Defect] = []


def defect(*speaks: str, loss: tuple[str, int] | None = None) -> Callable[[Plant], Plant]:
    """The first of those who speak must show the rows."""

    def note(plant: Plant) -> Plant:
        DEFECTS.append(Defect(plant, frozenset(speaks), speaks[0] if speaks else "", loss))
        return plant

    return note


# -- victims ----------------------------------------------------------------------------------------------------------


def pick(rng: random.Random, rows: Rows, kind: type, where: Callable[[Any], bool] = lambda _: True) -> Any:
    return rng.choice([row for row in rows if isinstance(row, kind) and where(row)])


def by_the_end(row: Row) -> bool:
    """What was done while the books were read is nobody's concern."""
    return row.t_ns <= at(END)


def place(rows: Rows, wanted: Any) -> int:
    return next(n for n, row in enumerate(rows) if row is wanted)


def alter(rows: Rows, wanted: Any, **fields: Any) -> Any:
    n = place(rows, wanted)
    change(rows, n, **fields)
    return rows[n]


def idle(draft: Draft, rng: random.Random) -> ExchangeOrder:
    """An order acknowledged to its customer that has neither fills nor a cancel."""
    busy = {row.key for row in draft.exchange if not isinstance(row, ExchangeOrder)}
    told = {row.key for row in draft.customers if isinstance(row, Reply) and row.state == "new"}
    fit = told - busy
    found = pick(rng, draft.exchange, ExchangeOrder, lambda row: row.key in fit and row.t_ns < at(END - 5))
    assert isinstance(found, ExchangeOrder)
    return found


def of(rows: Rows, kind: type, key: str, **fields: Any) -> Any:
    return next(
        row
        for row in rows
        if isinstance(row, kind) and row.key == key and all(getattr(row, k) == v for k, v in fields.items())
    )


def old_trade(draft: Draft, rng: random.Random) -> ExchangeExecution:
    """An execution old enough that its posting and its notice are due, and whose amount nothing under way can hide."""
    executions = [row for row in draft.exchange if isinstance(row, ExchangeExecution)]
    old = [row for row in executions if row.t_ns < at(END - 11)]
    found = rng.choice(old)
    while value(found) in under_way(executions, found.account, at(END), at(END + 2)):
        found = rng.choice(old)
    return found


def under_way(executions: Sequence[ExchangeExecution], account: str, sent: int, received: int) -> set[int]:
    """By how many yen two right figures of that time (ns) can differ: some executions may be posted by then, or not."""
    sums = {0}
    for row in executions:
        if row.account == account and sent - made.SLO.grace <= row.t_ns <= received:
            sums |= {each + value(row) for each in sums}
    return {one - other for one in sums for other in sums}


def phantom(account: str, key: str, t: float) -> ExchangeOrder:
    return ExchangeOrder(t_ns=at(t), id="x-99", account=account, key=key, **made.TERMS)


def pay(draft: Draft, account: str, yen: int) -> Any:
    """Move an account's balance; its row."""
    row = next(row for row in draft.oms if isinstance(row, Balance) and row.account == account)
    return alter(draft.oms, row, cash=row.cash + yen)


def value(trade: ExchangeExecution) -> int:
    return trade.quantity * trade.price * (-1 if trade.side == "buy" else 1)


def unpost(draft: Draft, trade: ExchangeExecution) -> Any:
    """The execution was never posted: no row, no legs, not in the order's fill, not in the balance; that balance."""
    draft.oms = [row for row in draft.oms if row.id != trade.id and getattr(row, "reference", "") != trade.id]
    order = of(draft.oms, OmsOrder, trade.key)
    alter(draft.oms, order, filled=order.filled - trade.quantity)
    return pay(draft, trade.account, -value(trade))


def some_time(rng: random.Random) -> float:
    """After all repairs, and before the last hold."""
    return rng.uniform(SWITCHED + 3, END - 6)


# -- orders -----------------------------------------------------------------------------------------------------------


@defect("orders-accounted")
def lost_order(draft: Draft, rng: random.Random) -> Rows:
    """Acknowledged, and never at the exchange."""
    order = idle(draft, rng)
    draft.exchange.remove(order)
    return [of(draft.customers, Reply, order.key, state="new"), of(draft.oms, OmsOrder, order.key)]


@defect("orders-accounted")
def forgotten_order(draft: Draft, rng: random.Random) -> Rows:
    """Acknowledged and at the exchange, and not at the brokerage."""
    order = idle(draft, rng)
    draft.oms.remove(of(draft.oms, OmsOrder, order.key))
    return [of(draft.customers, Reply, order.key, state="new"), order]


@defect("orders-accounted")
def phantom_order(draft: Draft, rng: random.Random) -> Rows:
    draft.exchange.append(phantom(rng.choice(ACCOUNTS), "k-99", rng.uniform(1, END - 2)))
    return draft.exchange[-1:]


@defect("orders-accounted")
def rejected_order_at_the_exchange(draft: Draft, rng: random.Random) -> Rows:
    told = pick(rng, draft.customers, Reply, lambda row: row.error == "TICK" and row.t_ns < at(END - 2))
    draft.exchange.append(msgspec.structs.replace(phantom(told.account, told.key, 0), t_ns=told.t_ns))
    return draft.exchange[-1:]


@defect("orders-accounted")
def order_told_never_received_at_the_exchange(draft: Draft, rng: random.Random) -> Rows:
    told = pick(rng, draft.customers, Reply, lambda row: row.error == "NO_SUCH_ORDER" and row.t_ns < at(END - 2))
    draft.exchange.append(msgspec.structs.replace(phantom(told.account, told.key, 0), t_ns=told.t_ns))
    return draft.exchange[-1:]


@defect("orders-accounted")
def order_the_brokerage_calls_rejected(draft: Draft, rng: random.Random) -> Rows:
    """The customer knows nothing, the brokerage says rejected, the exchange has it."""
    order = idle(draft, rng)
    told = of(draft.customers, Reply, order.key, state="new")
    alter(draft.customers, told, state="", order="", outcome="timeout", status=0)
    draft.customers = [
        row for row in draft.customers if not (isinstance(row, Request) and row.key == order.key and row.final)
    ]
    return [alter(draft.oms, of(draft.oms, OmsOrder, order.key), state="rejected")]


@defect("orders-accounted", "nothing-left-behind")
def order_in_doubt_at_the_brokerage(draft: Draft, rng: random.Random) -> Rows:
    order = of(draft.oms, OmsOrder, idle(draft, rng).key)
    return [alter(draft.oms, order, state=rng.choice(["unknown", "pending-new", "pending-cancel"]))]


@defect("orders-accounted")
def customer_in_doubt(draft: Draft, rng: random.Random) -> Rows:
    """Asked once more at the end, and still not told."""
    order = idle(draft, rng)
    told = of(draft.customers, Reply, order.key, state="new")
    alter(draft.customers, told, state="unknown", outcome="unknown", status=504)
    made._look(draft, told.account, order.key, END + 1, "unknown", final=True)
    return [of(draft.customers, Request, order.key, action="order")]


OTHER: dict[str, Callable[[Any], Any]] = {
    "code": lambda _: "9984",
    "side": lambda side: "sell" if side == "buy" else "buy",
    "quantity": lambda quantity: quantity + 100,
    "price": lambda price: price - 1,
    "account": lambda account: ACCOUNTS[0] if account != ACCOUNTS[0] else ACCOUNTS[1],
}


@defect("orders-accounted")
def order_altered_on_its_way(draft: Draft, rng: random.Random) -> Rows:
    order, name = idle(draft, rng), rng.choice(list(OTHER))
    return [alter(draft.exchange, order, **{name: OTHER[name](getattr(order, name))})]


@defect("orders-accounted")
def order_altered_at_the_brokerage(draft: Draft, rng: random.Random) -> Rows:
    order, name = of(draft.oms, OmsOrder, idle(draft, rng).key), rng.choice(list(OTHER))
    return [alter(draft.oms, order, **{name: OTHER[name](getattr(order, name))})]


def cancelled(draft: Draft, rng: random.Random) -> Any:
    """An order cancelled at the exchange long enough ago; the exchange's word."""
    return pick(rng, draft.exchange, ExchangeCancel, lambda row: row.t_ns < at(END - 5))


@defect("orders-accounted")
def order_cancelled_at_the_brokerage_alone(draft: Draft, rng: random.Random) -> Rows:
    """It still rests at the exchange, and may be filled."""
    row = cancelled(draft, rng)
    draft.exchange.remove(row)
    return [of(draft.oms, OmsOrder, row.key)]


@defect("orders-accounted")
def order_cancelled_at_the_exchange_alone(draft: Draft, rng: random.Random) -> Rows:
    order = of(draft.oms, OmsOrder, cancelled(draft, rng).key)
    return [alter(draft.oms, order, state="partially-filled" if order.filled else "new")]


@defect("orders-accounted")
def order_called_filled(draft: Draft, rng: random.Random) -> Rows:
    return [alter(draft.oms, of(draft.oms, OmsOrder, idle(draft, rng).key), state="filled")]


@defect("no-duplicates", loss=("duplicated", 1))
def order_sent_twice(draft: Draft, rng: random.Random) -> Rows:
    order = idle(draft, rng)
    draft.exchange.append(msgspec.structs.replace(order, id="x-99", t_ns=order.t_ns + NS))
    return draft.exchange[-1:]


@defect("no-duplicates", loss=("duplicated", 1))
def order_typed_twice(draft: Draft, rng: random.Random) -> Rows:
    """A re-typed order is another order to the system, and the same one to the customer."""
    order = idle(draft, rng)
    terms = {name: getattr(order, name) for name in ("code", "side", "quantity", "price")}
    t = (order.t_ns - at(0)) / NS + 1
    key = f"{order.key}z"
    root = of(draft.customers, Request, order.key, action="order").root
    made._ask(draft, order.account, key, root, t, t + 0.1, RequestOutcome.OK, 201, terms, state="new")
    draft.exchange.append(msgspec.structs.replace(order, id="x-99", t_ns=order.t_ns + NS, key=key))
    held = of(draft.oms, OmsOrder, order.key)
    draft.oms.append(msgspec.structs.replace(held, id="o-99", key=key, t_ns=held.t_ns + NS))
    return draft.exchange[-1:]


@defect("no-duplicates")
def order_stored_twice(draft: Draft, rng: random.Random) -> Rows:
    held = of(draft.oms, OmsOrder, idle(draft, rng).key)
    draft.oms.append(msgspec.structs.replace(held, id="o-99", t_ns=held.t_ns + 1))
    return draft.oms[-1:]


# -- executions and cash ----------------------------------------------------------------------------------------------


@defect("executions-one-to-one", "figures-right", "nothing-left-behind")
def execution_not_posted(draft: Draft, rng: random.Random) -> Rows:
    trade = old_trade(draft, rng)
    unpost(draft, trade)
    return [trade]


@defect("figures-right", "executions-one-to-one", "nothing-left-behind", "notices-complete")
def execution_missed_altogether(draft: Draft, rng: random.Random) -> Rows:
    trade = old_trade(draft, rng)
    draft.notices = [row for row in draft.notices if row.key != trade.id]
    return [unpost(draft, trade)]


@defect("executions-one-to-one", "figures-right")
def execution_made_up(draft: Draft, rng: random.Random) -> Rows:
    """Posted with everything that belongs to it, and no such trade was made."""
    row = pick(rng, draft.oms, OmsExecution, lambda row: row.t_ns < at(END - 2))
    draft.oms.append(msgspec.structs.replace(row, id="e-99"))
    order = of(draft.oms, OmsOrder, row.key)
    alter(draft.oms, order, filled=order.filled + row.quantity)
    draft.oms += made.legs("e-99", row.account, 777, row.t_ns)
    pay(draft, row.account, 777)
    return [next(one for one in draft.oms if one.id == "e-99")]


@defect("executions-one-to-one")
def execution_garbled(draft: Draft, rng: random.Random) -> Rows:
    row = pick(rng, draft.oms, OmsExecution, by_the_end)
    name = rng.choice(["code", "side", "price", "account"])
    return [alter(draft.oms, row, **{name: OTHER[name](getattr(row, name))})]


@defect("executions-one-to-one")
def execution_of_another_quantity(draft: Draft, rng: random.Random) -> Rows:
    row = pick(rng, draft.oms, OmsExecution, by_the_end)
    order = of(draft.oms, OmsOrder, row.key)
    alter(draft.oms, order, filled=order.filled + 100)
    return [alter(draft.oms, row, quantity=row.quantity + 100)]


@defect("executions-one-to-one")
def order_filled_by_nothing(draft: Draft, rng: random.Random) -> Rows:
    order = pick(rng, draft.oms, OmsOrder, by_the_end)
    return [alter(draft.oms, order, filled=order.filled + 100)]


@defect("no-duplicates", "figures-right", loss=("duplicated", 1))
def movement_posted_twice(draft: Draft, rng: random.Random) -> Rows:
    """Under its own reference: balanced, conserved, and twice."""
    trade = old_trade(draft, rng)
    t = next(row.t_ns for row in draft.oms if row.id == trade.id)
    draft.oms += made.legs(trade.id, trade.account, value(trade), t + NS)
    pay(draft, trade.account, value(trade))
    return [next(r for r in draft.oms if isinstance(r, Posting) and r.reference == trade.id and r.t_ns == t + NS)]


@defect("no-duplicates")
def execution_row_twice(draft: Draft, rng: random.Random) -> Rows:
    row = pick(rng, draft.oms, OmsExecution, lambda row: row.t_ns < at(END - 2))
    order = of(draft.oms, OmsOrder, row.key)
    alter(draft.oms, order, filled=order.filled + row.quantity)
    draft.oms.append(msgspec.structs.replace(row, t_ns=row.t_ns + 1))
    return draft.oms[-1:]


@defect("figures-right")
def second_variation(draft: Draft, rng: random.Random) -> Rows:
    """The movement again under another reference: balanced and conserved; only the exchange's book knows better."""
    trade = old_trade(draft, rng)
    draft.oms += made.legs("by-hand", trade.account, value(trade), trade.t_ns + 4 * NS)
    return [pay(draft, trade.account, value(trade))]


@defect("cash-conserved")
def legs_unbalanced(draft: Draft, rng: random.Random) -> Rows:
    row = pick(rng, draft.oms, Posting, lambda row: row.account == "HOUSE" and row.t_ns <= at(END))
    return [alter(draft.oms, row, yen=row.yen + rng.choice([-1, 1, 1000]))]


@defect("cash-conserved", "figures-right")
def balance_updated_barely(draft: Draft, rng: random.Random) -> Rows:
    """No posting stands behind it."""
    return [pay(draft, rng.choice(ACCOUNTS), rng.choice([-1, 1, 123_456]))]


@defect("cash-conserved")
def balance_missing(draft: Draft, rng: random.Random) -> Rows:
    row = pick(rng, draft.oms, Balance)
    draft.oms.remove(row)
    return [next(account for account in draft.world if account.id == row.id)]


# -- notices ----------------------------------------------------------------------------------------------------------


@defect("notices-complete", "nothing-left-behind", loss=("late_notices", 1))
def notice_missing(draft: Draft, rng: random.Random) -> Rows:
    trade = old_trade(draft, rng)
    draft.notices = [row for row in draft.notices if row.key != trade.id]
    return [trade]


@defect(loss=("late_notices", 1))
def notice_late(draft: Draft, rng: random.Random) -> Rows:
    trade = old_trade(draft, rng)
    notice = next(row for row in draft.notices if row.key == trade.id)
    alter(draft.notices, notice, t_ns=trade.t_ns + 10 * NS + 1)
    return []


@defect("notices-complete", "no-duplicates")
def notice_twice(draft: Draft, rng: random.Random) -> Rows:
    row = pick(rng, draft.notices, Notice, lambda row: row.t_ns < at(END - 1))
    draft.notices.append(Notice(t_ns=row.t_ns + NS, id="again.json", key=row.key, account=row.account))
    return draft.notices[-1:]


@defect("notices-complete")
def notice_of_nothing(draft: Draft, rng: random.Random) -> Rows:
    account = rng.choice(ACCOUNTS)
    draft.notices.append(Notice(t_ns=at(rng.uniform(0, END)), id="e-99.json", key="e-99", account=account))
    return draft.notices[-1:]


@defect("notices-complete")
def notice_to_a_stranger(draft: Draft, rng: random.Random) -> Rows:
    row = pick(rng, draft.notices, Notice, by_the_end)
    return [alter(draft.notices, row, account=OTHER["account"](row.account))]


# -- figures ----------------------------------------------------------------------------------------------------------


@defect("figures-right", loss=("wrong_figures_shown", 1))
def figure_wrong_at_the_end(draft: Draft, rng: random.Random) -> Rows:
    draft.customers.append(made.shown("w-1", rng.choice(ACCOUNTS), rng.uniform(END - 4.9, END - 0.1), 1))
    return draft.customers[-1:]


@defect(loss=("wrong_figures_shown", 1))
def figure_wrong_for_a_while(draft: Draft, rng: random.Random) -> Rows:
    draft.customers.append(made.shown("w-1", rng.choice(ACCOUNTS), some_time(rng), 1))
    return []


@defect("no-wrong-figure-acted-on", loss=("wrong_figures_acted_on", 1))
def figure_acted_on(draft: Draft, rng: random.Random) -> Rows:
    t, account = some_time(rng), rng.choice(ACCOUNTS)
    draft.customers.append(made.shown("w-1", account, t, 1))
    draft.customers.append(Acted(t_ns=at(t + 0.1), id="a-1", account=account, shown="w-1", yen=5, what="order"))
    return draft.customers[-1:]


@defect(loss=("undecidable_figures", 1))
def figure_undecidable(draft: Draft, rng: random.Random) -> Rows:
    draft.customers.append(made.shown("w-1", "C-9999", rng.uniform(1, END - 0.1), 1))
    return []


@defect("nothing-left-behind")
def balances_left_marked(draft: Draft, rng: random.Random) -> Rows:
    draft.customers.append(made.shown("w-1", rng.choice(ACCOUNTS), END - 0.006, 1, current=False))
    return draft.customers[-1:]
