"""The embedded target: the mini-brokerage as processes on this machine, no Docker and no root needed.

A stack lives in a folder of its own below the cache and is described there by ``config.json``; any process that can
read that file can attach to it (``attach``), which is how a dead run is healed. The launcher ends the whole stack when
its stdin closes: the harness holds the other end, and so does the reaper, who closes it last.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TextIO

import psutil

from targets.brokerage import config as brokerage
from targets.brokerage import postgres
from targets.brokerage.books import read_books
from targets.brokerage.ports import free_ports
from targets.brokerage.world import create_schema, load_world
from targets.target import Alert, Answer, Evidence, Link, Offer, Proxies, Service, TargetError, Unlabelled
from targets.toxiproxy import ToxiproxyClient

SERVICES = ("postgres", "pager", "exchange", "gateway", "api", "mail", "monitor")
LINKS = ("client-api", "api-pg", "gateway-pg", "exchange-a", "exchange-b")
BOOKS = ("exchange", "oms", "notices")
START_WITHIN_S = 30.0
OWNER_LOCK = "owner.lock"


def cache_folder() -> Path:
    """``KUNREN_CACHE``, else ``~/.cache/kunren``: the only place outside the run folder that is written to."""
    named = os.environ.get("KUNREN_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kunren"


class Stack:
    """A running stack, seen from outside through its folder."""

    name = "local"

    def __init__(self, config: brokerage.Config) -> None:
        self.config = config
        self.folder = Path(config.folder)
        self._proxies = ToxiproxyClient("127.0.0.1", config.ports.toxiproxy)

    def offer(self) -> Offer:
        """All of the mini-brokerage's links, services and books."""
        return Offer(frozenset(LINKS), frozenset(SERVICES), frozenset(BOOKS), operator=True, alerts=True)

    def engines(self) -> Mapping[str, str]:
        """Proxy engine and database with their versions; no limited volume is in use."""
        return {"proxy": self._proxies.engine(), "database": postgres.version()}

    def handshake(self) -> Evidence:
        """The api itself shows label, environment and token; Unlabelled when one of them is not ours."""
        seen = self._get_json(self.config.ports.api, "/drill-target")
        wanted = {"label": brokerage.LABEL, "environment": self.config.environment, "token": self.config.token}
        if seen != wanted:
            raise Unlabelled(f"{self.customers_url()} does not show the drill label and token of {self.folder}")
        return Evidence(True, f"label {brokerage.LABEL}, environment {self.config.environment}, token matches")

    def customers_url(self) -> str:
        """Through the client-api proxy."""
        return f"http://127.0.0.1:{self.config.via.client_api}"

    def links(self) -> Mapping[str, Link]:
        """The five proxied links."""
        return {
            name: Link(name, f"127.0.0.1:{listen}", f"127.0.0.1:{up}") for name, (listen, up) in self._routes().items()
        }

    def proxies(self) -> Proxies:
        """Control of the stack's own proxy server."""
        return self._proxies

    def services(self) -> Mapping[str, Service]:
        """As the launcher and each service's own ``/healthz`` say."""
        known = self.control({"verb": "status"})["services"]
        return {name: self._service(name, known.get(name)) for name in SERVICES}

    def signal(self, service: str, number: int) -> None:
        """To the service's process; TargetError when it is unknown."""
        self.control({"verb": "signal", "service": service, "signal": number})

    def start(self, service: str) -> None:
        """Start it if it does not run and wait until healthy."""
        self.control({"verb": "start", "service": service})
        self._wait_healthy((service,))

    def operator(self, argv: tuple[str, ...], role: str, within_s: float) -> Answer:
        """``brokerctl`` in a process of its own, as a person would call it."""
        began = time.monotonic_ns()
        command = [sys.executable, "-m", "targets.brokerage.brokerctl", "--stack", str(self.folder)]
        command += ["--role", role, "--env", self.config.environment, "--json", *argv[1:]]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=within_s, check=False)
        except subprocess.TimeoutExpired:
            return Answer(2, f"no answer within {within_s:g} s", {"timeout": True}, began, time.monotonic_ns())
        ended = time.monotonic_ns()
        try:
            data = json.loads(done.stdout)
        except ValueError:
            says = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
            return Answer(done.returncode or 2, says, {}, began, ended)
        return Answer(done.returncode, str(data.get("says", "")), data, began, ended)

    def alerts(self, after: int) -> tuple[Alert, ...]:
        """From the pager, who stamped them at receipt; none while it does not answer."""
        try:
            rows = self._get_json(self.config.ports.pager, f"/alerts?after={after}")
        except TargetError:
            return ()
        return tuple(_alert(row) for row in rows)

    def heartbeat(self) -> tuple[int, int] | None:
        """The monitor's count of evaluations and the instant of the last."""
        try:
            beat = self._get_json(self.config.ports.monitor, "/heartbeat", timeout=0.2)
        except TargetError:
            return None
        return int(beat["n"]), int(beat["t_ns"])

    def books(self) -> Mapping[str, Iterable[Mapping[str, Any]]]:
        """The exchange's own book, and the brokerage's statements (``oms``, ``notices``)."""
        return read_books(self.config)

    def logs(self) -> Mapping[str, Path]:
        """Every service writes one."""
        return {name: Path(self.config.logs) / f"{name}.log" for name in (*SERVICES, "toxiproxy", "launcher")}

    def intent(self) -> dict[str, Any]:
        """What another process needs to attach to this stack."""
        return {"target": self.name, "stack": str(self.folder)}

    def control(self, request: Mapping[str, Any], within_s: float = 10.0) -> dict[str, Any]:
        """One request to the launcher's control port; TargetError with its answer when it refuses."""
        line = json.dumps({"token": self.config.token, **request}).encode() + b"\n"
        try:
            with socket.create_connection(("127.0.0.1", self.config.ports.launcher), timeout=within_s) as sock:
                sock.sendall(line)
                answer: dict[str, Any] = json.loads(sock.makefile("rb").readline())
        except (OSError, ValueError) as error:
            raise TargetError(f"the launcher of {self.folder.name} does not answer: {error}") from error
        if not answer.get("ok"):
            raise TargetError(f"the launcher refused {request.get('verb')}: {answer.get('error')}")
        return answer

    def _routes(self) -> dict[str, tuple[int, int]]:
        via, ports = self.config.via, self.config.ports
        return {
            "client-api": (via.client_api, ports.api),
            "api-pg": (via.api_pg, ports.postgres),
            "gateway-pg": (via.gateway_pg, ports.postgres),
            "exchange-a": (via.exchange_a, ports.exchange_a),
            "exchange-b": (via.exchange_b, ports.exchange_b),
        }

    def _service(self, name: str, known: Mapping[str, Any] | None) -> Service:
        running = known is not None and known["state"] == "running"
        pid = int(known["pid"]) if known is not None and running else None
        return Service(name, pid, running and self._healthy(name))

    def _healthy(self, name: str) -> bool:
        if name == "postgres":
            return _accepts(self.config.ports.postgres)
        port = self.config.ports.exchange_http if name == "exchange" else getattr(self.config.ports, name)
        try:
            self._get_json(port, "/healthz", timeout=0.5)
        except TargetError:
            return False
        return True

    def _wait_healthy(self, names: Sequence[str], within_s: float = START_WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        waiting = list(names)
        while waiting:
            waiting = [name for name in waiting if not self._healthy(name)]
            if waiting and time.monotonic() > deadline:
                raise TargetError(
                    f"{', '.join(waiting)} did not get healthy within {within_s:g} s;{self._last_words(waiting[0])}"
                )
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
        with contextlib.suppress(OSError):
            lines = self.logs()[service].read_text(errors="replace").strip().splitlines()
            if lines:
                return f" its log ends: {lines[-1]}"
        return " it left no log"

    def _get_json(self, port: int, path: str, timeout: float = 2.0) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            connection.request("GET", path)
            reply = connection.getresponse()
            body = reply.read()
            if reply.status != 200:
                raise TargetError(f"GET {path} on port {port} answered {reply.status}")
            return json.loads(body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TargetError(f"GET {path} on port {port}: {error}") from error
        finally:
            connection.close()


class LocalTarget(Stack):
    """Starts a stack on entering, stops and removes it on leaving.

    ``world`` is what the books start from; ``logs`` is where the services write theirs. The stack's own state goes to
    the cache and is removed again.
    """

    def __init__(
        self,
        *,
        world: Sequence[Mapping[str, Any]],
        seed: int,
        logs: Path,
        clock: brokerage.ClockConfig,
        proxy: str = "auto",
    ) -> None:
        self._world = world
        self._clock_from = clock
        stack = f"{time.time_ns():x}-{os.getpid()}"
        folder = cache_folder() / "stacks" / stack
        super().__init__(_configure(stack, folder, logs.resolve(), seed, clock, proxy))
        self._launcher: subprocess.Popen[bytes] | None = None
        self._owner: TextIO | None = None
        self.lifeline: int | None = None

    def __enter__(self) -> Self:
        """Start everything; on failure nothing of it is left running."""
        try:
            self._begin()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop all processes and remove the stack's folder."""
        self._close_lifeline()
        if self._launcher is not None:
            end_tree(self._launcher.pid, within_s=8.0, reap=self._launcher)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._owner is not None:
            self._owner.close()

    def _begin(self) -> None:
        self.folder.mkdir(parents=True)
        self._own()
        Path(self.config.logs).mkdir(parents=True, exist_ok=True)
        postgres.make_cluster(cache_folder(), self.folder / "pgdata")
        brokerage.save(self.config)
        self._launch()
        self._until(lambda: _accepts(self.config.ports.postgres), "postgres")
        create_schema(postgres.dsn(self.config.ports.postgres))
        load_world(postgres.dsn(self.config.ports.postgres), list(self._world))
        self._proxies.wait_ready(START_WITHIN_S)
        for link in self.links().values():
            self._proxies.create(link.name, link.listen, link.upstream)
        self._until(lambda: _accepts(self.config.ports.launcher), "launcher")
        order = [name for name in SERVICES if name != "postgres"]
        for name in order:
            self.control({"verb": "start", "service": name})
        self._wait_healthy(order)

    def _own(self) -> None:
        """Hold a lock while we live: a stack whose lock is free has lost its owner and may be cleared away."""
        self._owner = (self.folder / OWNER_LOCK).open("w")
        fcntl.flock(self._owner, fcntl.LOCK_EX)

    def _launch(self) -> None:
        read, write = os.pipe()
        self.lifeline = write
        with (Path(self.config.logs) / "launcher.log").open("ab") as log:
            argv = [sys.executable, "-m", "targets.brokerage.launcher", str(self.folder)]
            self._launcher = subprocess.Popen(argv, stdin=read, stdout=log, stderr=log, start_new_session=True)
        os.close(read)

    def _until(self, ready: Any, service: str) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while not ready():
            assert self._launcher is not None
            if self._launcher.poll() is not None:
                raise TargetError(f"the launcher ended while starting {service};{self._last_words('launcher')}")
            if time.monotonic() > deadline:
                raise TargetError(f"{service} did not start within {START_WITHIN_S:g} s;{self._last_words(service)}")
            time.sleep(0.01)

    def _close_lifeline(self) -> None:
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None


def attach(folder: Path) -> Stack:
    """A handle on a stack that some other process started; TargetError when the folder holds none."""
    try:
        return Stack(brokerage.load(folder))
    except (OSError, ValueError) as error:
        raise TargetError(f"{folder} describes no stack: {error}") from error


def end_tree(pid: int, within_s: float, reap: subprocess.Popen[bytes] | None = None) -> None:
    """End a process and all its descendants: wait for it to leave by itself, then TERM, then KILL."""
    try:
        root = psutil.Process(pid)
        members = [root, *root.children(recursive=True)]  # before any of them ends: orphans lose their parent
    except psutil.NoSuchProcess:
        members = []
    if reap is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            reap.wait(within_s)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(number)
        _, members = psutil.wait_procs(members, timeout=2.0)
    if reap is not None:
        reap.wait(2.0)


def _configure(
    stack: str, folder: Path, logs: Path, seed: int, clock: brokerage.ClockConfig, proxy: str
) -> brokerage.Config:
    names = brokerage.Ports.__struct_fields__, brokerage.Via.__struct_fields__
    ports = free_ports(len(names[0]) + len(names[1]))
    return brokerage.Config(
        stack=stack,
        token=os.urandom(16).hex(),
        seed=seed,
        folder=str(folder),
        logs=str(logs),
        ports=brokerage.Ports(**dict(zip(names[0], ports, strict=False))),
        via=brokerage.Via(**dict(zip(names[1], ports[len(names[0]) :], strict=True))),
        clock=clock,
        proxy_engine=proxy,
    )


def _accepts(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


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
