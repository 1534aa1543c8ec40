"""How every service of the brokerage is served: starlette on uvicorn, on a socket somebody else has bound.

``/healthz`` answers 200 when the service can do its work and 503 with the reason when it cannot; ``/metrics`` is the
Prometheus text format. A background job that ends by an error ends the whole service: half a service is worse.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import msgspec
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BODY_LIMIT = 64 * 1024
KEEP_ALIVE_S = 600
"""Longer than any drill: a server that closes idle connections by itself would make clients guess what was received."""

Handler = Callable[[Request], Awaitable[Response]]
Job = Callable[[], Awaitable[None]]
T = TypeVar("T")


class Unhealthy(Exception):
    """The service cannot do its work now; the message says why."""


class BadBody(ValueError):
    """The request's body is not what the endpoint takes."""


class Service(Protocol):
    """What ``serve`` needs of a service."""

    registry: CollectorRegistry

    def jobs(self) -> Sequence[Job]:
        """What runs in the background for as long as it serves; a job that returns is done."""

    def health(self) -> Mapping[str, Any]:
        """Facts for /healthz; raises Unhealthy."""

    async def stop(self) -> None:
        """Give back connections; called once, last."""


def serve(service: Service, routes: Sequence[Route], sock: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then end cleanly. Exits with status 1 when a background job failed.

    ``routes`` are the service's own endpoints: they know the service, which need not know them.
    """
    log_to_stderr()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises the signal again after its own clean end
    failed: list[BaseException] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.ensure_future(job()) for job in service.jobs()]
        for task in tasks:
            task.add_done_callback(ended)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await service.stop()

    def ended(task: asyncio.Future[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            logging.critical("a background job failed; the service ends", exc_info=error)
            failed.append(error)
            server.should_exit = True

    app = Starlette(routes=[*routes, *_own_routes(service)], lifespan=lifespan)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
        )
    )
    server.run(sockets=[sock])
    if failed or not server.started:
        sys.exit(1)


def log_to_stderr() -> None:
    """Log lines with the level, the module and the time, to where the launcher has put stderr."""
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, stream=sys.stderr, force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def answer(status: int, body: Mapping[str, Any]) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def no_database(error: Exception) -> Response:
    """What operators are told when the database did not answer."""
    return answer(503, {"error": "DATABASE", "says": str(error).strip()})


async def read_body(request: Request, kind: type[T]) -> T:
    """The request's JSON body as ``kind``; BadBody when it is something else or too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_LIMIT:
            raise BadBody(f"the body is longer than {BODY_LIMIT} bytes")
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadBody(str(error)) from error


def for_operators(token: str, handler: Handler) -> Handler:
    """Only with the stack's own token; what the body lacks is answered 400."""

    async def guarded(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("x-ops-token", "").encode(), token.encode()):
            return answer(403, {"error": "FORBIDDEN", "says": "X-Ops-Token is missing or is not this stack's"})
        try:
            return await handler(request)
        except BadBody as error:
            return answer(400, {"error": "BAD_REQUEST", "says": str(error)})

    return guarded


def _own_routes(service: Service) -> list[Route]:
    async def healthz(_: Request) -> Response:
        try:
            return answer(200, {"ok": True, **service.health()})
        except Unhealthy as error:
            return answer(503, {"ok": False, "says": str(error)})

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(service.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/metrics", metrics)]
