"""What operators can ask of the api: close and open services, mark balances, list whom it concerns."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import msgspec
import psycopg
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage.api.server import LOOK_S, Api
from targets.brokerage.config import ServiceName
from targets.brokerage.database import Connection
from targets.brokerage.serving import Handler, answer, for_operators, read_body
from targets.http_async import NotSent, Unanswered

RECONCILE_S = 4.0

ADJUST = "SELECT adjust_account(%s, %s, %s, %s, %s, %s, %s)"
LATE_NS = 1_000_000_000
"""Posted so long after it was received, an execution was missing from what its customer was shown."""

AFFECTED = """SELECT account, 'unknown' FROM orders WHERE unknown_ns >= %(since)s
    UNION SELECT account, 'late' FROM executions
        WHERE (poss_dup OR mono_ns - received_ns > %(late)s) AND mono_ns >= %(since)s"""


class SetService(msgspec.Struct, frozen=True):
    """Open or close a service; ``force`` overrules a reconciliation that found differences."""

    name: ServiceName
    open: bool
    force: bool = False


class SetBalances(msgspec.Struct, frozen=True):
    """Say how balances are to be shown."""

    status: Literal["current", "not-current"]
    force: bool = False


class Adjust(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A correcting entry on an account: what for, on whose request, who approved it."""

    account: str
    yen: int
    reason: Annotated[str, msgspec.Meta(min_length=1)]
    request: Annotated[str, msgspec.Meta(min_length=1)]
    approver: Annotated[str, msgspec.Meta(min_length=1)]


def routes(api: Api) -> list[Route]:
    """All endpoints of operators, and the proof that this is a drill target."""
    endpoints = OperatorEndpoints(api)
    token = api.config.token
    shown = {"label": api.config.label, "environment": api.config.environment, "token": token}

    async def drill_target(_: Request) -> Response:
        return answer(200, shown)

    return [
        Route("/drill-target", drill_target, methods=["GET"]),
        Route("/ops/status", for_operators(token, endpoints.status), methods=["GET"]),
        Route("/ops/service", for_operators(token, _told(endpoints.service)), methods=["POST"]),
        Route("/ops/balances", for_operators(token, _told(endpoints.balances)), methods=["POST"]),
        Route("/ops/ledger/adjust", for_operators(token, _told(endpoints.adjust)), methods=["POST"]),
        Route("/ops/affected", for_operators(token, _told(endpoints.affected)), methods=["GET"]),
    ]


def _told(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except psycopg.Error as error:
            says = f"the database did not take it: {str(error).strip()}; a closure holds until the api restarts"
            return answer(503, {"error": "DATABASE", "says": says})

    return guarded


class OperatorEndpoints:
    """One method an endpoint."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def status(self, _: Request) -> Response:
        """Gates, mark and counts."""
        gates = self._api.gates
        return answer(
            200,
            {
                "ready": self._api.ready,
                "services": self._api.open_services(),
                "balances": gates.balances,
                "unknown": self._api.unknown,
                "as_of": self._api.as_of(),
                "time": self._api.clock.now().isoformat(timespec="seconds"),
            },
        )

    async def service(self, request: Request) -> Response:
        """Close at once; open ``orders`` only while the books agree with the exchange, and ``withdrawal`` only while
        none is unknown. Forced: without asking."""
        wanted = await read_body(request, SetService)
        if not wanted.open:
            await self._api.gates.restrict(wanted.name, "closed")
            return answer(200, {"name": wanted.name, "open": False})
        findings = await self._reconcile() if wanted.name == "orders" and not wanted.force else {}
        if findings.get("clean") is False:
            return answer(409, {"error": "RECONCILE_DIRTY", **findings})
        doubt = await self._in_doubt() if wanted.name == "withdrawal" and not wanted.force else ""
        if doubt:
            return answer(409, {"error": "IN_DOUBT", "says": doubt})
        await self._api.gates.relax(wanted.name, "open")
        return answer(200, {"name": wanted.name, "open": True, "forced": wanted.force, "reconcile": findings})

    async def balances(self, request: Request) -> Response:
        """Mark as not current at once; as current only while the books agree. Forced: without asking."""
        wanted = await read_body(request, SetBalances)
        if wanted.status == "not-current":
            await self._api.gates.restrict("balances", wanted.status)
            return answer(200, {"status": wanted.status})
        findings = {} if wanted.force else await self._reconcile()
        if findings.get("clean") is False:
            return answer(409, {"error": "RECONCILE_DIRTY", **findings})
        await self._api.gates.relax("balances", wanted.status)
        return answer(200, {"status": wanted.status, "forced": wanted.force, "reconcile": findings})

    async def adjust(self, request: Request) -> Response:
        """Post a correcting entry that can be traced; never a change of what was posted."""
        wanted = await read_body(request, Adjust)
        now = time.monotonic_ns()
        reference = f"A-{now}"
        values = [reference, wanted.account, wanted.yen, wanted.reason, wanted.request, wanted.approver, now]

        async def work(connection: Connection) -> bool:
            await connection.execute("SET LOCAL lock_timeout = '1500ms'")
            return bool(await (await connection.execute(ADJUST, values)).fetchone() == (True,))

        if not await self._api.line.run(work, LOOK_S):
            return answer(404, {"error": "NO_SUCH_ACCOUNT", "says": f"no account {wanted.account}"})
        return answer(200, {"reference": reference, "account": wanted.account, "yen": wanted.yen})

    async def affected(self, request: Request) -> Response:
        """Customers with an order that became unknown, a late execution, or one missing, since an instant in ns."""
        text = request.query_params.get("since_ns", "0")
        if not (text.isascii() and text.isdigit()):
            return answer(400, {"error": "BAD_REQUEST", "says": "since_ns is an instant in monotonic ns"})

        async def work(connection: Connection) -> list[tuple[Any, ...]]:
            return await (await connection.execute(AFFECTED, {"since": int(text), "late": LATE_NS})).fetchall()

        found = await self._api.line.run(work, LOOK_S)
        reasons = {why: sorted(account for account, said in found if said == why) for why in ("unknown", "late")}
        reasons["missing"] = await self._missing()
        customers = sorted({account for accounts in reasons.values() for account in accounts})
        return answer(200, {"customers": customers, **reasons})

    async def _missing(self) -> list[str]:
        """Customers whose executions the last reconciliation missed; none while the gateway does not answer."""
        try:
            _, found = await self._api.gateway.ask("GET", "/ops/status", None, LOOK_S)
        except (NotSent, Unanswered):
            return []
        return list(found.get("missing_accounts", []))

    async def _in_doubt(self) -> str:
        """Why withdrawals should stay closed; empty where nothing speaks against opening them."""
        try:
            _, found = await self._api.withdrawals.ask("GET", "/ops/status", None, LOOK_S)
        except (NotSent, Unanswered) as error:
            return f"withdrawals do not answer: {error}"
        unknown = found.get("in_doubt", "an unknown number of")
        return f"{unknown} withdrawals are unknown" if unknown else ""

    async def _reconcile(self) -> dict[str, Any]:
        """The gateway's findings; without any, they are not clean."""
        try:
            status, found = await self._api.gateway.ask("POST", "/ops/reconcile", None, RECONCILE_S)
        except (NotSent, Unanswered) as error:
            return {"clean": False, "says": f"the gateway does not answer: {error}"}
        if status != 200:
            return {"clean": False, "says": f"no reconciliation: {found.get('says', status)}"}
        says = "the books agree" if found["clean"] else "the books do not agree with the exchange"
        return {**found, "says": says}
