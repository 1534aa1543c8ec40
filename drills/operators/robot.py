"""The robot operator: follows a runbook against the target's own tool, exactly as it is written.

It knows nothing of the drill: who is on call chose the runbook by the alert's link, each command is what a person would
type, and what the tool answers decides how the runbook goes on. A failed step stops the runbook (or escalates, or goes
on further down, where the runbook says so). A step that opens another runbook does so where it sees what it expects;
else the cause is another, and the next step looks for that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drills.operators.outcomes import Followed, Record, RunbookEnd, StepOutcome
from drills.record.history import NS, Kind
from drills.spec.expectations import Demand, disagreements
from drills.spec.runbook import Runbook
from drills.spec.steps import Step
from targets.target import Answer, OperatorAccess

TYPING_S = 0.25
"""Pace of the robot: seconds before each command, the same on every machine.

Nobody types in no time, and results depend on it: an operator who moves the exchange's session within 2.5 s of the
fault has duplicates sent, because orders that customers typed again are then still queued in the gateway.
"""
ASK_EVERY_S = 0.1
QUERY_WITHIN_S = 5.0
LEAST_S = 0.5
"""A query asked in the last moment of a step still gets so long."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of one step, and what the tool answered if it was asked."""

    outcome: StepOutcome
    says: str
    answer: Answer | None = None
    waited_ns: int = 0
    """In all, until commands of it began: where several ask for the same thing, the longest of them."""


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
        changed = any(each.answer is not None and each.answer.changed for each in results.values())
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
        result = results[step.id] = self._try(step, results)
        self.record("operator", result.outcome.kind, "step", _facts(step, result, began))
        self.show(step.id, result.outcome.value)
        return result

    def _try(self, step: Step, results: Mapping[str, StepResult]) -> StepResult:
        done = {name for name, result in results.items() if result.outcome == StepOutcome.OK}
        lacking = [need for need in step.needs if need not in done]
        if lacking:
            return StepResult(StepOutcome.SKIPPED, f"needs {', '.join(lacking)}")
        until = time.monotonic() + step.within / NS
        waited = 0
        if step.before is not None:
            against, waited = self._ask(step.before, step.role, until, once=True)
            if against:
                return StepResult(
                    StepOutcome.REFUSED, f"precondition does not hold: {'; '.join(against)}", None, waited
                )
        if step.argv is None:
            return StepResult(StepOutcome.OK, "a person's step: nothing to run", None, waited)
        self.stop.wait(TYPING_S)
        answer = self.tool.run_command(step.argv, step.role, max(0.1, until - time.monotonic()))
        waited += answer.waited_ns
        if answer.exit != 0:
            return StepResult(_of_exit(answer), answer.says, answer, waited)
        against, more = self._unmet(step, answer, until)
        if against:
            outcome = StepOutcome.FAILED if step.opens is None else StepOutcome.NOT_THIS
            return StepResult(outcome, f"{answer.says}; but {'; '.join(against)}", answer, waited + more)
        return StepResult(StepOutcome.OK, answer.says, answer, waited + more)

    def _unmet(self, step: Step, answer: Answer, until: float) -> tuple[tuple[str, ...], int]:
        if step.expect is None:
            return (), 0
        if step.expect.argv is None:
            return disagreements(step.expect.reply, answer.data), 0
        return self._ask(step.expect, step.role, until)

    def _ask(self, demand: Demand, role: str, until: float, *, once: bool = False) -> tuple[tuple[str, ...], int]:
        """Ask until the answer is as demanded or time is up (at least once): what disagrees, and the longest wait.

        No answer is waited for beyond the step's own limit.
        """
        assert demand.argv is not None  # only an expectation about the step's own answer has none
        waited = 0
        self.stop.wait(TYPING_S)
        while True:
            within = min(QUERY_WITHIN_S, max(LEAST_S, until - time.monotonic()))
            answer = self.tool.run_command(demand.argv, role, within)
            waited = max(waited, answer.waited_ns)
            against = disagreements(demand.reply, answer.data) if answer.exit == 0 else (answer.says,)
            if once or not against or time.monotonic() >= until or self.stop.is_set():
                return against, waited
            time.sleep(ASK_EVERY_S)

    def _escalate(self, runbook: Runbook, step: Step) -> RunbookEnd:
        call = {"to": runbook.escalation.to, "deputy": runbook.escalation.deputy, "step": step.id}
        self.record("operator", Kind.INFO, "escalate", call)
        return RunbookEnd.ESCALATED


def _of_exit(answer: Answer) -> StepOutcome:
    if answer.data.get("timeout"):
        return StepOutcome.TIMEOUT
    return StepOutcome.REFUSED if answer.exit == 1 else StepOutcome.FAILED


def _facts(step: Step, result: StepResult, began: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"id": step.id, "outcome": result.outcome.value, "says": result.says, "began": began}
    facts["waited_ns"] = result.waited_ns
    if result.answer is not None:
        facts |= {"exit": result.answer.exit, "changed": result.answer.changed, "answer": dict(result.answer.data)}
        facts["answered"] = result.answer.ended_ns  # a step may go on to wait for its expected result
    else:
        facts["changed"] = False
    return facts
