"""A running stack of the mini-brokerage, seen from outside through its folder.

A stack lives in a folder of its own below the cache and is described there by ``config.json``; any process that can
read that file can attach to it (``attach``), which is how a dead run is healed.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg

from targets import http_sync, silence
from targets.brokerage import config as brokerage
from targets.brokerage import postgres, toolserver
from targets.brokerage.books import read_book
from targets.brokerage.clock import open_day
from targets.brokerage.condition import asked
from targets.brokerage.declaration import QUERIES
from targets.brokerage.edge import certificates
from targets.brokerage.monitor import rules, webhook
from targets.brokerage.operations import audit
from targets.brokerage.operations.tool import TOOL
from targets.brokerage.plant import CONDITIONS, Planting
from targets.brokerage.programs import BROKERCTL
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.volumes import keeping
from targets.brokerage.world import account_names, create_schema, load_world
from targets.logs import last_words
from targets.own_errors import raise_if_own
from targets.ports import accepts
from targets.target import (
    SYNTHETIC,
    Alert,
    Alerts,
    Answer,
    Books,
    BusinessClock,
    Capabilities,
    Conditions,
    Cut,
    Gauged,
    Intent,
    Link,
    OperatorAccess,
    Partitioning,
    ProbeResult,
    Proxies,
    ServiceState,
    Target,
    TargetError,
    Typed,
    Unlabelled,
)
from targets.toxiproxy import ToxiproxyClient

BY_HAND = BROKERCTL.name
"""It reaches every service directly."""

START_WITHIN_S = 30.0

CAPACITY_S = 2.0
"""For how long test orders are sent to find out how many are taken."""

NO_LIMIT = "ordinary folder, no limit"


@cache
def capabilities() -> Capabilities:
    """All of the mini-brokerage's links, services, books, alerts, accounts and what can be planted in its data."""
    groups = rules.load_all(TOPOLOGY.rules.values())
    alerts = frozenset(rule.alert for group in groups for rule in group.rules)
    links, services, numbers = frozenset(TOPOLOGY.links), frozenset(TOPOLOGY.services), brokerage.settings()
    linked, every = services & TOPOLOGY.linked, numbers["monitor.scrape_interval_s"]
    return Capabilities(
        links,
        services,
        tuple(TOPOLOGY.books),
        TOOL,
        True,
        CONDITIONS,
        linked,
        alerts,
        own_books=TOPOLOGY.own_books,
        accounts=account_names(),
        monitor_interval_s=every,
        settings=numbers,
        adjustable=frozenset(brokerage.adjustable()),
        volumes=frozenset(TOPOLOGY.limited),
        limited=frozenset(TOPOLOGY.limited if keeping.way() else ()),
    )


