"""The exchange's order book: which orders rest, when their parts fill, what the member is told. Pure and seeded.

When and in how many parts an order fills depends on the seed and its ClOrdID alone, never on the order of arrival;
whether it does, on its limit too where the market's price moves.
Every change yields the row for the exchange's own book (None when nothing came about) and the message for the member.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from targets.brokerage.config import ExchangeConfig
from targets.brokerage.numbering import WIDEST, complaint
from targets.brokerage.wire import Message

Row = dict[str, Any]
LOT = 100


@dataclass(frozen=True, slots=True)
class Change:
    """What happened: the book's row, if any, and the message. ``keep``: to be sent again on request."""

    row: Row | None
    message: Message
    keep: bool = True


@dataclass(slots=True)
class BookOrder:
    """An accepted order. ``parts`` are (due in ns, shares) of its fills."""

    row: Row
    parts: tuple[tuple[int, int], ...]
    done: int = 0
    filled: int = 0
    cancelled: bool = False

    @property
    def status(self) -> str:
        """OrdStatus."""
        if self.cancelled:
            return "Canceled"
        if self.filled == self.row["quantity"]:
            return "Filled"
        return "PartiallyFilled" if self.filled else "New"

    @property
    def live(self) -> bool:
        """Whether something of it still rests."""
        return not self.cancelled and self.filled < self.row["quantity"]


def parts_of(config: ExchangeConfig, seed: int, cl_ord_id: str, quantity: int) -> tuple[tuple[int, int], ...]:
    """(ns after acceptance, shares) of each fill: one to three parts in whole lots, or none at all."""
    rng = random.Random(f"fills:{seed}:{cl_ord_id}")
    if rng.random() < config.never_fill:
        return ()
    lots = quantity // LOT
    count = min(rng.randint(1, 3), lots)
    cuts = [0, *sorted(rng.sample(range(1, lots), count - 1)), lots]
    at = sorted(int(rng.uniform(config.fill_from_s, config.fill_to_s) * 1e9) for _ in range(count))
    return tuple((when, (cuts[i + 1] - cuts[i]) * LOT) for i, when in enumerate(at))


Reached = Callable[[str, str, int, int], bool]
"""Whether an order of this code, side and limit can trade now (ns)."""


