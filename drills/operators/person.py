"""A person who is on call: opens runbooks, has steps run or types their commands in another terminal, decides.

What the person does comes as actions from the terminal (``drills.operators.actions``) and from the log of the
operator's tool, which has the commands typed elsewhere. Everything is put on record as a robot's work is, with name and
role. Nothing of the drill is known here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from drills.operators.actions import (
    Action,
    Actions,
    ConfirmStep,
    Escalate,
    LeaveRunbook,
    OpenRunbook,
    RunStep,
    SkipStep,
)
from drills.operators.inbox import Inbox
from drills.operators.outcomes import Record, RunbookEnd, StepOutcome
from drills.operators.steps import StepResult, Steps, facts
from drills.record.history import NS, Kind, Person
from drills.spec.runbook import Runbook
from drills.spec.steps import Step
from targets.target import OperatorAccess, Typed

LOOK_EVERY_S = 0.1


class Screen(Protocol):
    """What the person sees of it."""

    def closed(self, name: str, end: str) -> None:
        """This runbook is followed no longer."""

    def offered(self, step: str) -> None:
        """This step is next."""

    def step(self, step: str, outcome: str, says: str = "") -> None:
        """It is ``running``, or has come to its outcome."""

    def command(self, typed: Typed) -> None:
        """A command was typed in another terminal."""

    def remark(self, message: str) -> None:
        """Something could not be done."""


@dataclass(slots=True)
class PersonOnCall:
    """Carries out what the person decides. ``library``: id -> runbook, all that there are.

    ``opened`` and ``closed`` are told each runbook as it is opened and left, ``acted`` each command that may have
    changed the system, given by whatever way.
    """

    library: Mapping[str, Runbook]
    person: Person
    tool: OperatorAccess
    actions: Actions
    record: Record
    screen: Screen
    stop: threading.Event
    opened: Callable[[Runbook], None]
    closed: Callable[[Runbook], None]
    acted: Callable[[], None]
    _seen: int = 0  # of the commands that were typed

    def attend(self, inbox: Inbox) -> None:
        """Until the run stops looking; blocking."""
        next_one: Action | None = None
        while not self.stop.is_set():
            action, next_one = next_one or self.actions.take(LOOK_EVERY_S), None
            for command in self.typed():
                self.take_note(command, None)
            if isinstance(action, OpenRunbook):
                next_one = self._open(action, inbox)
            elif action is not None:
                self.screen.remark("no runbook is open")

    def _open(self, action: OpenRunbook, inbox: Inbox) -> Action | None:
        """Follow the runbook, and those that it opens; what the person wants to do instead, if that ended it."""
        alert = None if action.alert is None else inbox.last(action.alert)
        why = {"rule": action.alert, "alert_ns": None if alert is None else alert.t_ns}
        name: str | None = action.runbook
        source: str | None = None
        following: Following | None = None
        while name is not None and (runbook := self.library.get(name)) is not None:
            following = Following(self, runbook)
            self._follow(following, {**why, "from": source})
            name, source = following.opens, runbook.id
        if name is not None:
            self.screen.remark(f"there is no runbook {name}")
        return None if following is None else following.wanted

    def _follow(self, following: Following, why: Mapping[str, Any]) -> None:
        runbook = following.runbook
        self.note(Kind.INVOKE, "runbook", {"runbook": runbook.id, "sha256": runbook.sha256, **why})
        self.opened(runbook)
        end = following.follow()
        self.note(end.kind, "runbook", {"runbook": runbook.id, "end": end.value, "opens": following.opens})
        self.closed(runbook)
        self.screen.closed(runbook.id, end.value)

    def typed(self) -> Sequence[Typed]:
        """What was typed in other terminals since the last look."""
        new = self.tool.typed(self._seen)
        self._seen += len(new)
        return new

    def take_note(self, command: Typed, step: str | None) -> None:
        """Of a command that was typed in another terminal; as ``step`` where that was its turn."""
        answer = command.answer
        said = {"argv": list(command.argv), "role": command.role, "exit": answer.exit, "says": answer.says}
        times = {"began": answer.began_ns, "answered": answer.ended_ns}
        self.note(Kind.INFO, "command", {**said, **times, "changed": answer.changed, "step": step})
        self.screen.command(command)
        if answer.changed:
            self.acted()

    def note(self, kind: Kind, what: str, data: Mapping[str, Any]) -> None:
        """Put it on record with name and role."""
        self.record("operator", kind, what, {**data, "name": self.person.name, "as": self.person.role})


@dataclass(slots=True)
class Following:
    """One runbook while the person follows it."""

    by: PersonOnCall
    runbook: Runbook
    opens: str | None = None
    wanted: Action | None = None
    _results: dict[str, StepResult] = field(default_factory=dict)

    def follow(self) -> RunbookEnd:
        """Step by step, until one ends it or the last is done."""
        for step in self.runbook.steps:
            end = self._step(step)
            if end is not None:
                return end
        left_out = any(each.outcome == StepOutcome.SKIPPED for each in self._results.values())
        return RunbookEnd.INCOMPLETE if left_out else RunbookEnd.DONE

    def _step(self, step: Step) -> RunbookEnd | None:
        """Offer it until it is done or left out; how the runbook ends, None where it goes on."""
        self.by.screen.offered(step.id)
        while not self.by.stop.is_set():
            action = self.by.actions.take(LOOK_EVERY_S)
            for command in self.by.typed():
                self._typed(step, command)
            if isinstance(action, OpenRunbook | LeaveRunbook | Escalate):
                return self._leave(step, action)
            if action is not None:
                self._act(step, action)
            if self._is_over(step):
                if self._results[step.id].outcome == StepOutcome.OK and step.opens is not None:
                    self.opens = step.opens
                    return RunbookEnd.OPENED
                return None
        return RunbookEnd.INTERRUPTED

    def _is_over(self, step: Step) -> bool:
        """A step that failed is offered again, until the person leaves it out."""
        result = self._results.get(step.id)
        return result is not None and result.outcome in (StepOutcome.OK, StepOutcome.NOT_THIS, StepOutcome.SKIPPED)

    def _act(self, step: Step, action: RunStep | ConfirmStep | SkipStep) -> None:
        if action.step != step.id:
            self.by.screen.remark("that step is over")
        elif isinstance(action, SkipStep):
            self._left_out(step, action.reason)
        elif isinstance(action, RunStep) == (step.argv is not None):
            self._carried_out(step)
        else:
            self.by.screen.remark("this step is run, not confirmed" if step.argv else "this step is confirmed, not run")

    def _carried_out(self, step: Step) -> None:
        began = self._begin(step)
        done = {name for name, each in self._results.items() if each.outcome == StepOutcome.OK}
        result = self._steps().carry_out(step, done)
        if result.outcome == StepOutcome.SKIPPED:  # what it needs was left out: the person may see to that first
            result = StepResult(StepOutcome.REFUSED, result.says)
        if step.argv is None and result.outcome == StepOutcome.OK:
            result = StepResult(StepOutcome.OK, f"confirmed by {self.by.person.name}")
        self._end(step, result, began)

    def _typed(self, step: Step, command: Typed) -> None:
        """A command was typed in another terminal: it may be the step's own."""
        is_its = command.argv == step.argv
        self.by.take_note(command, step.id if is_its else None)
        if is_its:
            self._begin(step)
            result = self._steps().settled(step, command.answer, time.monotonic() + step.within / NS)
            self._end(step, result, command.answer.began_ns)

    def _left_out(self, step: Step, reason: str) -> None:
        self._end(step, StepResult(StepOutcome.SKIPPED, reason), self._begin(step))

    def _begin(self, step: Step) -> int:
        began = time.monotonic_ns()
        self.by.note(Kind.INVOKE, "step", {"id": step.id, "role": step.role})
        self.by.screen.step(step.id, "running")
        return began

    def _end(self, step: Step, result: StepResult, began: int) -> None:
        self._results[step.id] = result
        self.by.note(result.outcome.kind, "step", facts(step, result, began))
        self.by.screen.step(step.id, result.outcome.value, result.says)
        if result.changed:
            self.by.acted()

    def _leave(self, step: Step, action: OpenRunbook | LeaveRunbook | Escalate) -> RunbookEnd:
        if isinstance(action, OpenRunbook):
            self.wanted = action
            return RunbookEnd.INTERRUPTED
        if isinstance(action, LeaveRunbook):
            self.by.note(Kind.INFO, "left", {"step": step.id, "reason": action.reason})
            first = self._results.get(self.runbook.steps[0].id)
            does_not_apply = first is not None and first.outcome == StepOutcome.REFUSED and len(self._results) == 1
            return RunbookEnd.REFUSED if does_not_apply else RunbookEnd.STOPPED
        called = self.runbook.escalation
        call = {"to": called.to, "deputy": called.deputy, "step": step.id, "reason": action.reason}
        self.by.note(Kind.INFO, "escalate", call)
        self.opens = called.opens
        return RunbookEnd.ESCALATED

    def _steps(self) -> Steps:
        return Steps(self.by.tool, self.by.stop)
