"""The robot operator: follows a runbook against the target's own tool, exactly as it is written.

It knows nothing of the drill: who is on call chose the runbook by the alert's link, each command is what a person would
type, and what the tool answers decides how the runbook goes on. A failed step stops the runbook (or escalates, or goes
on further down, where the runbook says so). A step that opens another runbook does so where it sees what it expects;
else the cause is another, and the next step looks for that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from drills.operators.outcomes import Followed, Record, RunbookEnd, StepOutcome
from drills.operators.steps import StepResult, Steps, facts
from drills.record.history import Kind
from drills.spec.runbook import Runbook
from drills.spec.steps import Step
from targets.target import OperatorAccess

TYPING_S = 0.25
"""Pace of the robot: seconds before each command, the same on every machine.

Nobody types in no time, and results depend on it: an operator who moves the exchange's session within 2.5 s of the
fault has duplicates sent, because orders that customers typed again are then still queued in the gateway.
"""


@dataclass(frozen=True, slots=True)
class Robot:
    """Follows runbooks. ``stop`` ends a runbook between steps; ``show`` is told each step's id and outcome."""

    tool: OperatorAccess
    record: Record
    stop: threading.Event
    show: Callable[[str, str], None]

    def follow(self, runbook: Runbook, interrupted: Callable[[], bool]) -> Followed:
        """Carry out the runbook from the top; blocking."""
        results: dict[str, StepResult] = {}
        end = self._steps(runbook, results, interrupted)
        changed = any(each.changed for each in results.values())
        opens = runbook.escalation.opens if end == RunbookEnd.ESCALATED else None
        last = runbook.step(next(reversed(results), ""))
        if end == RunbookEnd.OPENED and last is not None:
            opens = last.opens
        return Followed(end, opens, changed)

    def _steps(self, runbook: Runbook, results: dict[str, StepResult], interrupted: Callable[[], bool]) -> RunbookEnd:
        """Fill in what came of each step that was reached."""
        jump: str | None = None
        began = time.monotonic_ns()
        for step in runbook.steps:
            if self.stop.is_set():
                return RunbookEnd.INTERRUPTED
            if time.monotonic_ns() - began > runbook.escalation.after:
                return self._escalate(runbook, step)
            if jump is not None and step.id != jump:
                continue
            jump = None
            outcome = self._step(step, results).outcome
            if interrupted():  # also where the step failed: what is more urgent may be why
                return RunbookEnd.INTERRUPTED
            if outcome in (StepOutcome.OK, StepOutcome.SKIPPED, StepOutcome.NOT_THIS):
                if outcome == StepOutcome.OK and step.opens is not None:
                    return RunbookEnd.OPENED
                continue
            end = self._after_failure(runbook, step, closes=outcome == StepOutcome.REFUSED and len(results) == 1)
            if end is not None:
                return end
            jump = step.if_failed.step
        skipped = any(each.outcome == StepOutcome.SKIPPED for each in results.values())
        return RunbookEnd.INCOMPLETE if skipped or len(results) < len(runbook.steps) else RunbookEnd.DONE

    def _after_failure(self, runbook: Runbook, step: Step, *, closes: bool) -> RunbookEnd | None:
        """How the runbook ends at a step that failed; None where it goes on further down."""
        if closes:
            return RunbookEnd.REFUSED
        if step.if_failed.action == "stop":
            return RunbookEnd.STOPPED
        return self._escalate(runbook, step) if step.if_failed.action == "escalate" else None

    def _step(self, step: Step, results: dict[str, StepResult]) -> StepResult:
        began = time.monotonic_ns()
        self.record("operator", Kind.INVOKE, "step", {"id": step.id, "role": step.role})
        self.show(step.id, "running")
        done = {name for name, each in results.items() if each.outcome == StepOutcome.OK}
        result = results[step.id] = Steps(self.tool, self.stop, TYPING_S).carry_out(step, done)
        self.record("operator", result.outcome.kind, "step", facts(step, result, began))
        self.show(step.id, result.outcome.value)
        return result

    def _escalate(self, runbook: Runbook, step: Step) -> RunbookEnd:
        call = {"to": runbook.escalation.to, "deputy": runbook.escalation.deputy, "step": step.id}
        self.record("operator", Kind.INFO, "escalate", call)
        return RunbookEnd.ESCALATED
