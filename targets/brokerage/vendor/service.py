"""The certificate vendor: answers its hotline, issues certificates, and scans from outside what is served.

Another company's part. A request to the hotline waits until somebody there has answered it (``vendor.hotline_s``); then
what was issued can be fetched under its ticket. ``/issue`` is what its own staff use, and ``/mixed-up`` says for which
names they are about to take a key from another order (``keys_mixed_up.py``).
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage import serving
from targets.brokerage.config import Config
from targets.brokerage.serving import Job, answer, for_operators, read_body
from targets.brokerage.vendor import authority
from targets.brokerage.vendor.authority import Delivery, Part
from targets.brokerage.vendor.scan import Scan


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate for a name; with ``seconds`` one of which ``part`` ends so soon."""

    name: str
    seconds: float | None = None
    part: Part = "leaf"


class MixedUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of the next deliveries come with the key of another order."""

    deliveries: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request, and when (monotonic) somebody will have answered it."""

    name: str
    ready: float


class Vendor:
    """Implements ``serving.Service``."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self._authority = authority.load(Path(config.folder) / authority.FOLDER)
        self._tickets: dict[str, Ticket] = {}
        self._mixed_up: dict[str, int] = {}
        self._issued = Counter("vendor_issued", "Certificates issued", registry=self.registry)
        self._scan = Scan(config, self.registry)

    def routes(self) -> Sequence[Route]:
        """The hotline, and what the vendor's own staff use."""
        token = self.config.token
        return (
            Route("/requests", for_operators(token, self.request), methods=["POST"]),
            Route("/requests/{ticket}", for_operators(token, self.fetch), methods=["GET"]),
            Route("/issue", for_operators(token, self.issue), methods=["POST"]),
            Route("/mixed-up/{name}", for_operators(token, self.mixed_up), methods=["GET"]),
            Route("/mixed-up/{name}", for_operators(token, self.mix_up), methods=["POST"]),
        )

    def jobs(self) -> Sequence[Job]:
        """Scanning."""
        return (self._scan.run,)

    def health(self) -> Mapping[str, Any]:
        """It can sign."""
        return {"names": len(self._authority.register)}

    async def stop(self) -> None:
        """Close the file of its scans."""
        await asyncio.sleep(0)
        self._scan.close()

    async def request(self, request: Request) -> Response:
        """202 and a ticket; 404 for a name that it does not manage."""
        wanted = await read_body(request, Wanted)
        if wanted.name not in self._authority.register:
            return _unknown(wanted.name)
        ticket = secrets.token_hex(4)
        self._tickets[ticket] = Ticket(wanted.name, time.monotonic() + self.config.vendor.hotline_s)
        return answer(202, {"ticket": ticket})

    async def fetch(self, request: Request) -> Response:
        """200 with what was issued, 202 while nobody has answered yet, 404 for another ticket."""
        ticket = self._tickets.get(request.path_params["ticket"])
        if ticket is None:
            return answer(404, {"error": "NO_SUCH_TICKET", "says": "the vendor has no such request"})
        if time.monotonic() < ticket.ready:
            return answer(202, {"ready": False})
        return self._hand_over(Wanted(ticket.name), key_of_another=self._is_mixed_up(ticket.name))

    async def issue(self, request: Request) -> Response:
        """200 with what was issued, at once; 404 for a name that it does not manage."""
        wanted = await read_body(request, Wanted)
        return self._hand_over(wanted) if wanted.name in self._authority.register else _unknown(wanted.name)

    async def mixed_up(self, request: Request) -> Response:
        """How many deliveries for the name are still to come with the key of another order."""
        await asyncio.sleep(0)
        return answer(200, {"deliveries": self._mixed_up.get(request.path_params["name"], 0)})

    async def mix_up(self, request: Request) -> Response:
        """So many from now on; 0 puts the keys in order."""
        name, wanted = request.path_params["name"], await read_body(request, MixedUp)
        if name not in self._authority.register:
            return _unknown(name)
        self._mixed_up[name] = max(0, wanted.deliveries)
        return answer(200, {"deliveries": self._mixed_up[name]})

    def _is_mixed_up(self, name: str) -> bool:
        """Whether this delivery is; then one less is to come."""
        left = self._mixed_up.get(name, 0)
        if left > 0:
            self._mixed_up[name] = left - 1
        return left > 0

    def _hand_over(self, wanted: Wanted, *, key_of_another: bool = False) -> Response:
        self._issued.inc()
        made = self._authority.issue(wanted.name, wanted.seconds, wanted.part)
        if key_of_another:
            made = replace(made, key=self._authority.issue(wanted.name).key)
        return answer(200, {"ready": True, **to_text(made)})


def to_text(made: Delivery) -> dict[str, str]:
    """A delivery as it is sent."""
    return {"leaf": made.leaf.decode(), "intermediate": made.intermediate.decode(), "key": made.key.decode()}


def from_text(sent: Mapping[str, Any]) -> Delivery:
    """A delivery as it was sent; KeyError where it is none."""
    return Delivery(*(str(sent[name]).encode() for name in ("leaf", "intermediate", "key")))


def _unknown(name: str) -> Response:
    return answer(404, {"error": "NO_SUCH_NAME", "says": f"the vendor does not manage {name}"})


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``vendor``."""
    vendor = Vendor(config)
    serving.serve(vendor, vendor.routes(), sockets["vendor"])
