"""The gateway's HTTP face: orders from the api, and what operators may ask for."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import msgspec
import psycopg
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage.gateway import capacity, numbers, operations
from targets.brokerage.gateway.flow import Flow
from targets.brokerage.gateway.link import LinkError
from targets.brokerage.gateway.operations import NoSession
from targets.brokerage.gateway.reconcile import Findings
from targets.brokerage.gateway.second import start
from targets.brokerage.gateway.server import Gateway
from targets.brokerage.serving import Handler, answer, for_operators, no_database, read_body


class NewOrder(msgspec.Struct, frozen=True):
    """An order that stands in the database as ``pending-new``."""

    order: str
    cl_ord_id: str
    key: str
    account: str
    code: str
    side: Literal["buy", "sell"]
    quantity: int
    price: int
    series: str
    number: int


class Cancel(msgspec.Struct, frozen=True):
    """Cancel what is left of an order."""

    cl_ord_id: str


class UseLink(msgspec.Struct, frozen=True):
    """Which link to log on over."""

    link: Literal["A", "B"]
    reset_sequence: bool = False


class Width(msgspec.Struct, frozen=True):
    """How many digits an order number has, at the exchange or in our own messages."""

    side: Literal["gateway", "exchange"]
    digits: int


class Overflow(msgspec.Struct, frozen=True):
    """What to do with a number that does not fit."""

    how: Literal["refuse", "truncate"]


class Probe(msgspec.Struct, frozen=True):
    """The number of an order to be tried at the exchange."""

    number: int


class Capacity(msgspec.Struct, frozen=True):
    """For how long to measure, in seconds."""

    within_s: Annotated[float, msgspec.Meta(ge=0.5, le=10)] = 2.0


class Drain(msgspec.Struct, frozen=True):
    """How long to wait, in seconds."""

    within_s: float = 15.0


def routes(gateway: Gateway) -> list[Route]:
    """All endpoints; each needs the stack's token."""
    handlers = Endpoints(gateway)
    posts = {
        "/orders": handlers.order,
        "/second/orders": handlers.order_by_second,
        "/cancels": handlers.cancel,
        "/ops/numbers/width": handlers.width,
        "/ops/numbers/overflow": handlers.overflow,
        "/ops/numbers/try": handlers.try_number,
        "/ops/capacity": handlers.capacity,
        "/ops/second": handlers.start_second,
        "/ops/use-link": handlers.use_link,
        "/ops/resolve": handlers.resolve,
        "/ops/resend": handlers.resend,
        "/ops/reconcile": handlers.reconcile,
        "/ops/drain": handlers.drain,
        "/ops/notices/release": handlers.release,
    }
    gets = {"/ops/status": handlers.status, "/ops/probe": handlers.probe}
    token = gateway.config.token
    return [
        *(Route(path, for_operators(token, _told(each)), methods=["POST"]) for path, each in posts.items()),
        *(Route(path, for_operators(token, _told(each)), methods=["GET"]) for path, each in gets.items()),
    ]


def _told(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except (NoSession, LinkError) as error:
            return answer(503, {"error": "NO_SESSION", "says": str(error)})
        except psycopg.Error as error:
            return no_database(error)

    return guarded


class Endpoints:
    """One method an endpoint."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def order(self, request: Request) -> Response:
        """Send an order and wait for the exchange's word, at most the acknowledgement time-out."""
        return await self._send(request, self._gateway.flow)

    async def order_by_second(self, request: Request) -> Response:
        """The same over the second node's session."""
        second = self._gateway.second
        if second is None:
            return answer(200, {"state": "rejected", "reason": "there is no second node", "sent": False})
        return await self._send(request, second.flow)

    async def start_second(self, _: Request) -> Response:
        """Start the second node."""
        return answer(200, await start(self._gateway))

    async def _send(self, request: Request, flow: Flow) -> Response:
        order = await read_body(request, NewOrder)
        number = self._gateway.number_field(order.series, order.number)
        if number is None:
            reason = f"number {order.series}{order.number} does not fit a field of {self._gateway.width}"
            return answer(200, {"state": "rejected", "reason": reason, "sent": False})
        message = operations.new_order(msgspec.structs.asdict(order), order.cl_ord_id, number)
        within = self._gateway.config.api.ack_timeout_s
        verdict = await flow.submit(message, within)
        return answer(200, {"state": verdict.state, "reason": verdict.reason, "sent": verdict.sent})

    async def cancel(self, request: Request) -> Response:
        """Send a cancel request and wait likewise."""
        body = await read_body(request, Cancel)
        verdict = await operations.cancel(self._gateway, body.cl_ord_id, self._gateway.config.api.ack_timeout_s)
        return answer(200, {"state": verdict.state, "reason": verdict.reason, "sent": verdict.sent})

    async def status(self, _: Request) -> Response:
        """The session as it stands."""
        return answer(200, self._gateway.status())

    async def probe(self, request: Request) -> Response:
        """Does the exchange answer on a link?"""
        link, links = request.query_params.get("link", ""), self._gateway.links
        if link not in ("A", "B"):
            return answer(400, {"error": "BAD_REQUEST", "says": "name the link: A or B"})
        if links is None:
            raise NoSession("the gateway has not read its state from the database yet")
        began = time.monotonic()
        answers = await links.probe(link)
        return answer(200, {"link": link, "answers": answers, "took_s": time.monotonic() - began})

    async def use_link(self, request: Request) -> Response:
        """Change the link."""
        body = await read_body(request, UseLink)
        return answer(200, await operations.use_link(self._gateway, body.link, body.reset_sequence))

    async def width(self, request: Request) -> Response:
        """Widen the number's field: here, or there by asking the exchange."""
        body = await read_body(request, Width)
        return answer(200, await numbers.widen(self._gateway, body.side, body.digits))

    async def overflow(self, request: Request) -> Response:
        """Say what becomes of a number that does not fit."""
        body = await read_body(request, Overflow)
        return answer(200, await numbers.overflow(self._gateway, body.how))

    async def try_number(self, request: Request) -> Response:
        """Send a test order with this number; the exchange checks it and keeps nothing."""
        body = await read_body(request, Probe)
        return answer(200, await numbers.try_number(self._gateway, body.number))

    async def capacity(self, request: Request) -> Response:
        """Measure what the session lets through."""
        body = await read_body(request, Capacity)
        return answer(200, await capacity.measure(self._gateway, body.within_s))

    async def resolve(self, _: Request) -> Response:
        """Settle the unknown orders by asking."""
        return answer(200, await operations.resolve(self._gateway))

    async def resend(self, _: Request) -> Response:
        """Send the unknown orders again."""
        return answer(200, await operations.resend(self._gateway))

    async def reconcile(self, _: Request) -> Response:
        """Compare with the exchange."""
        return answer(200, _facts(await operations.reconcile(self._gateway)))

    async def drain(self, request: Request) -> Response:
        """Wait until the executions agree."""
        body = await read_body(request, Drain)
        return answer(200, await operations.drain(self._gateway, min(body.within_s, 60.0)))

    async def release(self, _: Request) -> Response:
        """Let the held notices go."""
        return answer(200, await operations.release_notices(self._gateway))


def _facts(findings: Findings) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(findings)
    return facts
