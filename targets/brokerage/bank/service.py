"""The bank: an own party with an own book, which pays on the brokerage's word and forgets nothing it has decided.

Idempotent by the payer's reference: asked again it answers what it decided the first time. The book is written before
the answer, with one ``write`` to an O_APPEND descriptor, so what was answered is in it whatever is killed.
"""

from __future__ import annotations

import asyncio
import socket
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage import serving
from targets.brokerage.bank.books import book_file
from targets.brokerage.bookfile import BookWriter, read_lines
from targets.brokerage.config import Config
from targets.brokerage.serving import Job, answer, for_operators, read_body

PAYMENT, PAYOUT = "bank-payment", "bank-payout"
"""Kinds of rows of the book: what came in on a customer's loan, and what went out to a customer."""


class PaymentOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the brokerage asks for: ``yen`` for ``account``, once, whatever becomes of the answer."""

    reference: str
    account: str
    yen: int


class Bank:
    """Implements ``serving.Service``."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self._payments = Counter("bank_payments", "Payments decided", ("state",), registry=self.registry)
        path = book_file(Path(config.folder))
        self._decided = {row["key"]: row for row in read_lines(path)}
        self._book = BookWriter(path)

    def routes(self) -> Sequence[Route]:
        """Payments and their status."""
        token = self.config.token
        return (
            Route("/payments", for_operators(token, self.pay), methods=["POST"]),
            Route("/payments/{reference}", for_operators(token, self.look), methods=["GET"]),
            Route("/payouts", for_operators(token, self.pay_out), methods=["POST"]),
            Route("/payouts/{reference}", for_operators(token, self.look), methods=["GET"]),
        )

    def jobs(self) -> Sequence[Job]:
        """None: it only answers."""
        return ()

    def health(self) -> Mapping[str, Any]:
        """Its book is open."""
        return {"payments": len(self._decided)}

    async def stop(self) -> None:
        """Close the book."""
        await asyncio.sleep(0)
        self._book.close()

    async def pay(self, request: Request) -> Response:
        """201 booked, 422 rejected; 200 or 422 again for a reference seen before, 409 if that was another payment."""
        return self._answer(await read_body(request, PaymentOrder), PAYMENT)

    async def pay_out(self, request: Request) -> Response:
        """The same to a customer's own bank account; rejected where no payee is registered for the account."""
        return self._answer(await read_body(request, PaymentOrder), PAYOUT)

    def _answer(self, order: PaymentOrder, kind: str) -> Response:
        row = self._decided.get(order.reference)
        if row is None:
            row = self._decide(order, kind)
            return answer(201 if row["state"] == "booked" else 422, _shown(row))
        if (row["account"], row["yen"]) != (order.account, order.yen):
            return answer(409, {"error": "OTHER_PAYMENT", "says": f"{order.reference} was another payment"})
        return answer(200 if row["state"] == "booked" else 422, _shown(row))

    async def look(self, request: Request) -> Response:
        """What was decided under a reference."""
        row = self._decided.get(request.path_params["reference"])
        if row is None:
            return answer(404, {"error": "NO_SUCH_PAYMENT", "says": "the bank has not seen this reference"})
        return answer(200, _shown(row))

    def _decide(self, order: PaymentOrder, kind: str) -> dict[str, Any]:
        payable = 0 < order.yen <= self.config.bank.most_yen and (kind == PAYMENT or self._has_payee(order.account))
        row = {
            "kind": kind,
            "t_ns": time.monotonic_ns(),
            "id": f"B-{len(self._decided) + 1:08d}",
            "account": order.account,
            "key": order.reference,
            "yen": order.yen,
            "state": "booked" if payable else "rejected",
        }
        self._decided[order.reference] = row = self._book.write(row)
        self._payments.labels(row["state"]).inc()
        return row

    def _has_payee(self, account: str) -> bool:
        every = self.config.bank.no_payee_every
        return every == 0 or zlib.crc32(account.encode()) % every != 0


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"payment": row["id"], "reference": row["key"], "state": row["state"]}


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``bank``."""
    bank = Bank(config)
    serving.serve(bank, bank.routes(), sockets["bank"])
