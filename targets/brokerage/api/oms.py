"""Order management: the customer's side of the order state machine.

::

    pending-new ──accepted──> new ──> partially-filled ──> filled
        │  │                   └── pending-cancel ──> cancelled
        │  └──no answer──> unknown ──(the exchange says)──> new | rejected
        └──refused, or never sent──> rejected

The order is stored and paid for (reserved) before it is sent; no database connection is held while the exchange thinks.
Only what is certain is answered as certain: an order that went on the wire and was not answered is ``unknown``.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from targets.brokerage.api.rules import OrderBody, Refusal
from targets.brokerage.api.store import Store
from targets.brokerage.client import Client
from targets.brokerage.config import Config
from targets.brokerage.recent import RecentShare
from targets.http_async import NotSent, Unanswered

REJECTED_WITHIN_S, REJECTED_LEAST = 2.0, 5
"""Of the share of orders that the exchange would not take: how late is lately, and how few say nothing."""
MARGIN_S = 0.5
"""How much longer than the exchange the gateway is waited for."""

PLACE = "SELECT verdict, order_id, cl_ord_id, state, series, number FROM place_order(%s, %s, %s, %s, %s, %s, %s)"
FIRST, SECOND = "/orders", "/second/orders"
"""Where the gateway takes orders: for its session, and for the second node's."""
CLOSE = "SELECT close_order(%s, %s, 'rejected', %s)"
UNKNOWN = "SELECT mark_unknown(%s, %s)"
LOOK = "SELECT id, cl_ord_id, state, filled FROM orders WHERE account = %s AND key = %s"
BEGIN_CANCEL = """UPDATE orders SET state = 'pending-cancel'
    WHERE account = %s AND key = %s AND state IN ('new', 'partially-filled')"""
UNDO_CANCEL = "SELECT refuse_cancel(%s)"

BUSINESS = {
    "BUYING_POWER": "not enough buying power",
    "NO_POSITION": "not enough shares to sell",
}


