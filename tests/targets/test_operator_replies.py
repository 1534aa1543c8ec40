"""What the brokerage's commands really reply is what they declare: the services in one loop, on a real database.

brokerctl runs as typed; between it and the services only the wire is left out.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from starlette.applications import Starlette

from targets.brokerage import brokerctl
from targets.brokerage import config as brokerage
from targets.brokerage.api import crowd_endpoints, operator_endpoints
from targets.brokerage.api.server import Api
from targets.brokerage.batch import endpoints as of_the_batch
from targets.brokerage.batch.jobs import JOBS
from targets.brokerage.batch.service import STATES, Batch
from targets.brokerage.config import ApiConfig, GatewayConfig
from targets.brokerage.gateway import endpoints as of_the_gateway
from targets.brokerage.gateway.reconcile import Findings
from targets.brokerage.operations import batch, host, session
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.tool import TOOL
from targets.operator_tool import Command

from .night import night
from .night import poll as until
from .rig import Rig, rig
from .shapes import misfits
from .stack import Database
from .test_brokerctl import Fake, fake
from .test_front import IN_FRONT
from .test_mail import OF_MAIL

__all__ = ["fake"]

ADJUST = "ledger adjust --account C-0001 --yen -5 --reason r --request q --approver somebody-else"
AT_REST = (
    "status", "gateway status", "gateway probe B", "reconcile", "gateway resolve", "gateway resend", "notices resend",
    "service close orders", "service close orders", "status", "service open orders", "service open orders",
    "service close inquiry", "service open inquiry", "service close orders", "service open orders --force",
    "balances mark-not-current", "balances mark-not-current", "balances mark-current", "balances mark-current",
    "balances mark-not-current", "balances mark-current --force", "customers affected --since 60s",
    "gateway use-link A", "gateway drain --within 20", ADJUST,
    "queue show", "queue priority on", "queue wait 2", "queue slots 12", "queue expire 2", "queue priority off",
    "queue overflow wait", "queue capacity", "orders checks off", "orders checks on",
    "service close pages", "service open pages",
    "room show", "room open 24", "room show", "room close",
)  # fmt: skip
CUT = ("status", "gateway status", "gateway probe A", "gateway use-link B")
AFTERWARDS = ("gateway resend", "gateway resolve", "reconcile", "customers affected --since 60s")
BEFORE_THE_NIGHT = ("batch status", "batch verify", "locks show", "batch hold", "batch hold", "batch resume")
IN_THE_NIGHT = ("batch status", "locks show", "batch cancel")
AFTER_THE_NIGHT = ("batch status", "batch verify", "batch rerun statements")
BLOCKED = ("locks show", "session terminate root-blocker")
LOCK = "SELECT 1 FROM accounts WHERE id = 'C-0008' FOR UPDATE"
WITHIN_S = 60.0
PATIENT = {"api": ApiConfig(ack_timeout_s=10.0), "gateway": GatewayConfig(logon_s=5.0, request_s=10.0)}
"""What a busy machine needs, for nothing is to go wrong here but what is wanted."""

NUMBERS = (
    ("limits",),
    ("numbers", "show"),
    *(("numbers", "extend", side, "8") for side in ("exchange", "gateway", "column", "sequence")),
    ("numbers", "cycle", "off"),
    ("numbers", "overflow", "refuse"),
    ("numbers", "use-range", "1"),
    ("numbers", "try", "10000000"),
    ("numbers", "duplicates"),
)

WITHDRAWALS = (
    *(("withdrawals", verb) for verb in ("show", "probe", "keep-log", "new-session", "inquire", "resolve", "notify")),
    *(("withdrawals", verb, "--all") for verb in ("complete", "reverse")),
    ("withdrawals", "resend"),
    ("withdrawals", "tell", "failed"),
)

HOST = ("host restart gateway", "host kill --signal CONT")


def command_of(words: str) -> Command:
    command = TOOL.command([TOOL.name, *words.split()])
    assert command is not None
    return command


def test_every_command_is_asked_here() -> None:
    day, night = (*AT_REST, *CUT, *AFTERWARDS), (*BEFORE_THE_NIGHT, *IN_THE_NIGHT, *AFTER_THE_NIGHT, *BLOCKED)
    others = (("volume", "show", "relay-log"), ("synthetic", "order"))
    front = [
        " ".join(words) for words in (*IN_FRONT, *others, *NUMBERS, *WITHDRAWALS, *OF_MAIL)
    ]  # asked there, or by its drill, of real processes
    assert {command_of(words).name for words in (*day, *night, *HOST, *front)} == {
        command.name for command in TOOL.commands
    }


def test_names_that_services_have_elsewhere_are_the_same() -> None:
    assert batch.STATES == STATES
    assert batch.JOBS == JOBS
    assert tuple(session.FINDINGS) == Findings.__struct_fields__


@dataclass(frozen=True)
class Wire:
    """Takes requests to the services of one loop, for brokerctl and for the services themselves."""

    config: brokerage.Config
    apps: dict[str, Starlette]

    async def ask(self, service: str, method: str, path: str, body: Any) -> tuple[int, Any]:
        target, _, query = path.partition("?")
        scope = {
            "type": "http", "method": method, "path": target, "query_string": query.encode(), "root_path": "",
            "headers": [(b"x-ops-token", self.config.token.encode())],
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.apps[service](scope, receive, send)
        return sent[0]["status"], json.loads(b"".join(each.get("body", b"") for each in sent[1:]))

    async def fits(self, words: str) -> None:
        """The command is done, and its reply is as declared."""
        argv = ["--stack", self.config.folder, "--role", "duty-manager", "--env", "drill", *words.split()]
        outcome = await asyncio.to_thread(brokerctl.run, argv)
        assert outcome.exit == 0, f"{words}: {outcome.says}"
        assert misfits(command_of(words).reply, outcome.as_json()) == [], words


@dataclass(frozen=True)
class Peer:
    """The gateway, as the api and the batch ask it."""

    wire: Wire

    async def ask(self, method: str, path: str, body: Any, within_s: float) -> tuple[int, Any]:
        return await self.wire.ask("gateway", method, path, body)

    def close(self) -> None: ...


RUNNING = {name: {"pid": 7, "state": "running", "exit": None} for name in host.HOSTED} | {
    "mail": {"pid": 8, "state": "exited", "exit": -9}
}


def connect(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on brokerctl reaches the services of this loop, and a launcher that says what runs."""
    loop = asyncio.get_running_loop()

    def ask(self: Stack, service: str, method: str, path: str, body: Any = None, timeout_s: float = 0) -> Any:
        asked = wire.ask(service, method, path, body)
        status, found = asyncio.run_coroutine_threadsafe(asked, loop).result(20)
        return self._judge(service, status, found)

    monkeypatch.setattr(Stack, "ask", ask)
    monkeypatch.setattr(Stack, "control", lambda self, request, timeout_s=0: {"ok": True, "services": RUNNING})
    brokerage.save(wire.config)