class Stack(Target):
    """A running stack, seen from outside through its folder."""

    name = "local"

    def __init__(self, config: brokerage.Config) -> None:
        self.config = config
        self.folder = Path(config.folder)
        self._proxies = ToxiproxyClient("127.0.0.1", config.ports[TOPOLOGY.proxy])

    def capabilities(self) -> Capabilities:
        """The same for every stack."""
        return capabilities()

    def engines(self) -> Mapping[str, str]:
        """Proxy engine and database with their versions; what limits its volumes."""
        volume = keeping.described() or NO_LIMIT
        return {"proxy": self._proxies.engine(), "database": postgres.version(), "volume": volume}

    def handshake(self) -> ProbeResult:
        """The api itself shows label, environment and token; Unlabelled when one of them is not ours."""
        seen = self._get_json(self.config.ports["api"], "/drill-target")
        wanted = {"label": brokerage.LABEL, "environment": self.config.environment, "token": self.config.token}
        if seen != wanted:
            raise Unlabelled(f"{self.customers_url()} does not show the drill label and token of {self.folder}")
        return ProbeResult(True, f"label {brokerage.LABEL}, environment {self.config.environment}, token matches")

    def customers_url(self) -> str:
        """Through the customers' proxy, to the edge."""
        host, port = self.config.through(TOPOLOGY.customers)
        return f"https://{host}:{port}"

    def customers_authority(self) -> str:
        """The root of the chain that the edge shows."""
        return certificates.authority(self.folder)

    def own_hosts(self) -> frozenset[str]:
        """The proxy's, where it is reached by an address of its own."""
        return frozenset({self.config.host(TOPOLOGY.proxy)} - {brokerage.LOOPBACK})

    def links(self) -> Mapping[str, Link]:
        """The proxied links."""
        found = {}
        for name, route in TOPOLOGY.links.items():
            host, port = self.config.through(name)
            upstream = f"127.0.0.1:{self.config.ports[route.port]}"
            found[name] = Link(name, f"{host}:{port}", upstream, route.ends, TOPOLOGY.greeting(route.port))
        return found

    def proxies(self) -> Proxies:
        """Control of the stack's own proxy server."""
        return self._proxies

    def services(self) -> Mapping[str, ServiceState]:
        """As the launcher and each service's own ``/healthz`` say."""
        known = self.control({"verb": "status"})["services"]
        return {name: self._service(name, known.get(name)) for name in TOPOLOGY.services}

    def signal(self, service: str, number: int) -> None:
        """To the service's process; TargetError when it is unknown."""
        self.control({"verb": "signal", "service": service, "signal": number})

    def start(self, service: str) -> None:
        """Start it if it does not run and wait until healthy."""
        self.control({"verb": "start", "service": service})
        self._wait_healthy((service,))

    def cut(self, service: str) -> Cut:
        """By its links; the other connections that it has pass on."""
        passing = [f"{one} -> {other}" for one, other in TOPOLOGY.direct if service in (one, other)]
        return silence.cut(self.links(), self._proxies, service, (*passing, f"{BY_HAND} -> {service}"))

    def disconnect(self, service: str) -> None:
        """Silence its links."""
        silence.disconnect(self.links(), self._proxies, service)

    def connect(self, service: str) -> None:
        """Let its links speak again."""
        silence.connect(self.links(), self._proxies, service)

    def run_command(self, argv: tuple[str, ...], role: str, within_s: float) -> Answer:
        """``brokerctl``, as a person would call it, in a process that is already there for it."""
        asked = time.monotonic_ns()
        words = ["--role", role, "--env", self.config.environment, "--json", *argv[1:]]
        try:
            reply = self._run_tool(words, within_s)
        except (TargetError, toolserver.NotServed) as error:
            raise_if_own(error)
            return Answer(2, str(error), {}, asked, time.monotonic_ns())
        ended = time.monotonic_ns()
        waited = reply.began_ns - asked
        if reply.exit is None:
            return Answer(2, f"no answer within {within_s:g} s", {"timeout": True}, asked, ended, waited)
        try:
            data = json.loads(reply.out)
        except ValueError:
            says = (reply.err.strip() or reply.out.strip() or "no output").splitlines()[-1]
            return Answer(reply.exit or 2, says, {}, asked, ended, waited)
        return Answer(reply.exit, str(data.get("says", "")), data, asked, ended, waited)

    def typed(self, after: int) -> tuple[Typed, ...]:
        """From the audit log, into which every ``brokerctl`` writes."""
        try:
            return tuple(_typed(row) for row in islice(audit.typed(self.folder), after, None))
        except (OSError, ValueError, KeyError) as error:
            raise TargetError(f"the audit log of {TOOL.name} cannot be read: {error!r}") from error

    def _run_tool(self, words: Sequence[str], within_s: float) -> toolserver.Reply:
        """Where nobody runs commands any more, as when the operators' host was started anew, that is mended once."""
        until = time.monotonic() + within_s
        try:
            return toolserver.ask(self.folder, self.config.token, words, within_s)
        except toolserver.NotServed:
            self._start_tool(within_s)
            return toolserver.ask(self.folder, self.config.token, words, max(0.1, until - time.monotonic()))

    def _start_tool(self, within_s: float = START_WITHIN_S) -> None:
        """See to it that the operator's commands are run; TargetError."""
        deadline = time.monotonic() + within_s
        self._launch_tool()
        while not toolserver.serves(self.folder):
            if time.monotonic() > deadline:
                raise TargetError(f"nothing runs {BY_HAND} within {within_s:g} s")
            time.sleep(0.01)

    def _launch_tool(self) -> None:
        self.control({"verb": "start", "service": BY_HAND})

    def received(self, after: int) -> tuple[Alert, ...]:
        """From the pager, who stamped them at receipt; none while it does not answer."""
        try:
            rows = self._get_json(self.config.ports["pager"], f"/alerts?after={after}")
        except TargetError as error:
            raise_if_own(error)
            return ()
        return tuple(_alert(row) for row in rows)

    def raise_synthetic(self, rule: str, summary: str, runbook: str) -> None:
        """To the pager's webhook, as the monitor's own go."""
        labels = {"alertname": rule, "severity": "page", "layer": "cause", SYNTHETIC: "true"}
        notes = {"summary": summary, "runbook": runbook}
        self._post_json(self.config.ports["pager"], "/webhook", webhook.single(labels, notes, time.time_ns()))

    def heartbeat(self) -> tuple[int, int] | None:
        """The monitor's count of evaluations and the instant of the last; None also while its pager is away.

        An alert that nobody can receive is no alert.
        """
        try:
            self._get_json(self.config.ports["pager"], "/healthz", timeout=0.2)
            beat = self._get_json(self.config.ports["monitor"], "/heartbeat", timeout=0.2)
        except TargetError as error:
            raise_if_own(error)
            return None
        return int(beat["n"]), int(beat["t_ns"])

    def book(self, name: str) -> Iterable[Mapping[str, Any]]:
        """The exchange's own book, or the brokerage's statements (``oms``, ``notices``)."""
        try:
            return read_book(self.config, name)
        except (psycopg.Error, OSError, ValueError) as error:
            raise TargetError(f"book {name} cannot be read: {error}") from error

    def logs(self) -> Mapping[str, Path]:
        """Every service writes one."""
        return {name: Path(self.config.logs) / f"{name}.log" for name in TOPOLOGY.processes}

    def open_day(self, t0_ns: int) -> None:
        """Let the business clock run from ``t0_ns`` on; until then it stands at the beginning."""
        open_day(self.folder, t0_ns)

    @property
    def alerts(self) -> Alerts:
        """A stack has every optional part, and is all but one of them itself."""
        return self

    @property
    def operator_tool(self) -> OperatorAccess:
        """``brokerctl``."""
        return self

    @property
    def books(self) -> Books:
        """The exchange's, the bank's, and its own."""
        return self

    @property
    def conditions(self) -> Conditions:
        """What can be put into its data."""
        return Planting(self.config)

    @property
    def partitioning(self) -> Partitioning:
        """Of the services at the ends of its links."""
        return self

    @property
    def business_clock(self) -> BusinessClock:
        """One of its own, which runs many times as fast."""
        return self

    @property
    def gauge(self) -> Gauged:
        """Of orders: what the exchange session lets through."""
        return self

    def capacity(self, service: str) -> float | None:
        """By test orders."""
        if service != "orders":
            return None
        asked_s = {"within_s": CAPACITY_S}
        try:
            status, found = asked(self.config, "api", "/ops/capacity", asked_s, CAPACITY_S + START_WITHIN_S)
        except OSError as error:
            raise TargetError(f"what the exchange session takes cannot be measured: {error}") from error
        if status != 200:
            raise TargetError(f"what the exchange session takes cannot be measured: {found.get('says', status)}")
        return float(found["per_s"])

    def intent(self) -> Intent:
        """Its folder says all the rest."""
        return Intent(self.name, str(self.folder))

    def control(self, request: Mapping[str, Any], within_s: float = 10.0) -> dict[str, Any]:
        """One request to the launcher's control port; TargetError with its answer when it refuses."""
        line = json.dumps({"token": self.config.token, **request}).encode() + b"\n"
        try:
            with socket.create_connection(("127.0.0.1", self.config.ports["launcher"]), timeout=within_s) as sock:
                sock.sendall(line)
                answer: dict[str, Any] = json.loads(sock.makefile("rb").readline())
        except (OSError, ValueError) as error:
            raise TargetError(f"the launcher of {self.folder.name} does not answer: {error}") from error
        if not answer.get("ok"):
            raise TargetError(f"the launcher refused {request.get('verb')}: {answer.get('error')}")
        return answer

    def _service(self, name: str, known: Mapping[str, Any] | None) -> ServiceState:
        running = known is not None and known["state"] == "running"
        pid = int(known["pid"]) if known is not None and running else None
        return ServiceState(name, pid, running and self._healthy(name))

    def _healthy(self, name: str) -> bool:
        return self._trouble(name) is None

    def _trouble(self, name: str) -> str | None:
        """What a service that is not healthy answers; None when it is."""
        declared = TOPOLOGY.components[name]
        if declared.health == QUERIES:
            port = self.config.ports[declared.ports[0]]
            return None if accepts(port) else f"nothing accepts connections on port {port}"
        try:
            self._get_json(self.config.ports[declared.http], declared.health, timeout=0.5)
        except TargetError as error:
            raise_if_own(error)
            return str(error)
        return None

    def _fill_database(self, world: Sequence[Mapping[str, Any]]) -> None:
        dsn = postgres.dsn(self.config.ports["postgres"])
        try:
            create_schema(dsn)
            load_world(dsn, list(world))
        except psycopg.Error as error:
            words = self._last_words("postgres")
            raise TargetError(f"PostgreSQL did not take the world: {str(error).strip()};{words}") from error

    def _wait_healthy(self, names: Sequence[str], within_s: float = START_WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        waiting = list(names)
        while waiting:
            waiting = [name for name in waiting if not self._healthy(name)]
            if waiting and time.monotonic() > deadline:
                says = f"{', '.join(waiting)} did not get healthy within {within_s:g} s"
                last = self._trouble(waiting[0]) or f"{waiting[0]} is by now"
                raise TargetError(f"{says}: {last};{self._last_words(waiting[0])}")
            if waiting:
                self._fail_if_dead(waiting)
                time.sleep(0.02)

    def _fail_if_dead(self, names: Sequence[str]) -> None:
        known = self.control({"verb": "status"})["services"]
        for name in names:
            if known.get(name, {}).get("state") == "exited":
                raise TargetError(
                    f"{name} ended with status {known[name]['exit']} while starting;{self._last_words(name)}"
                )

    def _last_words(self, service: str) -> str:
        return last_words(self.logs()[service])

    def _shown_to_customers(self, host: str) -> Any:
        """What it shows of itself at the customers' port of this host, where its certificate is good as well."""
        where = host, self.config.via[TOPOLOGY.customers]
        trusted = ssl.create_default_context(cadata=self.customers_authority())
        try:
            return json.loads(http_sync.ask(where, "GET", "/drill-target", 2.0, tls=trusted).body)
        except (http_sync.NoReply, ValueError) as error:
            raise TargetError(f"customers are shown nothing at {host}:{where[1]}: {error}") from error

    def _get_json(self, port: int, path: str, timeout: float = 2.0, host: str = brokerage.LOOPBACK) -> Any:
        try:
            return json.loads(self._get(port, path, timeout, host))
        except ValueError as error:
            raise TargetError(f"GET {path} on port {port}: {error}") from error

    def _post_json(self, port: int, path: str, document: Mapping[str, Any]) -> None:
        try:
            reply = http_sync.ask((brokerage.LOOPBACK, port), "POST", path, 2.0, body=json.dumps(document).encode())
        except http_sync.NoReply as error:
            raise TargetError(f"POST {path} on port {port}: {error}") from error
        if reply.status != 200:
            raise TargetError(f"POST {path} on port {port} answered {reply.status}")

    def _get(self, port: int, path: str, timeout: float, host: str = brokerage.LOOPBACK) -> bytes:
        try:
            reply = http_sync.ask((host, port), "GET", path, timeout)
        except http_sync.NoReply as error:
            raise TargetError(f"GET {path} on port {port}: {error}") from error
        if reply.status != 200:
            raise TargetError(f"GET {path} on port {port} answered {reply.status}")
        return reply.body


def attach(folder: Path) -> Stack:
    """A handle on a stack that some other process started; TargetError when the folder holds none."""
    try:
        return Stack(brokerage.load(folder))
    except (OSError, ValueError) as error:
        raise TargetError(f"{folder} describes no stack: {error}") from error


def _alert(row: Mapping[str, Any]) -> Alert:
    labels, notes = dict(row["labels"]), row.get("annotations", {})
    return Alert(
        rule=labels.get("alertname", ""),
        status=row["status"],
        t_ns=int(row["t_ns"]),
        severity=labels.get("severity", ""),
        labels=labels,
        summary=notes.get("summary", ""),
        runbook=notes.get("runbook"),
    )


def _typed(row: Mapping[str, Any]) -> Typed:
    answer = Answer(int(row["exit"]), str(row["says"]), row["reply"], int(row["began_ns"]), int(row["t_ns"]))
    return Typed((TOOL.name, *row["command"]), row["role"] or "", answer)
