"""Carrying out one step of a runbook against the target's own tool, exactly as it is written, whoever follows it.

Each command is what a person would type. A step's precondition is asked first, then its command is run, then what it
must bring about is asked for until it holds or the step's time is up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from drills.operators.outcomes import StepOutcome
from drills.record.history import NS
from drills.spec.expectations import Demand, disagreements
from drills.spec.steps import Step
from targets.target import Answer, OperatorAccess

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

    @property
    def changed(self) -> bool:
        """Whether it may have changed the system."""
        return self.answer is not None and self.answer.changed


@dataclass(frozen=True, slots=True)
class Steps:
    """Carries out steps; blocking. ``stop`` ends waiting, ``typing_s`` passes before each command."""

    tool: OperatorAccess
    stop: threading.Event
    typing_s: float = 0.0

    def carry_out(self, step: Step, done: Collection[str]) -> StepResult:
        """The step from its precondition on; ``done``: ids of the steps before it that went well."""
        lacking = [need for need in step.needs if need not in done]
        if lacking:
            return StepResult(StepOutcome.SKIPPED, f"needs {', '.join(lacking)}")
        until = time.monotonic() + step.within / NS
        against, waited = self._precondition(step, until)
        if against:
            says = f"precondition does not hold: {'; '.join(against)}"
            return StepResult(StepOutcome.REFUSED, says, None, waited)
        if step.argv is None:
            return StepResult(StepOutcome.OK, "a person's step: taken as done", None, waited)
        self.stop.wait(self.typing_s)
        answer = self.tool.run_command(step.argv, step.role, max(0.1, until - time.monotonic()))
        return self.settled(step, answer, until, waited)

    def settled(self, step: Step, answer: Answer, until: float, waited: int = 0) -> StepResult:
        """What the step has come to, now that its command has given this answer; ``until`` is on time.monotonic()."""
        waited += answer.waited_ns
        if answer.exit != 0:
            return StepResult(_of_exit(answer), answer.says, answer, waited)
        against, more = self._unmet(step, answer, until)
        if against:
            outcome = StepOutcome.FAILED if step.opens is None else StepOutcome.NOT_THIS
            return StepResult(outcome, f"{answer.says}; but {'; '.join(against)}", answer, waited + more)
        return StepResult(StepOutcome.OK, answer.says, answer, waited + more)

    def _precondition(self, step: Step, until: float) -> tuple[tuple[str, ...], int]:
        return ((), 0) if step.before is None else self._ask(step.before, step.role, until, once=True)

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
        self.stop.wait(self.typing_s)
        while True:
            within = min(QUERY_WITHIN_S, max(LEAST_S, until - time.monotonic()))
            answer = self.tool.run_command(demand.argv, role, within)
            waited = max(waited, answer.waited_ns)
            against = disagreements(demand.reply, answer.data) if answer.exit == 0 else (answer.says,)
            if once or not against or time.monotonic() >= until or self.stop.is_set():
                return against, waited
            time.sleep(ASK_EVERY_S)


def _of_exit(answer: Answer) -> StepOutcome:
    if answer.data.get("timeout"):
        return StepOutcome.TIMEOUT
    return StepOutcome.REFUSED if answer.exit == 1 else StepOutcome.FAILED


def facts(step: Step, result: StepResult, began: int) -> dict[str, Any]:
    """The data of the event that tells a step's end; ``began`` is CLOCK_MONOTONIC in ns."""
    said: dict[str, Any] = {"id": step.id, "outcome": result.outcome.value, "says": result.says, "began": began}
    said |= {"waited_ns": result.waited_ns, "changed": result.changed}
    if result.answer is not None:
        said |= {"exit": result.answer.exit, "answer": dict(result.answer.data)}
        said["answered"] = result.answer.ended_ns  # a step may go on to wait for its expected result
    return said
