"""What to run, and what that means: the runbook behind the alert's link in this arm, and the plan of the run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from drills.errors import MissingMeans, Refused
from drills.judge.scorecard import Scorecard
from drills.record.arm import FALSE_ALARM, RUNBOOK, Arm
from drills.record.history import REACTION, Asked, Cause, Earlier, Person, Plan
from drills.spec import planning
from drills.spec.drill import Drill, name_of
from drills.spec.runbook import Runbook, load_runbook
from drills.spec.target import system

RUNBOOK_ARMS = (RUNBOOK, FALSE_ALARM)
"""Arms whose runbook may be replaced by another one."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run, as asked for on the command line.

    ``drill`` is at the pace at which it is to run. ``runbook`` replaces the arm's own; ``target`` is a runtime's name
    or a target file; ``earlier`` are attempts that were void. ``person``: who acts, None: the robot.
    """

    drill: Drill
    arm: Arm
    seed: int
    runs: Path
    reaction: int = REACTION
    proxy: str = "auto"
    runbook: Path | None = None
    subject: str | None = None
    attempts: int = 1
    target: str = "local"
    earlier: tuple[Earlier, ...] = ()
    person: Person | None = None
    drawn: bool = False
    purpose: str | None = None


def asked(request: RunRequest) -> Asked:
    """What must stand on a command line, beside the plan, to have the same run again."""
    runbook = None if request.runbook is None else str(request.runbook)
    return Asked(drill=name_of(request.drill), runbook=runbook, proxy=request.proxy)


def again(request: RunRequest, void: Scorecard) -> RunRequest:
    """The order once more, after an attempt whose card says that it could not judge."""
    causes = void.cannot_judge.causes if void.cannot_judge else []
    why = [Cause(check.id, check.counts, check.reasons) for check in void.checks if check.id in causes]
    first = Earlier(void.run, void.evidence, void.verdict, why)
    return replace(request, attempts=request.attempts + 1, earlier=(*request.earlier, first))


def runbook_for(request: RunRequest) -> Runbook | None:
    """The runbook behind the alert's link in this arm; another runbook may stand only where the right one would."""
    if request.runbook is not None and request.arm not in RUNBOOK_ARMS:
        raise Refused(f"--runbook goes with the arms {' and '.join(map(str, RUNBOOK_ARMS))}, not with {request.arm}")
    if request.runbook is None:
        runbook = planning.runbook_of(request.drill, request.arm)
    else:
        runbook = load_runbook(request.runbook, request.drill.tool)
    if runbook is None:
        return None
    if request.drill.phase not in runbook.phases:
        raise MissingMeans(
            [
                f"runbook {runbook.id} holds for phases {', '.join(runbook.phases)},"
                f" the drill strikes in {request.drill.phase}"
            ],
            "write a runbook for this phase; that there is none is the finding",
        )
    return runbook


def plan_of(request: RunRequest, runbook: Runbook | None) -> Plan:
    """Everything that is fixed before the run starts, onset drawn."""
    runtime = system(request.target)
    return planning.plan(
        request.drill,
        request.arm,
        request.seed,
        request.reaction,
        person=request.person,
        runbook_sha256=None if runbook is None else runbook.sha256,
        compression=request.drill.compression or runtime.compression,
        monitor_interval_s=runtime.capabilities().monitor_interval_s,
    )
