"""A running stack of containers, seen from outside: ports of 127.0.0.1, its folder, and the engine.

The stack's folder ``F`` has ``config.json`` (addresses as this machine sees them) and ``inside/``, which the containers
see as ``/stack``: ``config.json`` with their addresses, the business clock, the books, the audit log.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from targets import stack as processes
from targets.brokerage import books, postgres
from targets.brokerage import config as brokerage
from targets.brokerage.declaration import QUERIES
from targets.brokerage.direct import answers_queries
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.volumes.keeping import shown
from targets.containers import clock, network, prometheus
from targets.containers.engine import Project, shared
from targets.own_errors import raise_if_own
from targets.stack import BY_HAND, Stack
from targets.target import Capabilities, Cut, Intent, ServiceState, TargetError

NAME = "compose"
OFF_THE_NETWORK = (
    "taken off the stack's network, with its published ports; connections that were open go silent both ways, and go"
    " on when it is back under its old address; its name is not known meanwhile, so new connections to it fail at once"
    " or when the engine's name server gives up"
)
PUBLISHED = "published at 127.0.0.1; a closed link refuses"
PAST_THE_ENGINE = "at the proxy's own address, past Docker's userland proxy; a closed link refuses"
BOOK_S = 20.0
THROUGH_THE_ENGINE = "published through Docker's userland proxy; a closed link looks reset where it refuses"


@cache
def capabilities() -> Capabilities:
    """As of a stack of processes, but that every service can be cut off."""
    every = frozenset(TOPOLOGY.services)
    return replace(processes.capabilities(), partitionable=every, limited=frozenset(TOPOLOGY.limited))


class ContainerStack(Stack):
    """What differs from a stack of processes: who starts and signals, where the operator types, who watches."""

    name = NAME

    def __init__(self, config: brokerage.Config) -> None:
        super().__init__(config)
        self.home = self.folder.parent
        self.project = Project(config.stack)
        self.door = PUBLISHED if config.host(TOPOLOGY.proxy) == brokerage.LOOPBACK else PAST_THE_ENGINE

    def capabilities(self) -> Capabilities:
        """The same for every stack of containers."""
        return capabilities()

    def engines(self) -> Mapping[str, str]:
        """Proxy, database, monitor and container engine with their versions; how customers come in; the clock.

        TargetError where the containers have another clock than this machine.
        """
        built = self._get_json(self.config.ports["monitor"], "/api/v1/status/buildinfo")["data"]["version"]
        return {
            "proxy": self._proxies.engine(),
            "database": postgres.version(),
            "monitor": f"prometheus {built}",
            "containers": f"docker {shared().version()['Version']}",
            "customers": self.door,
            "volume": ", ".join(f"{shown(each)}, the engine's" for each in TOPOLOGY.limited.values()),
            "clock": clock.shared(clock.brackets(self._stamp_inside)),
        }

    def cut(self, service: str) -> Cut:
        """By the engine: wholly, with all that it has."""
        links = tuple(sorted(name for name, link in self.links().items() if service in link.ends))
        wanted = frozenset({f"{service} off the network"})
        return Cut(OFF_THE_NETWORK, links, (), wanted, frozenset() if self.project.connected(service) else wanted)

    def disconnect(self, service: str) -> None:
        """Take it off the stack's network."""
        self.project.disconnect(service)

    def connect(self, service: str) -> None:
        """Put it back where it was."""
        self.project.connect(service, network.addresses(self.config.network, TOPOLOGY.containers)[service])

    def _launch_tool(self) -> None:
        """In the operators' container; it ends with that."""
        self.project.begin(TOPOLOGY.operators_host, ["python3", "-m", "targets.brokerage.service", BY_HAND])

    def heartbeat(self) -> tuple[int, int] | None:
        """Of Prometheus's rules; None also while Alertmanager or the pager is away: nobody would be told."""
        try:
            self._get(self.config.ports["alertmanager"], "/-/ready", timeout=0.2)
            self._get_json(self.config.ports["pager"], "/healthz", timeout=0.2)
            text = self._get(self.config.ports["monitor"], "/metrics", timeout=0.3)
        except TargetError as error:
            raise_if_own(error)
            return None
        return prometheus.heartbeat(text.decode(errors="replace"))

    def book(self, name: str) -> Iterable[Mapping[str, Any]]:
        """One about files on a limited volume is read in the operators' container: it is in no folder out here."""
        keepers = (each for each in TOPOLOGY.components.values() if each.limited)
        inside = any(book.name == name for each in keepers for book in each.books)
        return self._book_inside(name) if inside else super().book(name)

    def _book_inside(self, name: str) -> Iterable[Mapping[str, Any]]:
        words = ["python3", "-m", books.__name__, name]
        code, out, said = self.project.execute(TOPOLOGY.operators_host, words, BOOK_S)
        if code != 0:
            raise TargetError(f"book {name} cannot be read: {(said.strip().splitlines() or ['no message'])[-1]}")
        return [json.loads(line) for line in out.splitlines()]

    def logs(self) -> Mapping[str, Path]:
        """Written when the stack ends; until then the engine has them."""
        return {name: Path(self.config.logs) / f"{name}.log" for name in TOPOLOGY.containers}

    def save_logs(self) -> None:
        """Copy what the containers have said into the log folder; one that is gone has said nothing."""
        for name, path in self.logs().items():
            with contextlib.suppress(TargetError, OSError):
                path.write_bytes(self.project.log(name))

    def intent(self) -> Intent:
        """Its folder."""
        return Intent(self.name, str(self.home))

    def control(self, request: Mapping[str, Any], within_s: float = 10.0) -> dict[str, Any]:
        """The launcher's verbs, done by the engine: ``status``; ``start``; ``signal``; ``kill``."""
        verb, service = request.get("verb"), str(request.get("service", ""))
        if verb == "start":
            self.project.start(service)
        elif verb == "signal":
            return {"sent": self.project.signal(service, int(request["signal"]))}
        elif verb == "kill":
            who = tuple(map(str, request["among"])), str(request.get("counted_by", ""))
            return self.project.kill(int(request["pid"]), int(request["signal"]), *who)
        elif verb != "status":
            raise TargetError(f"unknown verb {verb!r}; known: start, signal, kill, status")
        return {"services": self.project.states()}

    def _service(self, name: str, known: Mapping[str, Any] | None) -> ServiceState:
        return replace(super()._service(name, known), frozen=known is not None and bool(known.get("paused")))

    def _trouble(self, name: str) -> str | None:
        declared = TOPOLOGY.components[name]
        if declared.health == QUERIES:  # with Docker's userland proxy its port accepts even while it is dead
            return None if answers_queries(self.config.at(declared.ports[0])) else "it answers no queries"
        if declared.container is None or not declared.container.ready:
            return super()._trouble(name)
        try:
            ready = self._get(self.config.ports[declared.http], declared.container.ready, timeout=0.5)
        except TargetError as error:
            raise_if_own(error)
            return str(error)
        return None if ready else "it says nothing about being ready"

    def _stamp_inside(self) -> int:
        """CLOCK_MONOTONIC as the container says that stamps the alerts, ns."""
        return int(self._get_json(self.config.ports["pager"], "/healthz")["t_ns"])

    def _last_words(self, service: str) -> str:
        with contextlib.suppress(TargetError):
            lines = self.project.log(service, tail=3).decode(errors="replace").strip().splitlines()
            if lines:
                return f" its log ends: {lines[-1]}"
        return " it left no log"


def attach(home: Path) -> ContainerStack:
    """A handle on a stack that some other process started; TargetError when the folder holds none."""
    try:
        return ContainerStack(brokerage.load(home))
    except (OSError, ValueError) as error:
        raise TargetError(f"{home} describes no stack: {error}") from error


def inside_config(config: brokerage.Config) -> brokerage.Config:
    """The same stack as the containers see it: each part under its own name."""
    names = {name: name for name in TOPOLOGY.containers}
    return msgspec.structs.replace(
        config, folder="/stack", logs="/stack", hosts=names, listen="0.0.0.0",  # noqa: S104  # in there
        control="/stack/control/socket",
    )  # fmt: skip
