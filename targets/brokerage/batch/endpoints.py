"""What operators can ask of the batch and of the database's sessions."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import psycopg
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage.batch.checks import check, executions_clean
from targets.brokerage.batch.locks import terminate
from targets.brokerage.batch.scheduler import Conflict
from targets.brokerage.batch.service import Batch
from targets.brokerage.database import Connection
from targets.brokerage.serving import Handler, answer, for_operators, no_database, read_body

TERMINATE_S = 3.0
STATUS_OF = {"NO_SUCH_ACCOUNT": 404, "NO_SUCH_JOB": 404}


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Go on; ``isolate`` names an account to be taken out of its chunk."""

    isolate: str | None = None


class Rerun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Do a job again; ``from_start`` ignores its checkpoint."""

    job: str
    from_start: bool = False


class Terminate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which session to end."""

    pid: int | Literal["root-blocker"]


def routes(batch: Batch) -> list[Route]:
    """All of them."""
    endpoints = OperatorEndpoints(batch)
    posts = {
        "/ops/batch/hold": endpoints.hold,
        "/ops/batch/cancel": endpoints.cancel,
        "/ops/batch/resume": endpoints.resume,
        "/ops/batch/rerun": endpoints.rerun,
        "/ops/sessions/terminate": endpoints.terminate,
    }
    gets = {"/ops/batch": endpoints.status, "/ops/batch/verify": endpoints.verify, "/ops/locks": endpoints.locks}
    token = batch.config.token
    made = [Route(path, for_operators(token, _told(call)), methods=["POST"]) for path, call in posts.items()]
    return made + [Route(path, for_operators(token, _told(call)), methods=["GET"]) for path, call in gets.items()]


def _told(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except Conflict as error:
            return answer(STATUS_OF.get(error.code, 409), {"error": error.code, "says": str(error)})
        except psycopg.Error as error:
            return no_database(error)

    return guarded


class OperatorEndpoints:
    """One method an endpoint."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._scheduler = batch.scheduler

    async def status(self, _: Request) -> Response:
        """Where the night stands."""
        return answer(200, await self._status())

    async def hold(self, _: Request) -> Response:
        """Stop at the next checkpoint and wait."""
        self._scheduler.hold()
        return answer(200, await self._status())

    async def cancel(self, _: Request) -> Response:
        """Roll back to the last checkpoint now."""
        await self._scheduler.cancel()
        return answer(200, await self._status())

    async def resume(self, request: Request) -> Response:
        """Go on from the checkpoint."""
        await self._scheduler.resume((await read_body(request, Resume)).isolate)
        return answer(200, await self._status())

    async def rerun(self, request: Request) -> Response:
        """Do a job again, and all after it."""
        wanted = await read_body(request, Rerun)
        self._scheduler.rerun(wanted.job, wanted.from_start)
        return answer(200, await self._status())

    async def verify(self, _: Request) -> Response:
        """What the books say about the night's work."""

        async def work(connection: Connection) -> dict[str, Any]:
            return await check(connection, self._scheduler.night.day)

        found = await self._batch.watched(work)
        return answer(200, {**found, "executions_clean": await executions_clean(self._batch.gateway)})

    async def locks(self, _: Request) -> Response:
        """Who blocks others right now."""
        await self._batch.watched(self._batch.locks.look)
        return answer(200, self._batch.locks.shown())

    async def terminate(self, request: Request) -> Response:
        """End one session of the database; its transaction is rolled back."""
        wanted = (await read_body(request, Terminate)).pid
        pid = self._batch.locks.shown()["pid"] if wanted == "root-blocker" else wanted
        if pid is None:
            return answer(409, {"error": "NO_BLOCKER", "says": "nobody blocks anybody"})

        async def work(connection: Connection) -> str | None:
            return await terminate(connection, int(pid))

        job = await self._batch.watched(work, TERMINATE_S)
        if job is None:
            return answer(404, {"error": "NO_SUCH_SESSION", "says": f"no session of this database has pid {pid}"})
        self._batch.locks.forget(int(pid))
        return answer(200, {"terminated": True, "pid": pid, "job": job})

    async def _status(self) -> dict[str, Any]:
        scheduler, opening_s = self._scheduler, self._batch.clock.seconds_until(self._batch.config.batch.opening)
        remaining = 0.0 if scheduler.state == "done" else self._batch.remaining_s()
        return {
            "state": scheduler.state,
            "job": scheduler.job,
            "attempt": scheduler.attempt,
            "done": scheduler.progress.done,
            "total": scheduler.progress.total,
            "held": scheduler.held,
            "pid": scheduler.pid,
            "says": scheduler.says,
            "forecast_s": None if remaining is None else round(remaining, 3),
            "opening_s": round(opening_s, 3),
            "overdue": opening_s < 0 and scheduler.state != "done",
            "isolated": await self._batch.record.isolated(),
            "jobs": list((await self._batch.record.runs(scheduler.night.day)).values()),
        }
