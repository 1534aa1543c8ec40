"""What operators can do about the field of the order number: widen it on either side, and try it."""

from __future__ import annotations

import time
from typing import Any

from targets.brokerage.database import Connection
from targets.brokerage.gateway.flow import Verdict
from targets.brokerage.gateway.operations import NoSession
from targets.brokerage.gateway.server import DATABASE_S, TRUNCATE, Gateway
from targets.brokerage.numbering import WIDTH

DECIDE = "UPDATE operations SET value = %s, changed_ns = %s WHERE name = %s"
SAMPLE = "SELECT code, low FROM instruments ORDER BY code LIMIT 1"


async def widen(gateway: Gateway, side: str, digits: int) -> dict[str, Any]:
    """A wider field; ``digits`` as it stands afterwards. A side that has more already keeps them."""
    if side == "gateway":
        wanted = max(digits, gateway.width)
        await _decide(gateway, "order-number-gateway", str(wanted))
        gateway.width = wanted
        return {"side": side, "digits": wanted}
    if not gateway.ready():
        raise NoSession("there is no session with the exchange to ask over")
    request = {"MsgType": "OrderNumberWidth", "Width": digits}
    try:
        said = await gateway.statuses.ask("width", lambda: gateway.send(request), gateway.config.gateway.request_s)
    except TimeoutError:
        raise NoSession("the exchange's answer did not arrive") from None
    return {"side": side, "digits": int(said)}


async def overflow(gateway: Gateway, how: str) -> dict[str, Any]:
    """What becomes of a number that does not fit its field."""
    await _decide(gateway, "order-number-overflow", how)
    gateway.truncates = how == TRUNCATE
    return {"how": how}


async def try_number(gateway: Gateway, number: int) -> dict[str, Any]:
    """An order marked as a test, with this number, over the session: whether the exchange would take it."""
    text = gateway.number_field("", number)
    if text is None:
        return {"accepted": False, "reason": f"number {number} does not fit a field of {gateway.width}"}

    async def read(connection: Connection) -> tuple[str, int]:
        row = await (await connection.execute(SAMPLE)).fetchone()
        assert row is not None
        return row[0], row[1]

    code, price = await gateway.line.run(read, DATABASE_S)
    name = f"TEST-{time.monotonic_ns()}"
    said = await send_test(gateway, name, gateway.config.gateway.request_s, text, code, price)
    return {"accepted": said.state == "tested", "number": text, "reason": said.reason}


async def send_test(
    gateway: Gateway, name: str, within_s: float, number: str = "1" * WIDTH, code: str = "TEST", price: int = 1
) -> Verdict:
    """An order marked as a test, over the session and back: the exchange checks it, answers, and keeps nothing."""
    order = {"Account": "TEST", "Symbol": code, "Side": "buy", "OrderQty": 100, "Price": price}
    head = {"MsgType": "NewOrderSingle", "ClOrdID": name, "OrderNumber": number, "SecondaryClOrdID": name}
    return await gateway.flow.submit({**head, **order, "TestMessageIndicator": "Y"}, within_s)


async def _decide(gateway: Gateway, name: str, value: str) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute(DECIDE, [value, time.monotonic_ns(), name])

    await gateway.line.run(work, DATABASE_S)