async def no_notice_waits(made: Rig) -> None:
    """As the mail service would see to."""
    await made.until(made.whole)
    made.database.rows("UPDATE outbox SET state = 'sent'")


def test_the_day(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def whole() -> None:
        async with rig(tmp_path, database, **PATIENT) as made:
            via = {**made.config.via, "api-pg": database.port}
            api = Api(msgspec.structs.replace(made.config, via=via))
            of_the_api = [*operator_endpoints.routes(api), *crowd_endpoints.routes(api)]
            routes = {"gateway": of_the_gateway.routes(made.gateway), "api": of_the_api}
            wire = Wire(api.config, {name: Starlette(routes=each) for name, each in routes.items()})
            api.gateway = Peer(wire)  # type: ignore[assignment]
            connect(wire, monkeypatch)
            try:
                await api._begin()
                await made.trade(5)
                await no_notice_waits(made)
                for words in AT_REST:
                    await wire.fits(words)
                made.relays["A"].silent = True
                made.config = msgspec.structs.replace(made.config, api=ApiConfig(ack_timeout_s=0.2))
                await made.trade(3)
                await made.until(lambda: made.gateway.session_word() == "silent")
                for words in (*CUT, *AFTERWARDS):
                    await wire.fits(words)
            finally:
                await api.stop()

    asyncio.run(whole())


def test_the_night(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def whole() -> None:
        async with night(tmp_path, database) as made:
            service = Batch(made.config)
            wire = Wire(made.config, {"batch": Starlette(routes=of_the_batch.routes(service))})
            service.gateway = Silent()  # type: ignore[assignment]
            connect(wire, monkeypatch)
            scheduler = service.scheduler
            try:
                await scheduler.recall()
                for words in BEFORE_THE_NIGHT:
                    await wire.fits(words)
                with psycopg.connect(database.dsn) as holder:
                    holder.execute(LOCK)
                    scheduler.start()
                    await until(lambda: somebody_waits(database), WITHIN_S)
                    for words in IN_THE_NIGHT:
                        await wire.fits(words)
                await wire.fits("batch resume --isolate C-0008")
                await until(lambda: scheduler.state == "done", WITHIN_S)
                for words in AFTER_THE_NIGHT:
                    await wire.fits(words)
                await until(lambda: scheduler.state == "done", WITHIN_S)
                while service.locks.blockers():  # a session that is gone is remembered for a while
                    await service.watched(service.locks.look)
                    await asyncio.sleep(0.05)
                await blocked(wire, database)
            finally:
                await service.stop()

    asyncio.run(whole())


class Silent:
    """A gateway that answers a reconciliation with nothing that helps."""

    async def ask(self, *_: object) -> tuple[int, Any]:
        return 503, {}

    def close(self) -> None: ...


def somebody_waits(database: Database) -> bool:
    return bool(database.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


async def blocked(wire: Wire, database: Database) -> None:
    """Somebody holds a row that somebody else waits for, until the root blocker's session is ended."""
    with psycopg.connect(database.dsn) as one, psycopg.connect(database.dsn) as other:
        one.execute(LOCK)
        waiting = asyncio.create_task(asyncio.to_thread(other.execute, LOCK))
        try:
            await until(lambda: somebody_waits(database), WITHIN_S)
            for words in BLOCKED:
                await wire.fits(words)
        finally:
            one.close()  # whatever went wrong: else the other waits for ever
            await waiting


def test_the_host(fake: Fake) -> None:
    fake.replies["GET /healthz"] = (200, {"ok": True})
    fake.processes["mail"]["pid"] = os.getpid()
    for words in (HOST[0], f"{HOST[1]} {os.getpid()}"):
        argv = ["--stack", str(fake.folder), "--role", "operator", "--env", "drill", *words.split()]
        outcome = brokerctl.run(argv)
        assert outcome.exit == 0, outcome.says
        assert misfits(command_of(words).reply, outcome.as_json()) == []
