"""Toxiproxy's HTTP API (2.12). Errors are ``{"error": words, "status": code}`` with that status code."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import UNSET
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from faults.proxy.bodies import (
    ApiError,
    ProxyBody,
    ProxyChange,
    ToxicBody,
    ToxicChange,
    answer,
    checked,
    merged,
    parsed,
    parsed_list,
    shaped,
)
from faults.proxy.metrics import CONTENT_TYPE, exposition
from faults.proxy.proxy import DIRECTIONS, CannotListen, Proxies, Proxy
from faults.proxy.toxics import TOXICS, Attached

VERSION = "2.12.0-kunren"
REQUEST_ID = "X-Toxiproxy-Request-Id"
REFUSALS = (ApiError, CannotListen, OSError, ValueError)
"""What a handler may raise, and the client gets to see."""
Handler = Callable[[Request], Awaitable[Response]]


class Api:
    """The handlers. Changes are made one at a time, so that no two interleave while a port is being opened."""

    def __init__(self, proxies: Proxies) -> None:
        self.proxies = proxies
        self._changing = asyncio.Lock()

    def proxy(self, request: Request) -> Proxy:
        """The proxy a path names, or 404."""
        found = self.proxies.get(request.path_params["proxy"])
        if found is None:
            raise ApiError("proxy not found", 404)
        return found

    def toxic(self, request: Request) -> Attached:
        """The toxic a path names, or 404."""
        found = self.proxy(request).find(request.path_params["toxic"])
        if found is None:
            raise ApiError("toxic not found", 404)
        return found

    async def index(self, request: Request) -> Response:
        """``GET /proxies``."""
        return answer({name: proxy.plain() for name, proxy in self.proxies.items()})

    async def create(self, request: Request) -> Response:
        """``POST /proxies``."""
        body = parsed(await request.body(), ProxyBody)
        checked(body, "")
        if body.name in self.proxies:
            raise ApiError("proxy already exists", 409)
        return answer((await self._open(body)).plain(), 201)

    async def show(self, request: Request) -> Response:
        """``GET /proxies/{proxy}``."""
        return answer(self.proxy(request).plain())

    async def update(self, request: Request) -> Response:
        """``POST`` or ``PATCH /proxies/{proxy}``."""
        proxy = self.proxy(request)
        body = parsed(await request.body(), ProxyChange)
        listen = proxy.listen if body.listen is UNSET else body.listen
        upstream = proxy.upstream if body.upstream is UNSET else body.upstream
        enabled = proxy.enabled if body.enabled is UNSET else body.enabled
        await proxy.update(listen, upstream, enabled)
        return answer(proxy.plain())

    async def delete(self, request: Request) -> Response:
        """``DELETE /proxies/{proxy}``."""
        proxy = self.proxy(request)
        proxy.stop()
        del self.proxies[proxy.name]
        return Response(status_code=204)

    async def toxics(self, request: Request) -> Response:
        """``GET /proxies/{proxy}/toxics``."""
        return answer(list(self.proxy(request).all_toxics()))

    async def add_toxic(self, request: Request) -> Response:
        """``POST /proxies/{proxy}/toxics``; 200, as in the original."""
        proxy = self.proxy(request)
        body = parsed(await request.body(), ToxicBody)
        if body.stream.lower() not in DIRECTIONS:
            raise ApiError("stream was invalid, can be either upstream or downstream", 400)
        if body.type not in TOXICS:
            raise ApiError("invalid toxic type", 400)
        name = body.name or f"{body.type}_{body.stream}"
        if proxy.find(name) is not None:
            raise ApiError("toxic already exists", 409)
        attributes = shaped(body.attributes, TOXICS[body.type])
        toxic = Attached(name, body.type, body.stream, body.toxicity, attributes)
        proxy.add(toxic)
        return answer(toxic)

    async def show_toxic(self, request: Request) -> Response:
        """``GET /proxies/{proxy}/toxics/{toxic}``."""
        return answer(self.toxic(request))

    async def update_toxic(self, request: Request) -> Response:
        """``POST`` or ``PATCH /proxies/{proxy}/toxics/{toxic}``."""
        toxic = self.toxic(request)
        body = parsed(await request.body(), ToxicChange)
        toxic.attributes = merged(toxic.attributes, body.attributes)
        if body.toxicity is not UNSET:
            toxic.toxicity = body.toxicity
        self.proxy(request).changed(toxic)
        return answer(toxic)

    async def delete_toxic(self, request: Request) -> Response:
        """``DELETE /proxies/{proxy}/toxics/{toxic}``."""
        self.proxy(request).remove(self.toxic(request))
        return Response(status_code=204)

    async def populate(self, request: Request) -> Response:
        """``POST /populate``: create what is missing, replace what differs, leave the rest alone."""
        done: list[Proxy] = []
        try:
            bodies = parsed_list(await request.body(), ProxyBody)
            for number, body in enumerate(bodies, 1):
                checked(body, f" at proxy {number}")
            for body in bodies:
                done.append(await self._replace(body))  # noqa: PERF401  what was done before an error is shown
        except REFUSALS as error:
            return answer({"error": str(error), "status": status_of(error), "proxies": shown(done)}, status_of(error))
        return answer({"proxies": shown(done)}, 201)

    async def reset(self, request: Request) -> Response:
        """``POST /reset``: every proxy open, no toxics."""
        for proxy in self.proxies.values():
            await proxy.start()
            for toxic in list(proxy.all_toxics()):
                proxy.remove(toxic)
        return Response(status_code=204)

    async def version(self, request: Request) -> Response:
        """``GET /version``."""
        return answer({"version": VERSION})

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics``, in the Prometheus text format."""
        return Response(exposition(self.proxies), media_type=CONTENT_TYPE)

    def alone(self, handler: Handler) -> Handler:
        """The handler, never at the same time as another that changes something."""

        async def locked(request: Request) -> Response:
            async with self._changing:
                return await handler(request)

        return locked

    async def _open(self, body: ProxyBody) -> Proxy:
        proxy = Proxy(body.name, body.listen, body.upstream)
        if body.enabled:
            await proxy.start()
        self.proxies[proxy.name] = proxy
        return proxy

    async def _replace(self, body: ProxyBody) -> Proxy:
        existing = self.proxies.get(body.name)
        if existing is not None and existing.same(body.listen, body.upstream):
            return existing
        if existing is not None:
            existing.stop()
        return await self._open(body)


