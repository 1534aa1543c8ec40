"""What customers can ask for. Each request belongs to a service, which can be closed, and is measured under it."""

from __future__ import annotations

import hmac
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage.api import pages
from targets.brokerage.api.queuepage import place_page
from targets.brokerage.api.repayments import RepaymentBody
from targets.brokerage.api.room import WAITING_ROOM
from targets.brokerage.api.rules import OrderBody, Refusal, check_order
from targets.brokerage.api.server import Api
from targets.brokerage.api.withdrawals import look_at_withdrawal, withdraw
from targets.brokerage.config import Overflow, customer_of, customer_token, password
from targets.brokerage.serving import BadBody, Handler, answer, read_body
from targets.brokerage.withdrawals.desk import WithdrawalBody

Reply = tuple[int, dict[str, Any]]
Serve = Callable[[Request, str], Awaitable[Reply]]

ACCOUNT = """SELECT a.cash, a.reserved, i.account IS NOT NULL OR EXISTS (
        SELECT FROM withdrawals w WHERE w.account = a.id AND w.state IN ('pending', 'unknown')) FROM accounts a
    LEFT JOIN isolated_accounts i ON i.account = a.id AND i.done_ns IS NULL WHERE a.id = %s"""
POSITIONS = "SELECT code, quantity, reserved FROM positions WHERE account = %s ORDER BY code"
KEY_LIMIT = 100
TICKET = "waiting-ticket"
"""The header with which somebody comes again from the waiting room."""


class Login(msgspec.Struct, frozen=True):
    """Credentials."""

    customer: str
    password: str


def routes(api: Api) -> list[Route]:
    """All endpoints of customers."""
    endpoints = Customers(api)
    return [
        Route("/login", endpoints.login, methods=["POST"]),
        Route("/quotes/{code}", endpoints.measured("inquiry", endpoints.quote), methods=["GET"]),
        Route("/balances", endpoints.measured("inquiry", endpoints.balances), methods=["GET"]),
        Route("/positions", endpoints.measured("inquiry", endpoints.positions), methods=["GET"]),
        Route("/orders", endpoints.measured("orders", endpoints.order), methods=["POST"]),
        Route("/orders/{key}", endpoints.measured("inquiry", endpoints.look), methods=["GET"]),
        Route("/loan", endpoints.measured("inquiry", endpoints.loan), methods=["GET"]),
        Route("/repayments", endpoints.measured("repayment", endpoints.repay), methods=["POST"]),
        Route("/repayments/{key}", endpoints.measured("inquiry", endpoints.repayment), methods=["GET"]),
        Route("/withdrawals", endpoints.measured("withdrawal", endpoints.withdraw), methods=["POST"]),
        Route("/withdrawals/{key}", endpoints.measured("inquiry", endpoints.withdrawal), methods=["GET"]),
        Route("/orders/{key}/cancel", endpoints.measured("orders", endpoints.cancel), methods=["POST"]),
        Route("/rankings", endpoints.measured("pages", endpoints.ranking), methods=["GET"]),
        Route("/charts/{code}", endpoints.measured("pages", endpoints.chart), methods=["GET"]),
        Route("/statements", endpoints.measured("pages", endpoints.statement), methods=["GET"]),
        Route("/waiting-room/{ticket}", endpoints.place_in_line, methods=["GET"]),
    ]


