"""Order numbers stand a little below their limit, and orders of earlier days with low numbers rest at the exchange.

The session uses up what is left by itself. The orders rest: they are named so that none of their parts is ever filled.
Undoing it cancels them and lets numbers go on after the highest that this day had before. What operators have widened
stays wide.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any, ClassVar

import msgspec
import psycopg
from msgspec import Meta

from targets.brokerage.condition import asked, connected, number
from targets.brokerage.config import Config
from targets.brokerage.exchange.book import LOT, parts_of
from targets.brokerage.numbering import WIDTH
from targets.target import ConditionState, ProbeResult

MOST = 10**WIDTH - 1
EARLIER = "G-"
"""How the names of orders of earlier days begin."""
LOWEST = 20
CALL_S = 3.0
AT_ONCE = 14
LOOK_FOR_S = 2.0
PAUSE_S = 0.2

HIGHEST_BEFORE = """SELECT coalesce(max(number), 0)::bigint FROM orders
    WHERE series = '' AND id NOT LIKE 'G-%%' AND number <= %s"""
LAST = "SELECT last_value FROM order_number"
RESTING = "SELECT count(*) FROM orders WHERE id LIKE 'G-%%' AND state IN ('new', 'partially-filled', 'pending-cancel')"
THERE = "SELECT count(*) FROM orders WHERE id LIKE 'G-%%'"
WHO = "SELECT id FROM accounts ORDER BY id DESC LIMIT %s"
WHAT = "SELECT code, low FROM instruments ORDER BY code LIMIT 1"
RESERVE = "UPDATE accounts SET reserved = reserved + %s WHERE id = %s"
STORE = """INSERT INTO orders (id, key, account, code, side, quantity, price, state, reserved_quantity, cl_ord_id,
    number, created_ns) VALUES (%s, %s, %s, %s, 'buy', %s, %s, 'pending-new', %s, %s, %s, %s)"""
NAMED = "INSERT INTO order_ids VALUES (%s, %s)"
CANCELLING = "UPDATE orders SET state = 'pending-cancel' WHERE id LIKE 'G-%%' AND state = 'new' RETURNING cl_ord_id"
DECIDE = "UPDATE operations SET value = %s WHERE name = 'order-number-range'"


class NumbersNearLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``left`` numbers are left; ``resting`` orders of earlier days have low ones. ``handler``: range 2 is prepared."""

    NAME: ClassVar[str] = "numbers-near-limit"

    left: Annotated[int, Meta(ge=1, le=1_000_000)]
    resting: Annotated[int, Meta(ge=0, le=100)] = 41
    handler: bool = False

    def plant(self, config: Config) -> ProbeResult:
        """The facts hold the orders that rest, and the number from which it goes on."""
        with connected(config) as connection:
            if number(connection, THERE, []):
                return ProbeResult(False, "such orders are there already")
            orders = list(_earlier(config, connection, self.resting))
            for each in orders:
                _store(connection, each)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                taken = sum(pool.map(partial(_send, config), orders))
            last = MOST - self.left
            connection.execute("SELECT setval('order_number', %s)", [last])
            if self.handler:
                connection.execute(DECIDE.encode(), ["auto"])
        rows = [{"key": each["key"], "account": each["account"], "number": each["number"]} for each in orders]
        says = f"the next order number is {last + 1}; {taken} of {len(orders)} earlier orders rest at the exchange"
        return ProbeResult(taken == len(orders), says, {"last": last, "most": MOST, "orders": rows})

    def look(self, config: Config, *, wait: bool) -> ConditionState:
        """Felt from the first order on that is given one of the numbers that were left."""
        until = time.monotonic() + LOOK_FOR_S
        while True:
            seen = self._state(config)
            if seen.felt or not wait or time.monotonic() > until:
                return seen
            time.sleep(PAUSE_S)

    def unplant(self, config: Config) -> ProbeResult:
        """Cancel the orders, let numbers go on from before, and unprepare the handler."""
        with connected(config) as connection:
            if not number(connection, THERE, []):
                return ProbeResult(True, "no such orders", {"changed": False})
            names = [row[0] for row in connection.execute(CANCELLING).fetchall()]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(partial(_cancel, config), names))
            last = max(1, number(connection, HIGHEST_BEFORE, [MOST - self.left]))
            connection.execute("SELECT setval('order_number', %s)", [last])
            connection.execute(DECIDE.encode(), ["1"])
        return ProbeResult(
            True, f"{len(names)} orders cancelled; the next order number is {last + 1}", {"changed": True}
        )

    def _state(self, config: Config) -> ConditionState:
        """As of now; ``value`` is the last number given."""
        with connected(config) as connection:
            resting, value = number(connection, RESTING, []), number(connection, LAST, [])
        there = resting > 0 or value > MOST - self.left
        felt = there and value > MOST - self.left
        return ConditionState(there, felt, f"order number {value}, {resting} earlier orders rest", {"value": value})


def _earlier(config: Config, connection: psycopg.Connection[Any], count: int) -> Iterator[dict[str, Any]]:
    """Orders with low numbers, an account each, that no seed fills."""
    code, price = connection.execute(WHAT).fetchone() or ("", 0)
    accounts = [row[0] for row in connection.execute(WHO, [count]).fetchall()]
    given = LOWEST
    for account in accounts:
        while parts_of(config.exchange, config.seed, f"{EARLIER}{given:08d}-1", LOT):
            given += 1
        yield {
            "order": f"{EARLIER}{given:08d}", "cl_ord_id": f"{EARLIER}{given:08d}-1", "key": f"earlier-{given}",
            "account": account, "code": code, "side": "buy", "quantity": LOT, "price": price, "series": "",
            "number": given,
        }  # fmt: skip
        given += 1


def _store(connection: psycopg.Connection[Any], order: dict[str, Any]) -> None:
    shares, price, name = order["quantity"], order["price"], order["order"]
    terms = [order["code"], shares, price, shares]
    with connection.transaction():
        connection.execute(RESERVE, [shares * price, order["account"]])
        values = [name, order["key"], order["account"], *terms, order["cl_ord_id"], order["number"]]
        connection.execute(STORE, [*values, time.monotonic_ns()])
        connection.execute(NAMED, [order["cl_ord_id"], name])


def _send(config: Config, order: dict[str, Any]) -> bool:
    _, said = asked(config, "gateway", "/orders", order, CALL_S)
    return said.get("state") == "new"


def _cancel(config: Config, name: str) -> None:
    asked(config, "gateway", "/cancels", {"cl_ord_id": name}, CALL_S)
