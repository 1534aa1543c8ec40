"""What to run, and what that means: the page behind the alert's link in this arm, and the plan of the run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from drills import planning
from drills.errors import MissingMeans, Refused
from drills.history import NS, Asked, Earlier, Plan
from drills.runbook import Runbook, load_runbook
from drills.scorecard import Scorecard
from drills.spec import Drill, name_of
from drills.systems import system

PAGE_ARMS = ("runbook", "false-alarm")
"""Arms whose page may be replaced by another one."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, as asked for on the command line.

    ``runbook`` replaces the arm's own page; ``target`` is a runtime's name or a target file; ``earlier`` are attempts
    that were void.
    """

    drill: Drill
    arm: str
    seed: int
    runs: Path
    reaction: int = NS
    proxy: str = "auto"
    runbook: Path | None = None
    subject: str | None = None
    attempts: int = 1
    target: str = "local"
    earlier: tuple[Earlier, ...] = ()


def asked(order: Order) -> Asked:
    """What must stand on a command line, beside the plan, to have the same run again."""
    page = None if order.runbook is None else str(order.runbook)
    return Asked(drill=name_of(order.drill), runbook=page, proxy=order.proxy)


def again(order: Order, void: Scorecard) -> Order:
    """The order once more, after an attempt whose card says that it could not judge."""
    causes = void.cannot_judge.causes if void.cannot_judge else []
    why = "; ".join(check.says for check in void.checks if check.id in causes)
    first = Earlier(void.run, void.evidence, void.verdict, why)
    return replace(order, attempts=order.attempts + 1, earlier=(*order.earlier, first))


def page_of(order: Order) -> Runbook | None:
    """The page behind the alert's link in this arm; another page may stand only where the right one would."""
    if order.runbook is not None and order.arm not in PAGE_ARMS:
        raise Refused(f"--runbook goes with the arms {' and '.join(PAGE_ARMS)}, not with {order.arm}")
    page = load_runbook(order.runbook) if order.runbook else planning.runbook_of(order.drill, order.arm)
    if page is None:
        return None
    if order.drill.phase not in page.phases:
        raise MissingMeans(
            [f"runbook {page.id} holds for phases {', '.join(page.phases)}, the drill strikes in {order.drill.phase}"],
            "write a page for this phase; that there is none is the finding",
        )
    return page


def plan_of(order: Order, page: Runbook | None) -> Plan:
    """Everything that is fixed before the run starts, onset drawn."""
    return planning.plan(
        order.drill,
        order.arm,
        order.seed,
        order.reaction,
        runbook_sha256=None if page is None else page.sha256,
        compression=system(order.target).compression,
    )
