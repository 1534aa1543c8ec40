"""What the runner sees while a drill runs: samples, alerts and heartbeats as they come, and whether service is good.

This live view decides only when to stop looking, and what is reported meanwhile. The verdict is computed afterwards
from the history, by other code.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drills.execution.events import FaultState
from drills.judge import outage, schedule
from drills.record.history import NS, OUTCOMES, Plan, RequestOutcome
from targets.target import Alert

GOOD = {OUTCOMES.index(RequestOutcome.OK), OUTCOMES.index(RequestOutcome.REJECT)}


@dataclass(slots=True)
class ServiceView:
    """The last seconds of one rated service: (intended, good) of each settled request."""

    rate: float
    recent: deque[tuple[int, bool]] = field(default_factory=deque)

    def add(self, intended: int, good: bool) -> None:
        """One settled request."""
        self.recent.append((intended, good))

    def share_good(self, since: int) -> float | None:
        """Share of good ones intended at or after ``since``; None when there were none."""
        marks = [good for intended, good in self.recent if intended >= since]
        return sum(marks) / len(marks) if marks else None

    def is_good(self, since: int, until: int) -> bool:
        """Whether requests have settled all the while, none of them part of an outage as the judge counts it."""
        marks = sorted((intended, good) for intended, good in self.recent if intended >= since)
        intended = np.array([each for each, _ in marks], np.int64)
        bad = np.array([not good for _, good in marks], np.bool_)
        return self.keeps_up(since, until) and not outage.degraded(intended, bad, outage.window(self.rate)).any()

    def keeps_up(self, since: int, until: int) -> bool:
        """Whether nearly as many requests have settled as must have been intended between the two."""
        settled = sum(since <= intended < until for intended, _ in self.recent)
        expected = self.rate * max(0, until - since) / NS
        return bool(settled >= expected - 4 * math.sqrt(expected))  # arrivals are Poisson


@dataclass(slots=True)
class View:
    """Everything known live about a run; the runner and its reporter write it, the stop rule reads it."""

    plan: Plan
    services: dict[str, ServiceView]
    phase: str = "starting"
    sent: int = 0
    alerts: list[Alert] = field(default_factory=list)
    steps: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[int, FaultState] = field(default_factory=dict)  # of those that this arm injects, by index
    pending: set[int] = field(default_factory=set)  # planned faults that have not had their time
    pended_until: int = 0
    acting: bool = False  # a runbook is followed that may change something
    acted_until: int = 0
    was_followed: bool = False  # the drill's own runbook, to whatever end
    ends_at: int | None = None

    @staticmethod
    def of(plan: Plan) -> View:
        """A view of a run in which nothing has happened yet."""
        planned = {fault.index: FaultState.PLANNED for fault in plan.faults} if plan.injects else {}
        services = {name: ServiceView(rate) for name, rate in plan.services.items()}
        return View(plan, services, faults=planned, pending=set(planned))

    def had_its_time(self, index: int, now: int) -> None:
        """A planned fault was there as long as planned; one without an end as soon as it was injected."""
        self.pending.discard(index)
        self.pended_until = now

    def take(self, records: Any) -> None:
        """Add new sample records (structured array with ``intended``, ``done``, ``outcome``, ``name``)."""
        names = list(self.services)
        latency = self.plan.slo.latency
        for record in records:
            intended, done, outcome = int(record["intended"]), int(record["done"]), int(record["outcome"])
            good = outcome in GOOD and done - intended <= latency
            self.services[names[int(record["name"])]].add(intended, good)
        self.sent += len(records)

    def all_good(self, span: int, now: int) -> bool:
        """Whether each service has been good over the last ``span`` ns, requests still in flight left out."""
        until = now - self.plan.slo.latency
        return all(service.is_good(now - span, until) for service in self.services.values())


def should_finish(view: View, now: int) -> str | None:
    """Why to stop looking now, or None: ``cap`` when time is up, ``judged`` when there is nothing more to see."""
    plan = view.plan
    if view.ends_at is not None and now >= view.ends_at:
        return "cap" if plan.injects else "judged"
    if not view.was_followed or view.acting or view.pending:
        return None
    quiet = schedule.quiet(plan)
    if now - max(view.acted_until, view.pended_until) >= quiet and view.all_good(quiet, now):
        return "judged"
    return None