def shown(proxies: list[Proxy]) -> list[dict[str, Any]] | None:
    """As ``populate`` answers: no proxies are null."""
    return [proxy.plain() for proxy in proxies] or None


def status_of(error: Exception) -> int:
    """What is not the client's fault is a 500."""
    return error.status if isinstance(error, ApiError) else 500


async def refused(request: Request, error: Exception) -> Response:
    """An error as the client gets it."""
    return numbered(answer({"error": str(error), "status": status_of(error)}, status_of(error)))


def numbered(response: Response) -> Response:
    """The response with a request's id of its own, in the form of the original: 20 digits and small letters."""
    response.headers[REQUEST_ID] = base64.b32hexencode(os.urandom(12)).decode().rstrip("=").lower()
    return response


async def no_such_page(request: Request, error: Exception) -> Response:
    """404 for a path that is not in the API."""
    return PlainTextResponse("404 page not found\n", 404)


async def no_such_method(request: Request, error: Exception) -> Response:
    """405."""
    return Response(status_code=405)


def no_browsers(handler: Handler) -> Handler:
    """The handler, but 403 for browsers: a web page must not be able to drive the proxy."""

    async def guarded(request: Request) -> Response:
        if request.headers.get("user-agent", "").startswith("Mozilla/"):
            return numbered(PlainTextResponse("User agent not allowed\n", 403))
        return numbered(await handler(request))

    return guarded


def route(methods: str, path: str, handler: Handler) -> Route:
    """One row of the API; HEAD, which Starlette adds to GET, is not in it."""
    made = Route(path, no_browsers(handler), methods=methods.split())
    made.methods = set(methods.split())
    return made


def app(proxies: Proxies) -> ASGIApp:
    """The application that serves these proxies."""
    api = Api(proxies)
    one, toxics = "/proxies/{proxy}", "/proxies/{proxy}/toxics"
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/proxies", api.index),
        ("POST", "/proxies", api.alone(api.create)),
        ("GET", one, api.show),
        ("POST PATCH", one, api.alone(api.update)),
        ("DELETE", one, api.alone(api.delete)),
        ("GET", toxics, api.toxics),
        ("POST", toxics, api.alone(api.add_toxic)),
        ("GET", toxics + "/{toxic}", api.show_toxic),
        ("POST PATCH", toxics + "/{toxic}", api.alone(api.update_toxic)),
        ("DELETE", toxics + "/{toxic}", api.alone(api.delete_toxic)),
        ("POST", "/populate", api.alone(api.populate)),
        ("POST", "/reset", api.alone(api.reset)),
        ("GET", "/version", api.version),
        ("GET", "/metrics", api.metrics),
    ]
    errors: dict[Any, Any] = {**dict.fromkeys(REFUSALS, refused), 404: no_such_page, 405: no_such_method}
    served = Starlette(routes=[route(*row) for row in table], exception_handlers=errors)
    served.router.redirect_slashes = False
    return served
