"""The pager: takes Alertmanager webhooks and keeps what it was sent, stamped at receipt.

``POST /webhook``; ``GET /alerts?after=N`` lists the kept rows without the first N. A row is one change of one alert
(``n, t_ns, status, labels, annotations, startsAt, endsAt, fingerprint, receiver``; ``t_ns`` CLOCK_MONOTONIC). What
repeats an alert's last row, as retries and Alertmanager's reminders do, is not kept again. Rows are appended to
``<stack>/pager.jsonl`` and survive a restart.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage import serving
from targets.brokerage.config import Config
from targets.brokerage.serving import BadBody, Job, answer, read_body


class WebhookAlert(msgspec.Struct, frozen=True):
    """One alert of a message; fields as Alertmanager names them."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    startsAt: str  # noqa: N815  # Alertmanager's spelling
    endsAt: str  # noqa: N815
    fingerprint: str
    annotations: dict[str, str] = {}


class Message(msgspec.Struct, frozen=True):
    """What is used of a webhook message, version 4; other fields are ignored."""

    version: Literal["4"]
    receiver: str
    alerts: list[WebhookAlert]


class Page(msgspec.Struct, frozen=True):
    """A kept row."""

    n: int
    t_ns: int
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: str  # noqa: N815
    endsAt: str  # noqa: N815
    fingerprint: str
    receiver: str

    @property
    def occurrence(self) -> tuple[str, str]:
        """What tells this change from others of the same alert."""
        return self.status, self.startsAt


def fresh(message: Message, last: Mapping[str, tuple[str, str]], count: int, t_ns: int) -> list[Page]:
    """The rows to keep of a message; ``last`` maps fingerprints to the last kept occurrence, ``count`` rows so far."""
    new = [alert for alert in message.alerts if last.get(alert.fingerprint) != (alert.status, alert.startsAt)]
    return [
        Page(
            n=count + index,
            t_ns=t_ns,
            status=alert.status,
            labels=alert.labels,
            annotations=alert.annotations,
            startsAt=alert.startsAt,
            endsAt=alert.endsAt,
            fingerprint=alert.fingerprint,
            receiver=message.receiver,
        )
        for index, alert in enumerate(new)
    ]


class Book:
    """The kept rows, in memory and in an append-only file."""

    def __init__(self, path: Path) -> None:
        self.pages = _read(path)
        self._last = {page.fingerprint: page.occurrence for page in self.pages}
        self._file = path.open("ab", buffering=0)

    def keep(self, message: Message, t_ns: int) -> list[Page]:
        """Append what is new in ``message``; the rows kept. OSError when the file cannot be written."""
        pages = fresh(message, self._last, len(self.pages), t_ns)
        self._file.write(b"".join(msgspec.json.encode(page) + b"\n" for page in pages))
        self.pages += pages
        self._last |= {page.fingerprint: page.occurrence for page in pages}
        return pages

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read(path: Path) -> list[Page]:
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]  # a row cut off by a kill was never acknowledged
    if len(whole) < len(data):
        os.truncate(path, len(whole))
    return [msgspec.json.decode(line, type=Page) for line in whole.splitlines()]


class Pager:
    """The service over a book."""

    def __init__(self, book: Book) -> None:
        self.registry = CollectorRegistry()
        self._book = book
        self._kept = Counter("pager_alerts", "Alerts kept", ["status"], registry=self.registry)

    def routes(self) -> Sequence[Route]:
        """Webhook in, rows out."""
        return [Route("/webhook", self._webhook, methods=["POST"]), Route("/alerts", self._alerts)]

    def jobs(self) -> Sequence[Job]:
        """None: it only answers."""
        return ()

    def health(self) -> Mapping[str, Any]:
        """How much is kept, and what this clock says: whoever reads the stamps can look whether it is theirs."""
        return {"kept": len(self._book.pages), "t_ns": time.monotonic_ns()}

    async def stop(self) -> None:
        """Close the book."""
        self._book.close()

    async def _webhook(self, request: Request) -> Response:
        t_ns = time.monotonic_ns()
        try:
            message = await read_body(request, Message)
        except BadBody as error:
            return answer(400, {"error": "NOT_A_WEBHOOK", "says": str(error)})
        pages = self._book.keep(message, t_ns)
        for page in pages:
            self._kept.labels(page.status).inc()
        return answer(200, {"kept": len(pages)})

    async def _alerts(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            return answer(400, {"error": "AFTER", "says": f"after={after!r} is not a count"})
        return Response(msgspec.json.encode(self._book.pages[int(after) :]), media_type="application/json")


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM."""
    pager = Pager(Book(Path(config.folder) / "pager.jsonl"))
    serving.serve(pager, pager.routes(), sockets["pager"])
