"""What operators can ask of the mail service, and have it do."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import msgspec
import psycopg
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage.mail import outbox
from targets.brokerage.mail.component import RESERVE, SPOOL
from targets.brokerage.mail.service import WITHIN_S, AgentSilent, Mail
from targets.brokerage.serving import Handler, answer, for_operators, no_database, read_body


class UseVolume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where notices are to be written."""

    volume: str

    def __post_init__(self) -> None:
        if self.volume not in (SPOOL.name, RESERVE.name):
            raise ValueError(f"no volume {self.volume} of the spool")


class Resend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``missing``: what has been lost on its way; ``all``: everything since then, whatever has become of it."""

    what: Literal["missing", "all"]
    since_ns: int = 0


def routes(mail: Mail) -> list[Route]:
    """All endpoints; each needs the stack's token."""
    endpoints, token = MailEndpoints(mail), mail.config.token
    posts = {"spool": endpoints.use, "resend": endpoints.resend, "mark-sent": endpoints.mark_sent}
    gets = {"status": endpoints.status, "missing": endpoints.missing}
    return [
        *(Route(f"/ops/{name}", for_operators(token, _told(each)), methods=["POST"]) for name, each in posts.items()),
        *(Route(f"/ops/{name}", for_operators(token, _told(each)), methods=["GET"]) for name, each in gets.items()),
    ]


def _told(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except psycopg.Error as error:
            return no_database(error)
        except AgentSilent as error:
            return answer(503, {"error": "AGENT_SILENT", "says": f"the mail agent does not answer: {error}"})

    return guarded


class MailEndpoints:
    """One method an endpoint."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    async def status(self, _: Request) -> Response:
        """Where notices are written, how many wait before and in the spool, and the volumes as they are seen here."""
        return answer(200, self._facts())

    async def missing(self, _: Request) -> Response:
        """How many count as sent, and are nowhere."""
        return answer(200, {"missing": len(await self._mail.missing())})

    async def use(self, request: Request) -> Response:
        """Have notices written to another volume from now on. What lies in the first one stays there for the agent."""
        wanted = await read_body(request, UseVolume)
        await self._mail.line.run(partial(outbox.choose, volume=wanted.volume), WITHIN_S)
        return answer(200, {"volume": wanted.volume})

    async def resend(self, request: Request) -> Response:
        """Have notices written once more."""
        wanted, line = await read_body(request, Resend), self._mail.line
        if wanted.what == "all":
            return answer(
                200, {"resent": await line.run(partial(outbox.send_anew, since_ns=wanted.since_ns), WITHIN_S)}
            )
        missing = await self._mail.missing()
        await line.run(partial(outbox.send_again, exec_ids=missing), WITHIN_S)
        return answer(200, {"resent": len(missing)})

    async def mark_sent(self, _: Request) -> Response:
        """Nothing waits any more, by the outbox."""
        return answer(200, {"marked": await self._mail.line.run(outbox.write_off, WITHIN_S)})

    def _facts(self) -> dict[str, Any]:
        mail = self._mail
        return {
            "volume": mail.use, "waiting": mail.waiting(), "pending": mail.pending, "refusing": bool(mail.refused),
            "open": [], "volumes": mail.volumes.facts(),
        }  # fmt: skip
