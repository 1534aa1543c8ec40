"""The part of a run between the first customer and the snapshot: gate, faults, alerts, operator, and when to stop.

One task per concern on one event loop; everything that blocks goes to a thread. All that is seen is recorded as it is
seen; nothing is judged here but the steady-state gate and the moment to stop looking.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from drills.execution.injector import Injector
from drills.execution.processors import Meter, Processors
from drills.execution.pulse import Note, Pulse
from drills.execution.reporter import Reporter
from drills.execution.watch import View, should_finish
from drills.judge.schedule import FALSE_ALARM_AFTER, first_onset, watched_for
from drills.operators.actions import Actions
from drills.operators.inbox import Inbox
from drills.operators.on_call import OnCall
from drills.operators.operator import Operator
from drills.operators.person import PersonOnCall
from drills.operators.robot import Robot
from drills.record.arm import ArmKind
from drills.record.history import NS, Kind, Plan
from drills.spec.drillfile import StopIf
from drills.spec.runbook import Runbook
from loadprofiles.process import Load
from targets.target import SYNTHETIC, Alert, Alerts, ProbeResult, Target, offered

TICK_S = 0.1
HEARTBEAT_S = 0.25
ALERTS_S = 0.05
SAMPLE_S = 0.2
LOOK_AGAIN_S = 0.2
"""Between two looks for an effect that may take its time."""
GATE_GOOD = 0.99
"""Share of good requests that the baseline must reach before anything is injected."""

THREADS, THREADS_A_FAULT = 5, 2
"""For alerts, heartbeats, processors, the operator and the last look; for each fault's witness while it is undone."""

TOO_LATE = ProbeResult(False, "still looking when the fault had lasted as long as planned", {"effect_seen": None})
"""What a witness is taken for who was not done when the undo was due."""


@dataclass(frozen=True, slots=True)
class PersonsTerminal:
    """Where a person acts: what comes from the terminal, and how to reach the target from another one."""

    actions: Actions
    by_hand: tuple[str, ...]


