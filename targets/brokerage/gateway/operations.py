"""What operators can have the gateway do. Each is bounded in time and says what came of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import msgspec

from targets.brokerage.database import Connection
from targets.brokerage.gateway.flow import Verdict
from targets.brokerage.gateway.reconcile import Findings
from targets.brokerage.gateway.server import DATABASE_S, Gateway
from targets.brokerage.wire import Message

UNSETTLED = """SELECT id, cl_ord_id, state FROM orders
    WHERE state IN ('unknown', 'pending-cancel') ORDER BY created_ns"""
UNKNOWN = """SELECT id, cl_ord_id, key, account, code, side, quantity, price, series, number::bigint FROM orders
    WHERE state = 'unknown' ORDER BY created_ns"""
COUNT_UNKNOWN = "SELECT count(*) FROM orders WHERE state = 'unknown'"
RENAME = "UPDATE orders SET cl_ord_id = %s WHERE id = %s"
REMEMBER = "INSERT INTO order_ids VALUES (%s, %s)"
RELEASE = "UPDATE outbox SET state = 'pending', created_ns = %s WHERE state = 'held' RETURNING exec_id"
KEEP_LINK = "UPDATE session SET link = %s WHERE identity = %s"

BETWEEN_S = 0.3
AGREE = 2
"""Reconciliations in a row that must agree before the executions count as drained."""


class NoSession(Exception):
    """There is no session to ask over, or the exchange did not answer; the message says which."""


def new_order(order: dict[str, Any], cl_ord_id: str, number: str) -> Message:
    """NewOrderSingle for a row of orders; ``number`` as it stands in the message."""
    return {
        "MsgType": "NewOrderSingle",
        "ClOrdID": cl_ord_id,
        "OrderNumber": number,
        "SecondaryClOrdID": order["key"],
        "Account": order["account"],
        "Symbol": order["code"],
        "Side": order["side"],
        "OrderQty": order["quantity"],
        "Price": order["price"],
    }


async def use_link(gateway: Gateway, link: str, reset: bool) -> dict[str, Any]:
    """Log on over ``link``; LinkError when that failed. The choice outlives a restart."""
    links = gateway.links
    if links is None:
        raise NoSession("the gateway has not read its state from the database yet")
    await links.use(link, reset)

    async def work(connection: Connection) -> None:
        await connection.execute(KEEP_LINK, [link, gateway.identity])

    await gateway.line.run(work, DATABASE_S)
    return gateway.status()


async def resolve(gateway: Gateway) -> dict[str, Any]:
    """Ask the exchange for the state of each unknown order and take over what it says. Counts by outcome."""

    async def read(connection: Connection) -> list[tuple[str, str, str]]:
        return [(row[0], row[1], row[2]) for row in await (await connection.execute(UNSETTLED)).fetchall()]

    orders = await gateway.line.run(read, DATABASE_S)
    if orders and not gateway.ready():
        raise NoSession("there is no session with the exchange to ask over")
    answers = await asyncio.gather(*(_status(gateway, cl_ord_id) for _, cl_ord_id, _ in orders))
    words = {"Rejected": "rejected", "Canceled": "rejected", "Filled": "filled", None: "unanswered"}
    asked = [words.get(said, "live") for (_, _, state), said in zip(orders, answers, strict=True) if state == "unknown"]
    counts = Counter(asked)

    async def count(connection: Connection) -> int:
        row = await (await connection.execute(COUNT_UNKNOWN)).fetchone()
        assert row is not None
        return int(row[0])

    gateway.unknown = await gateway.line.run(count, DATABASE_S)
    settled = {name: counts[name] for name in ("live", "filled", "rejected")}
    return {"asked": len(asked), **settled, "still_unknown": gateway.unknown}


async def _status(gateway: Gateway, cl_ord_id: str) -> str | None:
    request = {"MsgType": "OrderStatusRequest", "ClOrdID": cl_ord_id}
    try:
        said: str = await gateway.statuses.ask(
            cl_ord_id, lambda: gateway.send(request), gateway.config.gateway.request_s
        )
    except TimeoutError:
        return None
    return said


async def resend(gateway: Gateway) -> dict[str, Any]:
    """Send every unknown order again under a new ClOrdID. The exchange cannot tell such an order from a new one."""

    async def rename(connection: Connection) -> list[dict[str, Any]]:
        cursor = await connection.execute(UNKNOWN)
        names = [column.name for column in cursor.description or ()]
        orders = [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
        for order in orders:
            stem, _, attempt = order["cl_ord_id"].rpartition("-")
            order["again"] = f"{stem}-{int(attempt) + 1}"
            await connection.execute(REMEMBER, [order["again"], order["id"]])
            await connection.execute(RENAME, [order["again"], order["id"]])
        return orders

    if not gateway.ready():
        raise NoSession("there is no session with the exchange to send over")
    orders = await gateway.line.run(rename, DATABASE_S)
    for order in orders:
        gateway.flow.unanswered.pop(order["cl_ord_id"], None)
    within = gateway.config.gateway.request_s
    verdicts = await asyncio.gather(*(gateway.flow.submit(_again(gateway, o), within) for o in orders))
    counts = Counter(verdict.state if verdict.sent else "not-sent" for verdict in verdicts)
    return {"resent": sum(verdict.sent for verdict in verdicts), **_counted(counts)}


def _again(gateway: Gateway, order: dict[str, Any]) -> Message:
    """It went on the wire before, so its number fitted; a field that has got narrower since would be refused there."""
    number = gateway.number_field(order["series"], order["number"]) or str(order["number"])
    return new_order(order, order["again"], number)


def _counted(counts: Counter[str]) -> dict[str, int]:
    return {name.replace("-", "_"): counts[name] for name in ("new", "rejected", "unknown", "not-sent")}


async def reconcile(gateway: Gateway) -> Findings:
    """Compare with the exchange. NoSession when no answer arrives and no resynchronisation explains that."""
    if gateway.links is None or not gateway.ready():
        raise NoSession("there is no session with the exchange to ask over")
    session, within = gateway.links.session, gateway.config.gateway.request_s
    name = str(time.monotonic_ns())
    request = {"MsgType": "TradeCaptureReportRequest", "TradeRequestID": name}
    try:
        findings: Findings = await gateway.captures.ask(name, lambda: gateway.send(request), within)
    except TimeoutError:
        if not session.resyncing:
            age = gateway.queue_age_s()
            stuck = f"; the oldest message received waits to be posted since {age:.1f} s" if age > within else ""
            raise NoSession(f"the exchange's answer did not arrive within {within:g} s{stuck}") from None
        return Findings(
            False, 0, 0, 0, 0, gateway.unknown, gateway.held, 0, True, ["later messages wait for a gap"], []
        )
    gateway.last_findings = findings
    return msgspec.structs.replace(
        findings, resyncing=session.resyncing, clean=findings.clean and not session.resyncing
    )


async def drain(gateway: Gateway, within_s: float) -> dict[str, Any]:
    """Reconcile until the executions agree twice in a row and no notice is overdue, or time is up."""
    deadline = time.monotonic() + within_s
    agreed = rounds = 0
    facts: dict[str, Any] = {}
    while agreed < AGREE and time.monotonic() < deadline:
        rounds += 1
        try:
            findings = await reconcile(gateway)
        except NoSession as error:
            agreed, facts = 0, {"says": str(error)}
        else:
            good = findings.trades_agree and not findings.resyncing and not findings.overdue_notices
            agreed, facts = agreed + 1 if good else 0, msgspec.to_builtins(findings)
        if agreed < AGREE:
            await asyncio.sleep(BETWEEN_S)
    return {"drained": agreed >= AGREE, "rounds": rounds, **facts}


async def release_notices(gateway: Gateway) -> dict[str, Any]:
    """Held notices may go now; the spool takes each execution once, however often this is called."""

    async def work(connection: Connection) -> int:
        return len(await (await connection.execute(RELEASE, [time.monotonic_ns()])).fetchall())

    released = await gateway.line.run(work, DATABASE_S)
    gateway.held = 0
    return {"released": released}


async def cancel(gateway: Gateway, cl_ord_id: str, within_s: float) -> Verdict:
    """Ask the exchange to cancel; ``cancelled``, ``rejected`` (it would not) or ``unknown``."""
    if not gateway.ready():
        return Verdict("rejected", "not sent", sent=False)
    request = {"MsgType": "OrderCancelRequest", "ClOrdID": cl_ord_id}
    try:
        status = await gateway.statuses.ask(f"cancel:{cl_ord_id}", lambda: gateway.send(request), within_s)
    except TimeoutError:
        return Verdict("unknown", "the exchange has not answered")
    return Verdict("cancelled") if status == "Canceled" else Verdict("rejected", f"the order is {status}")