class Book:
    """All orders and executions of the day."""

    def __init__(self, config: ExchangeConfig, seed: int, reached: Reached = lambda *_: True) -> None:
        self._reached = reached
        self.orders: dict[str, BookOrder] = {}
        self.executions: list[Row] = []
        self.widths: list[int] = [config.number_width]
        self._config = config
        self._seed = seed
        self._due: list[tuple[int, str, int]] = []

    def cycle(self, now: int, incoming: Iterable[Message]) -> list[Change]:
        """One matching cycle: the member's requests in the order they came, then the fills that are due."""
        changes = [self._answer(message, now) for message in incoming]
        while self._due and self._due[0][0] <= now:
            _, cl_ord_id, shares = heapq.heappop(self._due)
            order = self.orders[cl_ord_id]
            if order.live and self._reached(order.row["code"], order.row["side"], order.row["price"], now):
                changes.append(self._trade(cl_ord_id, shares, now))
        return changes

    def restore(self, row: Row) -> Message:
        """Take over a row of the book after a restart; the message that had to go with it."""
        match row["kind"]:
            case "exchange-order":
                return self._rest(row)
            case "exchange-execution":
                return self._fill(row)
            case "exchange-width":
                return self._agree(row)
            case _:
                return self._withdraw(row)

    def rested(self) -> None:
        """After the last ``restore``: wait again for the fills that are still to come."""
        self._due = [
            (order.row["t_ns"] + when, cl_ord_id, shares)
            for cl_ord_id, order in self.orders.items()
            if order.live
            for when, shares in order.parts[order.done :]
        ]
        heapq.heapify(self._due)

    # -- requests -----------------------------------------------------------------------------------------------------

    def _answer(self, message: Message, now: int) -> Change:
        match message["MsgType"]:
            case "NewOrderSingle":
                return self._accept(message, now)
            case "OrderCancelRequest":
                return self._cancel(message, now)
            case "OrderStatusRequest":
                return Change(None, self._status(message), keep=False)
            case "OrderNumberWidth":
                return self._widen(message, now)
            case "TradeCaptureReportRequest":
                return Change(None, self._capture(message), keep=False)
            case other:
                return Change(
                    None, {"MsgType": "BusinessMessageReject", "Text": f"unknown MsgType {other}"}, keep=False
                )

    def _accept(self, message: Message, now: int) -> Change:
        reason = self._refusal(message)
        if reason:
            return Change(None, _rejected(message, reason))
        if message.get("TestMessageIndicator") == "Y":
            return Change(None, _tested(message), keep=False)
        row = {
            "kind": "exchange-order",
            "t_ns": now,
            "id": message["ClOrdID"],
            "number": message["OrderNumber"],
            "account": message["Account"],
            "key": message["SecondaryClOrdID"],
            "code": message["Symbol"],
            "side": message["Side"],
            "quantity": message["OrderQty"],
            "price": message["Price"],
        }
        report = self._rest(row)
        for when, shares in self.orders[row["id"]].parts:
            heapq.heappush(self._due, (now + when, row["id"], shares))
        return Change(row, report)

    def _refusal(self, message: Message) -> str:
        texts = ("ClOrdID", "Account", "SecondaryClOrdID", "Symbol")
        if any(not isinstance(message.get(name), str) for name in texts) or message.get("Side") not in ("buy", "sell"):
            return "required tag missing"
        quantity, price = message.get("OrderQty"), message.get("Price")
        if not isinstance(quantity, int) or quantity <= 0 or quantity % LOT:
            return "incorrect quantity"
        if not isinstance(price, int) or price <= 0:
            return "incorrect price"
        if odd := complaint(message.get("OrderNumber"), self.widths[-1]):
            return odd
        return "duplicate ClOrdID" if message["ClOrdID"] in self.orders else ""

    def _cancel(self, message: Message, now: int) -> Change:
        name = str(message.get("ClOrdID"))
        order = self.orders.get(name)
        if order is None or not order.live:
            text = "unknown order" if order is None else "too late to cancel"
            reject = {"MsgType": "OrderCancelReject", "ClOrdID": name, "Text": text}
            return Change(None, {**reject, "OrdStatus": "Rejected" if order is None else order.status})
        row = {"kind": "exchange-cancel", "t_ns": now, **{name: order.row[name] for name in ("id", "account", "key")}}
        return Change(row, self._withdraw(row))

    def _widen(self, message: Message, now: int) -> Change:
        """From now on numbers of so many digits are taken, too; those of before as well."""
        wanted = message.get("Width")
        if not isinstance(wanted, int) or not self.widths[-1] < wanted <= WIDEST:
            return Change(None, {"MsgType": "OrderNumberWidthReport", "Width": self.widths[-1]}, keep=False)
        row = {"kind": "exchange-width", "t_ns": now, "id": f"W-{wanted}", "account": "", "key": "", "width": wanted}
        return Change(row, self._agree(row))

    def _status(self, message: Message) -> Message:
        order = self.orders.get(str(message.get("ClOrdID")))
        if order is None:
            return {**_rejected(message, "unknown order"), "ExecType": "OrderStatus"}
        return _report(order, "OrderStatus", f"S-{order.row['id']}")

    def _capture(self, message: Message) -> Message:
        trades = [[row[name] for name in TRADE_FIELDS] for row in self.executions]
        orders = [[name, order.filled, order.status] for name, order in self.orders.items()]
        reply = {"MsgType": "TradeCaptureReport", "TradeRequestID": message.get("TradeRequestID", "")}
        return {**reply, "Trades": trades, "Orders": orders}

    # -- what comes about ---------------------------------------------------------------------------------------------

    def _trade(self, cl_ord_id: str, shares: int, now: int) -> Change:
        order = self.orders[cl_ord_id].row
        row = {
            "kind": "exchange-execution",
            "t_ns": now,
            "id": f"E-{len(self.executions) + 1:08d}",
            "order": cl_ord_id,
            **{name: order[name] for name in ("account", "key", "code", "side", "price")},
            "quantity": shares,
        }
        return Change(row, self._fill(row))

    def _rest(self, row: Row) -> Message:
        parts = parts_of(self._config, self._seed, row["id"], row["quantity"])
        order = self.orders[row["id"]] = BookOrder(row, parts)
        return _report(order, "New", f"N-{row['id']}")

    def _fill(self, row: Row) -> Message:
        order = self.orders[row["order"]]
        order.done += 1
        order.filled += row["quantity"]
        self.executions.append(row)
        return {**_report(order, "Trade", row["id"]), "LastQty": row["quantity"], "LastPx": row["price"]}

    def _withdraw(self, row: Row) -> Message:
        order = self.orders[row["id"]]
        order.cancelled = True
        return _report(order, "Canceled", f"X-{row['id']}")

    def _agree(self, row: Row) -> Message:
        self.widths.append(row["width"])
        return {"MsgType": "OrderNumberWidthReport", "Width": row["width"]}


TRADE_FIELDS = ("id", "order", "account", "code", "side", "quantity", "price")
"""Columns of a TradeCaptureReport's trades."""


def _report(order: BookOrder, exec_type: str, exec_id: str) -> Message:
    row = order.row
    return {
        "MsgType": "ExecutionReport",
        "ExecID": exec_id,
        "ExecType": exec_type,
        "OrdStatus": order.status,
        "ClOrdID": row["id"],
        "SecondaryClOrdID": row["key"],
        "Account": row["account"],
        "Symbol": row["code"],
        "Side": row["side"],
        "OrderQty": row["quantity"],
        "Price": row["price"],
        "CumQty": order.filled,
    }


def _tested(message: Message) -> Message:
    """An order marked as a test is checked as every other one and enters no book."""
    head = {"MsgType": "ExecutionReport", "ExecID": f"T-{message['ClOrdID']}", "ExecType": "Tested"}
    return {**head, "OrdStatus": "New", "ClOrdID": message["ClOrdID"], "CumQty": 0}


def _rejected(message: Message, text: str) -> Message:
    head = {"MsgType": "ExecutionReport", "ExecID": f"R-{message.get('ClOrdID')}", "ExecType": "Rejected"}
    return {**head, "OrdStatus": "Rejected", "ClOrdID": message.get("ClOrdID"), "CumQty": 0, "Text": text}
