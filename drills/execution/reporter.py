"""Keeps the live view of a run, and reports each change of it as an event."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from drills.execution.events import (
    AlertReceived,
    CommandSeen,
    Emit,
    FaultSeen,
    FaultState,
    Injected,
    Level,
    OnCall,
    PhaseChanged,
    Remark,
    RolledBack,
    RunbookClosed,
    RunbookOpened,
    Sampled,
    Started,
    StepBegan,
    StepEnded,
    StepOffered,
)
from drills.execution.watch import View
from drills.record.history import NS, Kind
from targets.target import Alert, Typed

RECENT = 2 * NS
"""What the level of a service is taken over."""


class Reporter:
    """The one writer of phase, alerts, steps and faults in ``view``. Any thread may report."""

    def __init__(self, view: View, emit: Emit) -> None:
        self._view, self._emit = view, emit

    def started(self, run: str, folder: str) -> None:
        """From here on there will be a card."""
        self._emit(Started(time.monotonic_ns(), run, folder))

    def phase(self, phase: str) -> None:
        """The run goes on to this."""
        self._view.phase = phase
        now = time.monotonic_ns()
        self._emit(PhaseChanged(now, phase, self._left_s(now)))

    def alert(self, alert: Alert) -> None:
        """The target's monitor sent it."""
        self._view.alerts.append(alert)
        self._emit(AlertReceived(alert.t_ns, alert.rule, alert.status, alert.severity, alert.summary, alert.runbook))

    def runbook(self, name: str) -> None:
        """A runbook is followed from here on; the steps shown are its own."""
        self._view.steps = []
        self._emit(RunbookOpened(time.monotonic_ns(), name))

    def on_call(self, by_hand: Iterable[str]) -> None:
        """A person is on call from here on."""
        self._emit(OnCall(time.monotonic_ns(), tuple(by_hand)))

    def closed(self, name: str, end: str) -> None:
        """A person follows this runbook no longer."""
        self._emit(RunbookClosed(time.monotonic_ns(), name, end))

    def offered(self, step: str) -> None:
        """A person is to see to this step."""
        self._emit(StepOffered(time.monotonic_ns(), step))

    def command(self, typed: Typed) -> None:
        """A person typed a command in another terminal."""
        self._emit(CommandSeen(typed.answer.ended_ns, typed.argv, typed.answer.exit, typed.answer.says))

    def remark(self, message: str) -> None:
        """What a person asked for could not be done."""
        self._emit(Remark(time.monotonic_ns(), message))

    def step(self, step: str, outcome: str, says: str = "") -> None:
        """A step of the runbook is ``running``, or has come to its outcome."""
        view, now = self._view, time.monotonic_ns()
        view.steps = [each for each in view.steps if each[0] != step] + [(step, outcome)]
        self._emit(StepBegan(now, step) if outcome == "running" else StepEnded(now, step, outcome, says))

    def fault(self, index: int, kind: Kind, what: str, data: Mapping[str, Any]) -> None:
        """An event of the history about a planned fault (``faults.scope``): an injection, or that nothing is left."""
        view, now, ok = self._view, time.monotonic_ns(), kind is Kind.OK
        name = view.plan.faults[index].kind
        if what == "inject" and kind is not Kind.INVOKE:
            if ok:
                view.faults[index] = FaultState.INJECTED
            self._emit(Injected(now, index, name, ok, str(data.get("says", ""))))
        elif what == "verify_removed":
            if ok:
                view.faults[index] = FaultState.ROLLED_BACK
            self._emit(RolledBack(now, index, name, ok, str(data.get("says", ""))))

    def sample(self) -> None:
        """The whole picture."""
        self._emit(self._sampled(time.monotonic_ns()))

    def _sampled(self, now: int) -> Sampled:
        view = self._view
        planned = {each.index: each.kind for each in view.plan.faults}
        return Sampled(
            t=now,
            phase=view.phase,
            left_s=self._left_s(now),
            sent=view.sent,
            services={name: Level(each.rate, each.share_good(now - RECENT)) for name, each in view.services.items()},
            firing=_firing(view.alerts),
            steps=tuple(view.steps),
            faults=tuple(FaultSeen(index, planned[index], state) for index, state in view.faults.items()),
        )

    def _left_s(self, now: int) -> float | None:
        ends_at = self._view.ends_at
        return None if ends_at is None else max(0, ends_at - now) / NS


def _firing(alerts: list[Alert]) -> tuple[str, ...]:
    """Rules whose last word is that they fire."""
    last = {alert.rule: alert.status for alert in alerts}
    return tuple(rule for rule, status in last.items() if status == "firing")