class Oms:
    """Places and cancels orders through the gateway."""

    def __init__(self, config: Config, store: Store, gateway: Client) -> None:
        self._store = store
        self._gateway = gateway
        self.rejected = RecentShare(REJECTED_WITHIN_S, REJECTED_LEAST)
        self._under_way: Counter[tuple[str, str]] = Counter()
        self._within_s = config.api.ack_timeout_s + MARGIN_S

    async def place(self, account: str, key: str, order: OrderBody, second: bool = False) -> tuple[int, dict[str, Any]]:
        """HTTP status and body: 201 once the exchange has accepted, 200 for a key seen before. Refusal otherwise.

        ``second``: over the second node's session.
        """
        verdict, order_id, cl_ord_id, state, series, number = await self._reserved(account, key, order)
        if verdict == "REPEATED":
            return 200, {"order": order_id, "state": state}
        message = {
            "order": order_id,
            "cl_ord_id": cl_ord_id,
            "key": key,
            "account": account,
            "code": order.code,
            "side": order.side,
            "quantity": order.quantity,
            "price": order.price,
            "series": series,
            "number": number,
        }
        return await self._send(order_id, message, SECOND if second else FIRST)

    async def accept(self, account: str, key: str, order: OrderBody) -> tuple[int, dict[str, Any]]:
        """Store it and say so (201, 200 for a key seen before); whoever forwards orders has to send it. Refusal."""
        verdict, order_id, _, state, *_ = await self._reserved(account, key, order)
        return 200 if verdict == "REPEATED" else 201, {"order": order_id, "state": state}

    async def _reserved(self, account: str, key: str, order: OrderBody) -> tuple[Any, ...]:
        """The row of ``PLACE``: stored and paid for, or seen before. Refusal otherwise."""
        asked = [account, key, order.code, order.side, order.quantity, order.price, time.monotonic_ns()]
        row = await self._store.one(PLACE, asked)
        if row[0] in BUSINESS:
            raise Refusal(422, row[0], BUSINESS[row[0]])
        return row

    async def _send(self, order_id: str, message: dict[str, Any], where: str) -> tuple[int, dict[str, Any]]:
        said = await self._ask(where, message)
        if said["sent"] and said["state"] != "unknown":
            self.rejected.note(said["state"] == "rejected")
        if said["state"] == "new":
            return 201, {"order": order_id, "state": "new"}
        if said["state"] == "unknown":
            return await self._unknown(order_id)
        if said["sent"]:
            raise Refusal(
                422, "REJECTED", f"the exchange rejected it: {said['reason']}", order=order_id, state="rejected"
            )
        with contextlib.suppress(Refusal):  # what is true does not depend on our writing it down now
            await self._store.one(CLOSE, [order_id, ["pending-new", "unknown"], "not sent"])
        raise Refusal(503, "GATEWAY_BUSY", "the order was not sent to the exchange", order=order_id, state="rejected")

    async def _unknown(self, order_id: str) -> tuple[int, dict[str, Any]]:
        state = "unknown"
        with contextlib.suppress(Refusal):  # nor here: an order nobody waits for becomes unknown by itself
            (state,) = await self._store.one(UNKNOWN, [order_id, time.monotonic_ns()])
        if state != "unknown":  # the exchange's word arrived just now
            return 201, {"order": order_id, "state": state}
        raise Refusal(504, "STATE_UNKNOWN", "the exchange has not answered yet", order=order_id, state="unknown")

    async def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """state, reason, sent: as the gateway says, or as follows from its not saying anything."""
        try:
            status, said = await self._gateway.ask("POST", path, body, self._within_s)
        except NotSent as error:
            return {"state": "rejected", "reason": str(error), "sent": False}
        except Unanswered as error:
            return {"state": "unknown", "reason": str(error), "sent": True}
        return said if status == 200 else {"state": "unknown", "reason": str(said), "sent": True}

    @contextlib.contextmanager
    def under_way(self, account: str, key: str) -> Iterator[None]:
        """While somebody's order of that key is dealt with, be it in line."""
        self._under_way[account, key] += 1
        try:
            yield
        finally:
            self._under_way[account, key] -= 1
            if not self._under_way[account, key]:
                del self._under_way[account, key]

    async def knows(self, account: str, key: str) -> bool:
        """Whether the order was asked for before: a second request for it is answered with what became of the first."""
        if self._under_way[account, key]:
            return True
        return await self._store.one_or_none(LOOK, [account, key]) is not None

    async def look(self, account: str, key: str) -> dict[str, Any]:
        """The order under the key, as it stands; Refusal (404) when there is none."""
        row = await self._store.one_or_none(LOOK, [account, key])
        if row is None:
            raise Refusal(404, "NO_SUCH_ORDER", f"no order has the key {key}")
        return {"order": row[0], "state": row[2], "filled": row[3]}

    async def cancel(self, account: str, key: str) -> tuple[int, dict[str, Any]]:
        """Cancel what is left; Refusal when there is nothing to cancel or the exchange has not answered."""
        began = await self._store.changed(BEGIN_CANCEL, [account, key])
        row = await self._store.one_or_none(LOOK, [account, key])
        if row is None:
            raise Refusal(404, "NO_SUCH_ORDER", f"no order has the key {key}")
        order_id, cl_ord_id, state, _ = row
        if not began:
            raise Refusal(409, "NOT_CANCELLABLE", f"the order is {state}", order=order_id, state=state)
        said = await self._ask("/cancels", {"cl_ord_id": cl_ord_id})
        if said["state"] == "unknown":
            raise Refusal(504, "STATE_UNKNOWN", "the exchange has not answered yet", order=order_id, state=state)
        if not said["sent"]:
            await self._store.one(UNDO_CANCEL, [cl_ord_id])
            raise Refusal(503, "GATEWAY_BUSY", "the request was not sent to the exchange", order=order_id)
        return 200, await self.look(account, key)
