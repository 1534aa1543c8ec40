"""``brokerctl synthetic …``: what a customer would find, tried by an operator, without leaving anything behind."""

from __future__ import annotations

import json
import ssl
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from targets import http_sync
from targets.brokerage import clients
from targets.brokerage.config import password
from targets.brokerage.edge.names import USUAL
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, HalfWay, NotReached, done, read
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.brokerage.topology import TOPOLOGY
from targets.operator_tool import Argument, text

CUSTOMER = "C-0001"
WITHIN_S = 3.0
REFUSED_AS = "LOT_SIZE"
"""How an order of one share is refused: by order entry itself, so nothing of it is left anywhere."""


def order(stack: Stack, args: Namespace) -> CommandResult:
    """``synthetic order``: logs in as a customer does, and enters an order that order entry must refuse."""
    tls = _context(stack)
    entered = _asked(
        stack, tls, "POST", "/login", {}, customer=CUSTOMER, password=password(stack.config.seed, CUSTOMER)
    )
    who = {"Authorization": f"Bearer {entered.get('token', '')}"}
    held = _asked(stack, tls, "GET", "/positions", who)["positions"]
    wanted = {"code": held[0]["code"], "side": "buy", "quantity": 1, "price": 1}
    said = _asked(stack, tls, "POST", "/orders", {**who, "Idempotency-Key": f"synthetic-{time.time_ns():x}"}, **wanted)
    facts = {"login": "ok", "order": str(said.get("error", "none"))}
    if facts["order"] != REFUSED_AS:
        raise HalfWay(f"log-in is good, but the order was answered {facts['order']}; {stack.check('api')}", facts)
    return read("log-in is good, and order entry answers as it should", facts)


def verification(stack: Stack, args: Namespace) -> CommandResult:
    """``synthetic verification on|name-unchecked|off``: what this very client asks of a certificate."""
    folder, wanted = Path(stack.config.folder), clients.Settings(args.verification)
    before = clients.settings(folder, clients.SYNTHETIC)
    clients.keep(folder, clients.SYNTHETIC, wanted)
    says = f"the client of brokerctl synthetic verifies: {wanted.verification}"
    return done(says, before != wanted, {"verification": wanted.verification})


def _asked(
    stack: Stack, tls: ssl.SSLContext, method: str, path: str, headers: Mapping[str, str], **body: object
) -> dict[str, Any]:
    """By the customers' own way, through the edge."""
    sent = {**headers, "Content-Type": "application/json"}
    try:
        reply = http_sync.ask(
            stack.config.through(TOPOLOGY.customers), method, path, WITHIN_S,
            body=json.dumps(body).encode() if body else None, headers=sent, tls=tls, name=USUAL,
        )  # fmt: skip
        found = json.loads(reply.body)
    except http_sync.NoReply as error:
        raise NotReached(
            f"{method} {path}: no answer at the customers' door: {error}; {stack.check('edge')}"
        ) from error
    except ValueError as error:
        raise HalfWay(f"{method} {path}: no JSON came back; {stack.check('edge')}") from error
    if reply.status >= 500:
        says = found.get("error", reply.status)
        raise HalfWay(f"{method} {path} was answered {reply.status} {says}; {stack.check('edge')}", {"error": says})
    return dict(found)


def _context(stack: Stack) -> ssl.SSLContext:
    """As the client's own settings have it; it comes by another address than customers, but under a name."""
    try:
        return clients.context(Path(stack.config.folder), clients.SYNTHETIC)
    except (OSError, ValueError) as error:
        raise HalfWay(f"the settings of the client cannot be read: {error}") from error


NOUNS = {"synthetic": "try what customers do, without a trace"}

OPERATIONS = (
    operation(
        order, "synthetic order", "log in and enter an order that order entry must refuse, by the customers' own way",
        ANYONE, {"login": text("ok"), "order": text()}, read_only=True,
    ),
    operation(
        verification, "synthetic verification", "what its client asks of the certificate that it is shown", OPERATORS,
        {"verification": text(*clients.VERIFICATIONS)}, Argument("verification", only=clients.VERIFICATIONS),
        examples=("synthetic verification on",),
    ),
)  # fmt: skip
