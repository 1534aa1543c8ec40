"""The HTTP face of withdrawals: customers' requests from the api, and what operators may ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage.api.rules import Refusal
from targets.brokerage.serving import Handler, answer, for_operators, read_body
from targets.brokerage.withdrawals.desk import WithdrawalAsked
from targets.brokerage.withdrawals.service import Withdrawals

Answered = tuple[int, dict[str, Any]]
OUTCOMES = ("completed", "rejected", "reversed")


class Decide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a withdrawal ended, as an operator says; an empty id: all that are unknown."""

    state: Literal["completed", "reversed"]
    withdrawal: str = ""


class Resend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under a new reference, or the one it was sent under."""

    new_reference: bool = False


class Tell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What customers hear of a withdrawal that the bank has not answered."""

    what: Literal["being-confirmed", "failed"]


def routes(service: Withdrawals) -> list[Route]:
    """All endpoints; each needs the stack's token."""
    faced = Endpoints(service)
    posts: dict[str, Callable[[Request], Awaitable[Answered]]] = {
        "withdrawals": faced.withdraw, "ops/resolve": faced.resolve, "ops/decide": faced.decide,
        "ops/resend": faced.resend, "ops/tell": faced.tell, "ops/notify": faced.notify, "ops/keep-log": faced.keep_log,
        "ops/session": faced.session,
    }  # fmt: skip
    gets: dict[str, Callable[[Request], Awaitable[Answered]]] = {
        "withdrawals/{account}/{key}": faced.look, "ops/status": faced.status, "ops/inquire": faced.inquire,
        "ops/probe": faced.probe,
    }  # fmt: skip
    token = service.config.token
    return [
        Route(f"/{path}", for_operators(token, _answered(each)), methods=[method])
        for method, table in (("POST", posts), ("GET", gets))
        for path, each in table.items()
    ]


def _answered(handler: Callable[[Request], Awaitable[Answered]]) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return answer(*await handler(request))
        except Refusal as refusal:
            return answer(refusal.status, {"error": refusal.code, "says": refusal.says, **refusal.fields})

    return guarded


class Endpoints:
    """One method an endpoint."""

    def __init__(self, service: Withdrawals) -> None:
        self._service = service

    async def withdraw(self, request: Request) -> Answered:
        """A customer's withdrawal."""
        return await self._service.desk.withdraw(await read_body(request, WithdrawalAsked))

    async def look(self, request: Request) -> Answered:
        """What became of one."""
        return 200, await self._service.desk.look(request.path_params["account"], request.path_params["key"])

    async def status(self, _: Request) -> Answered:
        """The link and what is unknown."""
        service = self._service
        doubt = await service.look()
        facts = {"session": service.link.log.session, "told": service.desk.told, "waiting": service.link.waiting}
        oldest = round(service.oldest_s(), 3)
        return 200, {**facts, "oldest_s": oldest, "in_doubt": doubt.count, "in_doubt_yen": doubt.yen}

    async def probe(self, _: Request) -> Answered:
        """Whether the bank answers over the link."""
        return 200, {"answers": await self._service.link.probe()}

    async def inquire(self, _: Request) -> Answered:
        """What the bank says of each that is unknown."""
        found = await self._service.settling.inquire()
        counts = Counter(each.state.replace("-", "_") for each in found)
        names = ("completed", "rejected", "absent", "no_key", "not_final", "unanswered")
        return 200, {"in_doubt": len(found), **{name: counts[name] for name in names}}

    async def resolve(self, _: Request) -> Answered:
        """Settle each by the bank's word."""
        done = await self._service.settling.resolve()
        return 200, await self._settled(Counter(done))

    async def decide(self, request: Request) -> Answered:
        """Settle one or all as the operator says."""
        wanted = await read_body(request, Decide)
        count = await self._service.settling.decide(wanted.state, wanted.withdrawal)
        if wanted.withdrawal and not count:
            raise Refusal(409, "NOT_UNKNOWN", f"{wanted.withdrawal} is not unknown")
        return 200, await self._settled(Counter({wanted.state: count}))

    async def resend(self, request: Request) -> Answered:
        """Send each again."""
        wanted = await read_body(request, Resend)
        return 200, await self._settled(Counter(await self._service.settling.resend(wanted.new_reference)))

    async def tell(self, request: Request) -> Answered:
        """Decide what customers hear."""
        wanted = await read_body(request, Tell)
        await self._service.desk.tell(wanted.what)
        return 200, {"told": self._service.desk.told}

    async def notify(self, _: Request) -> Answered:
        """Tell customers what became of theirs."""
        accounts = await self._service.settling.notify()
        return 200, {"customers": accounts, "count": len(accounts)}

    async def keep_log(self, _: Request) -> Answered:
        """Put the log of the link aside."""
        try:
            place, sha256 = self._service.link.log.keep()
        except OSError as error:
            raise Refusal(503, "LOG", f"the log was not kept: {error}") from error
        return 200, {"file": place.name, "sha256": sha256}

    async def session(self, _: Request) -> Answered:
        """Begin a new session with the bank, and its log."""
        if self._service.link.waiting:
            raise Refusal(409, "REQUESTS_WAIT", f"{self._service.link.waiting} requests still wait for the bank")
        try:
            self._service.link.renew()
        except OSError as error:
            raise Refusal(503, "LOG", f"no new session: {error}") from error
        return 200, {"session": self._service.link.log.session}

    async def _settled(self, done: Counter[str]) -> dict[str, Any]:
        return {**{name: done[name] for name in OUTCOMES}, "still_unknown": (await self._service.look()).count}
