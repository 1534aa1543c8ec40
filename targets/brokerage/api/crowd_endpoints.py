"""What operators can do about more orders than go through: the line for a slot, and the waiting room before it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage.api.server import Api
from targets.brokerage.serving import answer, for_operators, read_body


class SetQueue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is not named stays. ``priority``: of cancels and closing orders; ``overflow``: of what finds no slot."""

    slots: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    wait_s: Annotated[float, msgspec.Meta(gt=0, le=600)] | None = None
    priority: bool | None = None
    overflow: Literal["wait", "store"] | None = None


class Expire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Send away who has waited so long."""

    older_s: Annotated[float, msgspec.Meta(ge=0)]


class SetRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many purchases a second are let in; 0: all, and the room is closed."""

    per_s: Annotated[float, msgspec.Meta(ge=0, le=10_000)]


def routes(api: Api) -> list[Route]:
    """All endpoints; each needs the stack's token."""
    endpoints = CrowdEndpoints(api)
    gets = {"queue": endpoints.queue, "room": endpoints.room}
    posts = {"queue": endpoints.set_queue, "queue/expire": endpoints.expire, "room": endpoints.set_room}
    token = api.config.token
    return [
        *(Route(f"/ops/{name}", for_operators(token, each), methods=["POST"]) for name, each in posts.items()),
        *(Route(f"/ops/{name}", for_operators(token, each), methods=["GET"]) for name, each in gets.items()),
    ]


class CrowdEndpoints:
    """One method an endpoint."""

    def __init__(self, api: Api) -> None:
        self._slots = api.slots
        self._room = api.room

    async def queue(self, _: Request) -> Response:
        """The line as it stands."""
        return answer(200, self._slots.facts())

    async def set_queue(self, request: Request) -> Response:
        """Its size, its order, and for how long somebody may stand in it."""
        wanted = await read_body(request, SetQueue)
        if wanted.wait_s is not None:
            self._slots.wait_s = wanted.wait_s
        if wanted.priority is not None:
            self._slots.prefer(wanted.priority)
        if wanted.overflow is not None:
            self._slots.stores = wanted.overflow == "store"
        if wanted.slots is not None:
            self._slots.resize(wanted.slots)
        return answer(200, self._slots.facts())

    async def expire(self, request: Request) -> Response:
        """Send away who has waited too long."""
        wanted = await read_body(request, Expire)
        expired = self._slots.expire(wanted.older_s)
        return answer(200, {"expired": expired, **self._slots.facts()})

    async def room(self, _: Request) -> Response:
        """The waiting room as it stands."""
        return answer(200, self._room.facts())

    async def set_room(self, request: Request) -> Response:
        """How many are let in."""
        self._room.let_in((await read_body(request, SetRoom)).per_s)
        return answer(200, self._room.facts())
