"""What operators can do about more orders than go through: the line for a slot, and the waiting room before it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage.api.capacity import Unmeasured
from targets.brokerage.api.server import Api
from targets.brokerage.config import Overflow
from targets.brokerage.serving import answer, for_operators, read_body


class SetQueue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is not named stays. ``priority``: of cancels and closing orders; ``overflow``: of what finds no slot."""

    slots: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    wait_s: Annotated[float, msgspec.Meta(gt=0, le=600)] | None = None
    priority: bool | None = None
    overflow: Overflow | None = None


class Expire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Send away who has waited so long."""

    older_s: Annotated[float, msgspec.Meta(ge=0)]


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long to measure what the exchange session takes, in seconds."""

    within_s: Annotated[float, msgspec.Meta(ge=0.5, le=10)] = 2.0


class SetChecks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether orders are checked against what their customers have."""

    on: bool


class SetRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many purchases a second are let in; 0: all, and the room is closed."""

    per_s: Annotated[float, msgspec.Meta(ge=0, le=10_000)]


def routes(api: Api) -> list[Route]:
    """All endpoints; each needs the stack's token."""
    endpoints = CrowdEndpoints(api)
    gets = {"queue": endpoints.queue, "room": endpoints.room}
    posts = {
        "queue": endpoints.set_queue, "queue/expire": endpoints.expire, "room": endpoints.set_room,
        "capacity": endpoints.measure, "checks": endpoints.set_checks,
    }  # fmt: skip
    token = api.config.token
    return [
        *(Route(f"/ops/{name}", for_operators(token, each), methods=["POST"]) for name, each in posts.items()),
        *(Route(f"/ops/{name}", for_operators(token, each), methods=["GET"]) for name, each in gets.items()),
    ]


class CrowdEndpoints:
    """One method an endpoint."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._slots = api.slots
        self._room = api.room

    def _line(self) -> dict[str, Any]:
        return {**self._slots.facts(), "arriving_per_s": self._api.capacity.arriving.per_s()}

    async def queue(self, _: Request) -> Response:
        """The line as it stands."""
        return answer(200, self._line())

    async def set_queue(self, request: Request) -> Response:
        """Its size, its order, and for how long somebody may stand in it."""
        wanted = await read_body(request, SetQueue)
        if wanted.wait_s is not None:
            self._slots.wait_s = wanted.wait_s
        if wanted.priority is not None:
            self._slots.prefer(wanted.priority)
        if wanted.overflow is not None:
            self._slots.overflow = wanted.overflow
        if wanted.slots is not None:
            self._slots.resize(wanted.slots)
        return answer(200, self._line())

    async def expire(self, request: Request) -> Response:
        """Send away who has waited too long."""
        wanted = await read_body(request, Expire)
        expired = self._slots.expire(wanted.older_s)
        return answer(200, {"expired": expired, **self._line()})

    async def measure(self, request: Request) -> Response:
        """How many orders a second the exchange takes; not while customers come."""
        wanted = await read_body(request, Measure)
        try:
            per_s = await self._api.capacity.measure(self._api.gateway, wanted.within_s)
        except Unmeasured as error:
            return answer(503, {"error": "NOT_MEASURED", "says": str(error)})
        return answer(200, {"per_s": per_s})

    async def set_checks(self, request: Request) -> Response:
        """Check orders before they are taken, or not."""
        wanted = await read_body(request, SetChecks)
        await self._api.gates.relax("order-checks", "on" if wanted.on else "off")
        return answer(200, {"on": wanted.on})

    async def room(self, _: Request) -> Response:
        """The waiting room as it stands."""
        return answer(200, self._room.facts())

    async def set_room(self, request: Request) -> Response:
        """How many are let in."""
        self._room.let_in((await read_body(request, SetRoom)).per_s)
        return answer(200, self._room.facts())
