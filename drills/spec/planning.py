"""From a drill to one run of it: which page, which faults at which instant, what must come out, what is needed.

Everything here is fixed before the run starts, and the plan is hashed into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from drills.errors import MissingMeans, UnknownName
from drills.record.history import NS, Plan
from drills.record.unsupported import ALERTS, BOOKS, NEEDS, OPERATOR, SETTLED_BY_BOOKS
from drills.spec.arms import ARMS, WITHOUT_RUNBOOK, Expectation, is_arm
from drills.spec.runbook import Runbook, load_runbook, varied, without
from drills.spec.seeded import corners, extremes
from drills.spec.timeline import TimedFault, draw_faults
from drills.spec.variants import FILE, Variant, load_variants
from drills.spec.vocabulary import embedded

if TYPE_CHECKING:
    from drills.spec.drill import Drill
    from targets.target import Capabilities

OURS = frozenset({"world", "customers"})
"""Books that are no matter of a target: the world comes from the seed, the customers' from the load."""

REACTION = NS
"""How long the robot waits after an alert, in ns."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a target must offer, by name, unless its own file says that it does not have it."""

    faults: frozenset[str]
    links: frozenset[str]
    services: frozenset[str]
    books: frozenset[str]
    operator: bool
    alerts: bool


def plan(
    drill: Drill,
    arm: str,
    seed: int,
    reaction_ns: int = REACTION,
    operator: str = "auto",
    *,
    runbook_sha256: str | None = None,
    compression: int = 1,
    monitor_interval_ns: int = 250_000_000,
) -> Plan:
    """Fix one run: onsets drawn from the seed and the drill's name alone, objectives, checks and hashes.

    ``runbook_sha256`` is given when a page other than the arm's own is used. UnknownName for an arm the drill has not.
    """
    if runbook_sha256 is None and (runbook := runbook_of(drill, arm)) is not None:
        runbook_sha256 = runbook.sha256
    return Plan(
        drill=drill.name,
        variant=drill.variant,
        title=msgspec.to_builtins(drill.title),
        sources=list(drill.sources),
        phase=drill.phase,
        fidelity=drill.fidelity,
        limits=[limit.en for limit in drill.limits],
        condition=None if drill.condition is None else msgspec.to_builtins(drill.condition),
        arm=arm,
        operator="none" if arm in WITHOUT_RUNBOOK else operator,
        reaction=reaction_ns,
        seed=seed,
        slo=drill.slo,
        services=drill.services,
        alerts=list(drill.alerts),
        objectives=list(drill.objectives),
        checks=list(drill.checks),
        faults=draw_faults(drill.timeline, drill.name, seed),
        baseline=drill.baseline,
        cap=drill.cap,
        drill_sha256=drill.sha256,
        runbook_sha256=runbook_sha256,
        compression=compression,
        monitor_interval=monitor_interval_ns,
        limits_ja=[limit.ja for limit in drill.limits],
        reaction_up_to=drill.arms["runbook"].reaction_up_to if "runbook" in drill.arms else None,
    )


def runbook_of(drill: Drill, arm: str) -> Runbook | None:
    """The runbook an arm follows, None where nobody acts; UnknownName for an arm that the drill has not."""
    kind, _, detail = arm.partition(":")
    if not is_arm(arm) or (drill.runbook is None and arm not in WITHOUT_RUNBOOK):
        raise UnknownName("arm", arm, known_arms(drill))
    if arm in WITHOUT_RUNBOOK or drill.runbook is None:
        return None
    right = load_runbook(drill.runbook, drill.tool)
    if kind == "wrong":
        return varied(right, _variant(drill, arm, detail))
    if kind == "without":
        if right.step(detail) is None:
            raise UnknownName(f"step of {right.id}", detail, [step.id for step in right.steps])
        return without(right, detail)
    return right


def usual_arm(drill: Drill) -> str:
    """The arm that is run when none is named: somebody follows the runbook, if there is one."""
    return "no-action" if drill.runbook is None else "runbook"


def variants(drill: Drill) -> dict[str, Variant]:
    """Name -> documented wrong variant of the drill's runbook, the harmless ones last."""
    return load_variants(drill.folder / FILE)


def known_arms(drill: Drill) -> tuple[str, ...]:
    """Every arm that the drill can run, but for the many ``without:STEP``."""
    if drill.runbook is None:
        return WITHOUT_RUNBOOK
    return (*ARMS, *(f"wrong:{name}" for name in variants(drill)), "without:STEP")


def arms_of(drill: Drill) -> tuple[str, ...]:
    """The arms that ``verify`` runs, in order: the drill's own block, then each wrong page (main drill only)."""
    if drill.variant is not None:
        return tuple(drill.arms)
    return tuple(dict.fromkeys((*drill.arms, *(f"wrong:{name}" for name in variants(drill)))))


