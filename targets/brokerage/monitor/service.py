"""The monitor's process: scrapes, evaluates and notifies on a fixed schedule, and shows its own heartbeat.

Endpoints: ``/healthz``, ``/metrics``, ``/heartbeat`` (count and CLOCK_MONOTONIC instant of the last completed
evaluation) and ``/api/v1/alerts`` (active alerts, in Prometheus's form). It keeps nothing: started anew, it finds what
is wrong by itself and notifies again.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage import serving
from targets.brokerage.config import Address, Config
from targets.brokerage.monitor import webhook
from targets.brokerage.monitor.evaluate import Alert, Change, DuplicateAlert, Sample, State, evaluate
from targets.brokerage.monitor.notify import Notifier
from targets.brokerage.monitor.rules import Group, Rule, load_all
from targets.brokerage.monitor.schedule import turns
from targets.brokerage.monitor.scrape import Job, scrape_all
from targets.brokerage.serving import Unhealthy, answer
from targets.brokerage.topology import TOPOLOGY

log = logging.getLogger(__name__)

RULES = tuple(TOPOLOGY.rules.values())
HEALTHY_TURNS = 8
"""An evaluation older than this many intervals makes ``/healthz`` fail."""


class Meters:
    """The monitor's own metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.evaluations = Counter("monitor_evaluations", "Completed evaluations of all rules", registry=self.registry)
        self.last = Gauge("monitor_last_evaluation_ns", "Monotonic ns of the last one", registry=self.registry)
        self.missed = Counter("monitor_missed_evaluations", "Turns slept through", registry=self.registry)
        self.failures = Counter("monitor_rule_failures", "Rules that could not be evaluated", registry=self.registry)
        self.notices = Counter("monitor_notifications", "Messages for the pager", ["outcome"], registry=self.registry)

    def notified(self, outcome: str) -> None:
        """Count a message as ``delivered`` or ``dropped``."""
        self.notices.labels(outcome).inc()


class Engine:
    """Evaluates ``groups``, remembers what is active, and words the messages for what changed."""

    def __init__(self, groups: Sequence[Group], interval_ns: int, meters: Meters, url: str) -> None:
        self.n = 0
        self.t_ns = 0
        self._groups = groups
        self._interval_ns = interval_ns
        self._meters = meters
        self._url = url
        self._states: dict[tuple[str, int], State] = {}
        self._wall_offset_ns = time.time_ns() - time.monotonic_ns()

    def turn(self, turn: int, at_ns: int, samples: Sequence[Sample]) -> list[dict[str, Any]]:
        """Evaluate the groups that are due; ``at_ns`` is the scheduled instant, so that ``for`` counts exact turns."""
        changes: list[Change] = []
        for group in self._groups:
            if turn % _every(group, self._interval_ns) == 0:
                for index, rule in enumerate(group.rules):
                    changes += self._evaluate((group.name, index), rule, samples, at_ns)
        firing = [alert for alert in self._active() if alert.fired_ns is not None]
        self.n, self.t_ns = self.n + 1, time.monotonic_ns()
        self._meters.evaluations.inc()
        self._meters.last.set(self.t_ns)
        return webhook.messages(changes, firing, self._wall_offset_ns, self._url)

    def active(self) -> list[dict[str, Any]]:
        """Pending and firing alerts, as Prometheus lists them."""
        return webhook.active(self._active(), self._wall_offset_ns)

    def _active(self) -> list[Alert]:
        return [alert for state in self._states.values() for alert in state.values()]

    def _evaluate(self, key: tuple[str, int], rule: Rule, samples: Sequence[Sample], at_ns: int) -> tuple[Change, ...]:
        try:
            self._states[key], changes = evaluate(rule, samples, at_ns, self._states.get(key, {}))
        except DuplicateAlert as error:
            log.error("%s", error)
            self._meters.failures.inc()
            return ()
        for change in changes:
            log.warning("%s %s value %s", change.status, dict(change.alert.labels), change.alert.value)
        return changes


def _every(group: Group, interval_ns: int) -> int:
    """How many of the monitor's turns one interval of the group takes; at least one."""
    return 1 if group.interval_ns is None else max(1, round(group.interval_ns / interval_ns))


class Monitor:
    """The service: scrapes, lets the engine evaluate, hands its messages to the notifier."""

    def __init__(self, config: Config, groups: Sequence[Group]) -> None:
        meters = Meters()
        wanted = {rule.expr.metric for group in groups for rule in group.rules} - {"up"}
        self.registry = meters.registry
        self._meters = meters
        self._interval_ns = round(config.monitor.scrape_interval_s * 1e9)
        self._timeout_s = config.monitor.timeout_s
        self._jobs = [Job(name, where, wanted) for name, where in watched(config).items()]
        self._engine = Engine(groups, self._interval_ns, meters, f"http://127.0.0.1:{config.ports['monitor']}")
        self._notifier = Notifier(config.at("pager"), meters.notified)

    def routes(self) -> Sequence[Route]:
        """Heartbeat and active alerts."""
        return [Route("/heartbeat", self._heartbeat), Route("/api/v1/alerts", self._alerts)]

    def jobs(self) -> Sequence[serving.Job]:
        """Watching and notifying, each on its own."""
        return (self._watch, self._notifier.run)

    def health(self) -> Mapping[str, Any]:
        """Unhealthy when the last evaluation is too long ago."""
        age_ns = time.monotonic_ns() - self._engine.t_ns
        if self._engine.n == 0 or age_ns > HEALTHY_TURNS * self._interval_ns:
            raise Unhealthy(f"{self._engine.n} evaluations so far, the last one is not recent")
        return {"evaluations": self._engine.n, "last_ago_s": age_ns / 1e9}

    async def stop(self) -> None:
        """Drop the connections to the services."""
        for job in self._jobs:
            job.close()

    async def _watch(self) -> None:
        expected = 0
        async for turn, at_ns in turns(self._interval_ns):
            self._meters.missed.inc(turn - expected)
            expected = turn + 1
            for message in self._engine.turn(turn, at_ns, await scrape_all(self._jobs, self._timeout_s)):
                self._notifier.put(message)

    async def _heartbeat(self, request: Request) -> Response:
        return answer(200, {"n": self._engine.n, "t_ns": self._engine.t_ns})

    async def _alerts(self, request: Request) -> Response:
        return answer(200, {"status": "success", "data": {"alerts": self._engine.active()}})


def watched(config: Config) -> dict[str, Address]:
    """Job -> where its ``/metrics`` are: those of the components that declare it."""
    return {name: config.at(port) for name, port in TOPOLOGY.scraped.items()}


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM. Raises RuleError before anything is watched."""
    monitor = Monitor(config, load_all(RULES))
    serving.serve(monitor, monitor.routes(), sockets["monitor"])