class Customers:
    """One method an endpoint; each gets the request and the customer who is logged in."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def measured(self, service: str, serve: Serve) -> Handler:
        """Gate, log-in, time and outcome of a request around what it is about."""
        level = self._api.levels[service]

        async def handler(request: Request) -> Response:
            ticket = level.begin(time.monotonic_ns())
            status: int = 500
            body: dict[str, Any] = {"error": "INTERNAL", "says": "the api failed"}
            try:
                status, body = await self._served(service, serve, request)
            finally:
                outcome = outcome_of(status, str(body.get("error", "")))
                level.end(ticket, time.monotonic_ns(), outcome in ("error", "unknown"))
                self._api.requests.labels(service, outcome).inc()
            response = answer(status, body)
            if "retry_after_s" in body:
                response.headers["Retry-After"] = str(math.ceil(float(body["retry_after_s"])))
            return response

        return handler

    async def _served(self, service: str, serve: Serve, request: Request) -> Reply:
        try:
            customer = self._logged_in(request)
            if not self._api.ready:
                raise Refusal(503, "STARTING", "the api is not ready yet")
            if not self._api.gates.is_open(service):
                raise Refusal(503, "SERVICE_CLOSED", f"{service} is closed by the operator")
            return await serve(request, customer)
        except Refusal as refusal:
            return refusal.status, {"error": refusal.code, "says": refusal.says, **refusal.fields}
        except BadBody as error:
            return 400, {"error": "BAD_REQUEST", "says": str(error)}

    def _logged_in(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        customer = customer_of(self._api.config.token, token) if scheme == "Bearer" else None
        if customer is None:
            raise Refusal(401, "NOT_LOGGED_IN", "log in first")
        return customer

    async def login(self, request: Request) -> Response:
        """A token for a customer's password."""
        try:
            body = await read_body(request, Login)
            right = password(self._api.config.seed, body.customer)
            if not hmac.compare_digest(right.encode(), body.password.encode()):
                raise Refusal(401, "WRONG_PASSWORD", "customer or password is wrong")
            if await self._api.store.one_or_none(ACCOUNT, [body.customer]) is None:
                raise Refusal(401, "WRONG_PASSWORD", "customer or password is wrong")
        except Refusal as refusal:
            return answer(refusal.status, {"error": refusal.code, "says": refusal.says})
        except BadBody as error:
            return answer(400, {"error": "BAD_REQUEST", "says": str(error)})
        return answer(200, {"token": customer_token(self._api.config.token, body.customer)})

    async def quote(self, request: Request, customer: str) -> Reply:
        """The price of an instrument."""
        instrument = self._api.instruments.get(request.path_params["code"])
        if instrument is None:
            raise Refusal(422, "UNKNOWN_CODE", f"no instrument {request.path_params['code']}")
        price = self._api.prices.latest.get(instrument.code, instrument.base)
        return 200, {"code": instrument.code, "price": price, "as_of": self._api.as_of()}

    async def balances(self, request: Request, customer: str) -> Reply:
        """Cash, what open buy orders hold of it, and what is left to buy with.

        Not current: an account that the night has set apart, and one with a withdrawal that the bank has not answered.
        """
        as_of = self._api.as_of()  # before reading: a figure is never older than the date it is shown for
        cash, reserved, apart = await self._api.store.one(ACCOUNT, [customer])
        figures = {"account": customer, "cash": cash, "reserved": reserved, "buying_power": cash - reserved}
        status = "not-current" if apart else self._api.gates.balances
        return 200, {**figures, "as_of": as_of, "status": status}

    async def positions(self, request: Request, customer: str) -> Reply:
        """Shares held, and what open sell orders hold of them."""
        rows = await self._api.store.all(POSITIONS, [customer])
        held = [{"code": code, "quantity": quantity, "reserved": reserved} for code, quantity, reserved in rows]
        return 200, {"account": customer, "positions": held, "as_of": self._api.as_of()}

    async def order(self, request: Request, customer: str) -> Reply:
        """Place an order under the customer's own key, when its turn has come; who buys may have to wait to get in."""
        key = idempotency_key(request)
        body = await read_body(request, OrderBody)
        self._api.capacity.arriving.note()
        check_order(body, self._api.instruments)
        way, prices = self._api.slots.way(), self._api.prices
        complaint = prices.complaint(body, prices.opening if way == "old-prices" else prices.latest)
        if complaint is not None and not await self._api.oms.knows(customer, key):
            raise complaint
        closing = body.side == "sell"
        if not closing:
            self._api.room.enter(customer, key, request.headers.get(TICKET, ""))
        with self._api.oms.under_way(customer, key):
            return await self._placed(customer, key, body, way)

    async def _placed(self, customer: str, key: str, body: OrderBody, way: Overflow) -> Reply:
        if way == "store":
            return await self._api.oms.accept(customer, key, body)
        if way == "second-node":
            return await self._api.oms.place(customer, key, body, second=True)
        async with self._api.slots.slot(body.side == "sell"):
            return await self._api.oms.place(customer, key, body)

    async def look(self, request: Request, customer: str) -> Reply:
        """What became of an order."""
        return 200, await self._api.oms.look(customer, request.path_params["key"])

    async def cancel(self, request: Request, customer: str) -> Reply:
        """Cancel what is left of an order, when its turn has come."""
        async with self._api.slots.slot(True):
            return await self._api.oms.cancel(customer, request.path_params["key"])

    async def ranking(self, request: Request, customer: str) -> Reply:
        """The most traded instruments."""
        return 200, await pages.ranking(self._api.store)

    async def chart(self, request: Request, customer: str) -> Reply:
        """An instrument's trades."""
        return 200, await pages.chart(self._api.store, request.path_params["code"])

    async def statement(self, request: Request, customer: str) -> Reply:
        """What was booked."""
        return 200, await pages.statement(self._api.store, customer)

    async def place_in_line(self, request: Request) -> Response:
        """The page that somebody with a ticket of the waiting room is shown; it loads itself again."""
        return place_page(self._api.room.place(request.path_params["ticket"]))

    async def loan(self, request: Request, customer: str) -> Reply:
        """What the customer owes."""
        return 200, await self._api.repayments.loan(customer)

    async def repay(self, request: Request, customer: str) -> Reply:
        """Pay back a part of the loan under the customer's own key."""
        key = idempotency_key(request)
        return await self._api.repayments.repay(customer, key, await read_body(request, RepaymentBody))

    async def repayment(self, request: Request, customer: str) -> Reply:
        """What became of a repayment."""
        return 200, await self._api.repayments.look(customer, request.path_params["key"])

    async def withdraw(self, request: Request, customer: str) -> Reply:
        """Have cash paid out to the customer's own bank account, under the customer's own key."""
        key = idempotency_key(request)
        body = await read_body(request, WithdrawalBody)
        return await withdraw(self._api.withdrawals, self._api.config, customer, key, body.yen)

    async def withdrawal(self, request: Request, customer: str) -> Reply:
        """What became of a withdrawal."""
        return await look_at_withdrawal(self._api.withdrawals, customer, request.path_params["key"])


def idempotency_key(request: Request) -> str:
    """The customer's own key for what it asks; Refusal (400) without one."""
    key = request.headers.get("idempotency-key", "")
    if not key or len(key) > KEY_LIMIT:
        raise Refusal(400, "IDEMPOTENCY_KEY", f"the header Idempotency-Key is needed, at most {KEY_LIMIT} characters")
    return key


def outcome_of(status: int, error: str) -> str:
    """``ok``, ``reject`` (the customer's own), ``closed`` (planned), ``unknown`` or ``error``."""
    if error in ("SERVICE_CLOSED", WAITING_ROOM):
        return "closed"
    if error == "STATE_UNKNOWN" and status == 504:
        return "unknown"
    if status >= 500:
        return "error"
    return "reject" if status >= 400 else "ok"
