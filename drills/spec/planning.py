"""From a drill to one run of it: which runbook, which faults at which instant, what must come out, what is needed.

Everything here is fixed before the run starts, and the plan is hashed into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from drills.errors import MissingMeans, UnknownName
from drills.record.arm import ARMS, FALSE_ALARM, NO_ACTION, RUNBOOK, Arm, ArmKind
from drills.record.history import MONITOR_INTERVAL, NOBODY, NS, PERSON_ACTS, REACTION, ROBOT_ACTS, Person, Plan
from drills.record.unsupported import ALERTS, BOOKS, OPERATOR
from drills.spec.arms import Expectation
from drills.spec.drill import Drill
from drills.spec.faultform import DrawnFault
from drills.spec.metrics import metrics
from drills.spec.runbook import Runbook, load_runbook, varied, without
from drills.spec.seeded import corners
from drills.spec.timeline import draw_faults
from drills.spec.variants import FILE, Variant, load_variants
from drills.spec.vocabulary import embedded
from targets.target import Capabilities

OURS = frozenset({"world", "customers"})
"""Books that are no matter of a target: the world comes from the seed, the customers' from the load."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a target must offer, unless its own file says that it does not have it; faults say it each for itself."""

    books: frozenset[str]
    operator: bool
    alerts: bool


def plan(
    drill: Drill,
    arm: Arm,
    seed: int,
    reaction_ns: int = REACTION,
    *,
    person: Person | None = None,
    runbook_sha256: str | None = None,
    compression: int = 1,
    monitor_interval_s: float | None = None,
) -> Plan:
    """Fix one run: onsets drawn from the seed and the drill's name alone, objectives, checks and hashes.

    ``runbook_sha256`` is given when another runbook than the arm's own is used. UnknownName for an arm it has not.
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
        governing=drill.governing,
        arm=str(arm),
        operator=NOBODY if not arm.acts else ROBOT_ACTS if person is None else PERSON_ACTS,
        person=person if arm.acts else None,
        pace=drill.pace_name,
        settings=dict(drill.settings),
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
        monitor_interval=MONITOR_INTERVAL if monitor_interval_s is None else round(monitor_interval_s * NS),
        limits_ja=[limit.ja for limit in drill.limits],
        accepts={name: msgspec.to_builtins(why) for name, why in drill.accepts.items()},
    )


def arm_of(drill: Drill, text: str) -> Arm:
    """The arm that is called so; UnknownName for what is no arm. Whether the drill has it, ``runbook_of`` says."""
    try:
        return Arm.parse(text)
    except ValueError:
        raise UnknownName("arm", text, known_arms(drill)) from None


def runbook_of(drill: Drill, arm: Arm) -> Runbook | None:
    """The runbook an arm follows, None where nobody acts; UnknownName for an arm that the drill has not."""
    if not arm.acts:
        return None
    if drill.runbook is None:
        raise UnknownName("arm", str(arm), known_arms(drill))
    right = load_runbook(drill.runbook, drill.tool)
    if arm.kind == ArmKind.WRONG:
        found = variants(drill)
        if arm.detail not in found:
            raise UnknownName("arm", str(arm), known_arms(drill))
        return varied(right, found[arm.detail])
    if arm.kind == ArmKind.WITHOUT:
        if right.step(arm.detail) is None:
            raise UnknownName(f"step of {right.id}", arm.detail, [step.id for step in right.steps])
        return without(right, arm.detail)
    return right


def usual_arm(drill: Drill) -> Arm:
    """The arm that is run when none is named: somebody follows the runbook, if there is one."""
    return NO_ACTION if drill.runbook is None else RUNBOOK


def variants(drill: Drill) -> dict[str, Variant]:
    """Name -> documented wrong variant of the drill's runbook, the harmless ones last."""
    return load_variants(drill.folder / FILE)


def known_arms(drill: Drill) -> tuple[str, ...]:
    """What every arm is called that the drill can run, but for the many ``without:STEP``."""
    if drill.runbook is None:
        return tuple(str(arm) for arm in ARMS if not arm.acts)
    return (*map(str, (*ARMS, *_wrong(drill))), f"{ArmKind.WITHOUT}:STEP")


def arms_of(drill: Drill) -> tuple[Arm, ...]:
    """The arms that ``verify`` runs, in order: the drill's own block, then each wrong runbook (main drill only)."""
    if drill.variant is not None:
        return tuple(drill.arms)
    return tuple(dict.fromkeys((*drill.arms, *_wrong(drill))))


def _wrong(drill: Drill) -> list[Arm]:
    return [Arm(ArmKind.WRONG, name) for name in variants(drill)]


def expectation(drill: Drill, arm: Arm) -> Expectation | None:
    """What the arm must show: the drill's own block first, then the runbook's ``expect``; None: nothing is declared."""
    if arm in drill.arms:
        return drill.arms[arm]
    runbook_of(drill, arm)  # refuses an arm that is not known
    return variants(drill)[arm.detail].expect if arm.kind == ArmKind.WRONG else None


def requirements(drill: Drill) -> Requirements:
    """What the drill's checks, objectives and runbook need of a target."""
    limited = [metrics()[objective.metric] for objective in drill.objectives]
    asked = {thing for metric in limited for thing in metric.needs}
    return Requirements(
        _books(drill, any(metric.settled for metric in limited) or BOOKS in asked),
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
    needs, unsupported = requirements(drill), capabilities.unsupported
    registry = embedded().faults if faults is None else faults
    lacks = [lack for timed in drill.timeline if (lack := _lack(timed.fault, capabilities, registry)) is not None]
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


def refuse_arm(drill: Drill, arm: Arm, capabilities: Capabilities, target: str) -> None:
    """Raise MissingMeans when somebody acts in this arm and the target has nothing to be told by, or to act with."""
    if not arm.acts:
        return
    lacks = [] if capabilities.operator else ["the target has no operator tool"]
    lacks += [] if capabilities.alerts or arm == FALSE_ALARM else ["the target sends no alerts"]
    if lacks:
        raise MissingMeans(lacks, f"arm {arm} of {drill.name} cannot run on target {target}")


def _books(drill: Drill, settled: bool) -> frozenset[str]:
    """What its checks read, and what must be right for it to count as recovered."""
    from drills.domains.registry import DOMAINS  # when asked for: reading a drill needs no judge
    from drills.judge.domain import books_of

    usual = DOMAINS.of_any_target()
    checks = (usual.checks[name] for name in drill.checks if name in usual.checks)
    read = {book for check in checks for book in check.needs_books}
    read |= {book for objective in drill.objectives for book in metrics()[objective.metric].books}
    return frozenset(read | set(books_of(usual.harms) if settled else ())) - OURS


def _line(drill: Drill, *keys: str) -> int:
    """Of the first of these keys that the drill has."""
    return next((drill.lines[key] for key in keys if key in drill.lines), 1)


def _lack(fault: DrawnFault, capabilities: Capabilities, registry: Mapping[str, type[Any]]) -> Lack | None:
    for chosen in corners(fault.params):
        lack = registry[fault.kind].of(chosen).missing(capabilities)
        if lack is not None:
            return Lack(fault.line, f"{fault.kind}: the target lacks {lack}")
    return None