class Observation:
    """Watches one run from ``t0`` on.

    What is planned counts from what was: the onsets from the end of the baseline, an undo from the injection, the
    reaction from the receipt of the alert. Whatever held one act up so shortens none that comes after it.
    """

    def __init__(
        self,
        plan: Plan,
        library: Mapping[str, Runbook],
        target: Target,
        load: Load,
        view: View,
        note: Note,
        injector: Injector,
        reporter: Reporter,
        stop_if: tuple[StopIf, ...],
        person: PersonsTerminal | None = None,
    ) -> None:
        self.plan, self.library, self.target, self.load = plan, library, target, load
        self.view, self.note, self.injector, self.reporter = view, note, injector, reporter
        self.stop_if, self.person = stop_if, person
        self.stop = threading.Event()
        self.inbox = Inbox()

    async def watch(self, t0: int) -> str:
        """Until there is nothing more to see; the reason: judged, cap, stop_if or baseline."""
        asyncio.get_running_loop().set_default_executor(
            ThreadPoolExecutor(THREADS + THREADS_A_FAULT * len(self.plan.faults))  # nothing that is due waits for one
        )
        pulse, processors = Pulse(self.note), Processors(self.note, Meter(self.target.processor_time))
        try:
            async with asyncio.TaskGroup() as tasks:
                alerts = self.target.alerts
                told = () if alerts is None else (self._alerts(alerts), self._heartbeats(alerts))
                followers = [
                    tasks.create_task(each) for each in (*told, self._samples(), pulse.beat(), processors.watch())
                ]
                reason = await self._play(t0, tasks, followers)
                if alerts is not None:  # one that came with the last tick counts as well
                    await asyncio.to_thread(self._take_alerts, alerts)
                pulse.end()
                await asyncio.to_thread(processors.end)
                # what is judged ends here, before a step that is still under way has been waited for
                self.note("runner", Kind.INVOKE, "snapshot", {"reason": reason})
                self._stop()
                for follower in followers:
                    follower.cancel()
        finally:
            self._stop()
        return reason

    def _stop(self) -> None:
        """Nobody acts any more."""
        self.stop.set()
        self.inbox.close()

    async def _play(self, t0: int, tasks: asyncio.TaskGroup, followers: list[asyncio.Task[None]]) -> str:
        await _until(t0)
        self.note("runner", Kind.INVOKE, "baseline", None)
        self.reporter.phase("baseline")
        await _until(time.monotonic_ns() + self.plan.baseline)
        if not self._gate(t0):
            return "baseline"
        self._schedule(time.monotonic_ns(), tasks, followers)
        return await self._until_finished()

    def _gate(self, t0: int) -> bool:
        """The steady-state gate: good service, no alert, or nothing is injected."""
        self.view.take(self.load.tail())
        shares = {name: service.share_good(t0) for name, service in self.view.services.items()}
        alerts = [alert.rule for alert in self.view.alerts if alert.status == "firing"]
        late = time.monotonic_ns() - self.plan.slo.latency
        stalled = [name for name, service in self.view.services.items() if not service.keeps_up(t0, late)]
        good = not (alerts or stalled) and all(share is not None and share >= GATE_GOOD for share in shares.values())
        self.note(
            "runner", Kind.OK if good else Kind.FAIL, "baseline", {"good": shares, "alerts": alerts, "stalled": stalled}
        )
        return good

    def _schedule(self, zero: int, tasks: asyncio.TaskGroup, followers: list[asyncio.Task[None]]) -> None:
        """Let the faults and the operator loose; ``zero`` is the end of the baseline."""
        first = zero + first_onset(self.plan)
        self.view.ends_at = first + watched_for(self.plan)
        self.reporter.phase("watching")
        self.note("runner", Kind.INVOKE, "observe", {"until": self.view.ends_at})
        if self.plan.injects:
            followers += [tasks.create_task(self._fault(index, zero)) for index in range(len(self.plan.faults))]
        if self.library:
            followers.append(tasks.create_task(asyncio.to_thread(self._operator().attend, self.inbox)))
        if self.plan.arm == ArmKind.FALSE_ALARM:
            followers.append(tasks.create_task(self._false_alarm(first + FALSE_ALARM_AFTER)))

    async def _until_finished(self) -> str:
        above: dict[StopIf, int] = {}
        while True:
            now = time.monotonic_ns()
            self.load.fail_if_dead()
            self.view.take(self.load.tail())
            reason = should_finish(self.view, now)
            if reason is not None:
                return reason
            for rule in self.stop_if:
                if self._trips(rule, now, above):
                    found = {"service": rule.failure_ratio.service, "above": rule.failure_ratio.above}
                    self.note("stop_if", Kind.INFO, "tripped", {"metric": "failure_ratio", **found})
                    return "stop_if"
            await asyncio.sleep(TICK_S)

    def _trips(self, rule: StopIf, now: int, above: dict[StopIf, int]) -> bool:
        """Whether it has been above its limit for long enough; ``above`` holds since when each has been."""
        ratio = rule.failure_ratio
        good = self.view.services[ratio.service].share_good(now - 2 * NS)
        if good is None or 1 - good <= ratio.above:
            above.pop(rule, None)
            return False
        return now - above.setdefault(rule, now) >= ratio.lasts

    async def _fault(self, index: int, zero: int) -> None:
        planned = self.plan.faults[index]
        await _until(zero + planned.at)
        self.reporter.phase(f"fault {planned.label}")
        await asyncio.to_thread(self.injector.inject, index)
        struck = time.monotonic_ns()
        if planned.lasts is None:
            self.view.had_its_time(index, struck)
            await self._until_seen(index)
        else:
            await self._for_a_while(index, struck + planned.lasts)
            self.view.had_its_time(index, time.monotonic_ns())

    async def _until_seen(self, index: int) -> None:
        """Look for the effect until it is seen, cannot be told, or nobody watches any more; note the last look."""
        seen = TOO_LATE
        try:
            while True:
                seen = await asyncio.to_thread(self.injector.verify_effect, index)
                if seen.data.get("effect_seen") is not False:
                    return
                await asyncio.sleep(LOOK_AGAIN_S)
        finally:
            self.injector.note_witness(index, seen)

    async def _for_a_while(self, index: int, end: int) -> None:
        """Undo it at its end, looked at or not: a slow witness must not stretch it, and has then seen nothing of it."""
        looking = asyncio.create_task(asyncio.to_thread(self.injector.verify_effect, index))
        await asyncio.wait({looking}, timeout=max(0, end - time.monotonic_ns()) / NS)
        self.injector.note_witness(index, await looking if looking.done() else TOO_LATE)
        await _until(end)
        await asyncio.to_thread(self.injector.rollback, index)
        await looking

    async def _alerts(self, alerts: Alerts) -> None:
        while True:
            await asyncio.to_thread(self._take_alerts, alerts)
            await asyncio.sleep(ALERTS_S)

    def _take_alerts(self, alerts: Alerts) -> None:
        """Those that have come since the last look."""
        for alert in alerts.received(len(self.view.alerts)):
            self.note("monitor", Kind.INFO, "alert", _alert(alert))
            self.reporter.alert(alert)
            self.inbox.put(alert)

    async def _false_alarm(self, at: int) -> None:
        """One alert that means nothing, as the drill's own would come: of its first rule, linking to its runbook."""
        await _until(at)
        self.note("runner", Kind.INFO, "false-alarm", None)
        link, runbook = next(
            (name, each) for name, each in self.library.items() if each.sha256 == self.plan.runbook_sha256
        )
        rule = next(iter(self.plan.alerts), "FalseAlarm")
        if self.target.alerts is None:
            labels = {"layer": "cause", SYNTHETIC: "true"}
            self.inbox.put(Alert(rule, "firing", time.monotonic_ns(), "page", labels, runbook.title.en, link))
        else:
            await asyncio.to_thread(self.target.alerts.raise_synthetic, rule, runbook.title.en, link)

    def _operator(self) -> Operator:
        """Who attends to the inbox in this run."""
        tool = offered(self.target.operator_tool, "operator's tool")
        if self.person is None or self.plan.person is None:
            robot = Robot(tool, self.note, self.stop, self.reporter.step)
            return OnCall(self.library, robot, self.plan.reaction, self.note, self._opened, self._closed)
        self.reporter.on_call(self.person.by_hand)
        return PersonOnCall(
            self.library, self.plan.person, tool, self.person.actions, self.note, self.reporter, self.stop,
            self._opened, self._closed, self._acted,
        )  # fmt: skip

    def _acted(self) -> None:
        """Something may have changed: service is watched from here on."""
        self.view.acted_until = time.monotonic_ns()

    def _opened(self, runbook: Runbook) -> None:
        self.view.acting = runbook.acts
        self.reporter.runbook(runbook.id)

    def _closed(self, runbook: Runbook) -> None:
        """Where it might have changed something, service is watched from here on."""
        if runbook.acts:
            self.view.acted_until = time.monotonic_ns()
        self.view.acting = False
        self.view.was_followed |= runbook.sha256 == self.plan.runbook_sha256

    async def _heartbeats(self, alerts: Alerts) -> None:
        last = -1
        while True:
            beat = await asyncio.to_thread(alerts.heartbeat)
            if beat is not None and beat[0] != last:
                last = beat[0]
                self.note("monitor", Kind.INFO, "heartbeat", {"n": beat[0], "t_ns": beat[1]})
            await asyncio.sleep(HEARTBEAT_S)

    async def _samples(self) -> None:
        while True:
            self.reporter.sample()
            await asyncio.sleep(SAMPLE_S)


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "rule": alert.rule,
        "status": alert.status,
        "t_ns": alert.t_ns,
        "severity": alert.severity,
        "labels": dict(alert.labels),
        "summary": alert.summary,
        "runbook": alert.runbook,
    }


async def _until(t: int) -> None:
    """Sleep until that instant of CLOCK_MONOTONIC."""
    await asyncio.sleep(max(0, t - time.monotonic_ns()) / NS)