def expectation(drill: Drill, arm: str) -> Expectation | None:
    """What the arm must show: the drill's own block first, then the page's ``expect``; None: nothing is declared."""
    if arm in drill.arms:
        return drill.arms[arm]
    runbook_of(drill, arm)  # refuses an arm that is not known
    return variants(drill)[arm.removeprefix("wrong:")].expect if arm.startswith("wrong:") else None


def requirements(drill: Drill) -> Requirements:
    """What the drill needs of a target, whichever value its ranges take: for its faults, checks, objectives, page."""
    asked = {thing for objective in drill.objectives for thing in NEEDS.get(objective.id, ())}
    return Requirements(
        frozenset(fault.kind for fault in drill.timeline),
        _named(drill, "link"),
        _named(drill, "service"),
        _books(drill, bool(SETTLED_BY_BOOKS & {one.id for one in drill.objectives}) or BOOKS in asked),
        operator=drill.runbook is not None or OPERATOR in asked,
        alerts=drill.runbook is not None or ALERTS in asked or bool(drill.alerts),
    )


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that a target does not offer, and the line of the drill that asks for it."""

    line: int
    says: str


def missing(
    drill: Drill, capabilities: Capabilities, faults: Mapping[str, type[Any]] | None = None
) -> tuple[Lack, ...]:
    """What the target does not offer, and does not say itself that it has not; empty when nothing."""
    needs, unsupported = requirements(drill), capabilities.not_offered
    registry = embedded().faults if faults is None else faults
    lacks = [lack for fault in drill.timeline if (lack := _lack(fault, capabilities, registry)) is not None]
    if BOOKS not in unsupported:
        lacks += [
            Lack(_line(drill, "checks", "objectives"), f"the target has no book '{book}'")
            for book in sorted(needs.books - set(capabilities.books))
        ]
    if needs.operator and not capabilities.operator and OPERATOR not in unsupported:
        lacks.append(Lack(_line(drill, "runbook", "objectives"), "the target has no operator tool"))
    if needs.alerts and not capabilities.alerts and ALERTS not in unsupported:
        lacks.append(Lack(_line(drill, "alerts", "objectives"), "the target sends no alerts"))
    return tuple(lacks)


def refuse_missing(drill: Drill, capabilities: Capabilities, target: str) -> None:
    """Raise MissingMeans when the target lacks anything; nothing has been started then."""
    lacks = missing(drill, capabilities)
    if lacks:
        sentences = [f"{drill.file}:{lack.line}: {lack.says}" for lack in lacks]
        raise MissingMeans(sentences, f"drill {drill.name} cannot run on target {target}")


def refuse_arm(drill: Drill, arm: str, capabilities: Capabilities, target: str) -> None:
    """Raise MissingMeans when somebody acts in this arm and the target has nothing to be told by, or to act with."""
    if arm in WITHOUT_RUNBOOK:
        return
    lacks = [] if capabilities.operator else ["the target has no operator tool"]
    lacks += [] if capabilities.alerts or arm == "false-alarm" else ["the target sends no alerts"]
    if lacks:
        raise MissingMeans(lacks, f"arm {arm} of {drill.name} cannot run on target {target}")


def _variant(drill: Drill, arm: str, name: str) -> Variant:
    found = variants(drill)
    if name not in found:
        raise UnknownName("arm", arm, known_arms(drill))
    return found[name]


def _books(drill: Drill, settled: bool) -> frozenset[str]:
    """What its checks read, and what must be right for it to count as recovered."""
    from drills.judge import harm
    from drills.judge.checks import CHECKS  # when asked for: reading a drill needs no checker

    read = {book for name in drill.checks if name in CHECKS for book in CHECKS[name].needs_books}
    return frozenset(read | set(harm.NEEDS if settled else ())) - OURS


def _named(drill: Drill, field: str) -> frozenset[str]:
    found = [extremes(fault.params[field]) for fault in drill.timeline if field in fault.params]
    return frozenset(str(name) for names in found for name in names)


def _line(drill: Drill, *keys: str) -> int:
    """Of the first of these keys that the drill has."""
    return next((drill.lines[key] for key in keys if key in drill.lines), 1)


def _lack(fault: TimedFault, capabilities: Capabilities, registry: Mapping[str, type[Any]]) -> Lack | None:
    for chosen in corners(fault.params):
        lack = msgspec.convert(chosen, registry[fault.kind]).missing(capabilities)
        if lack is not None:
            return Lack(fault.line, f"{fault.kind}: the target lacks {lack}")
    return None
