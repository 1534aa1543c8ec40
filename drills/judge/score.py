"""A history's scorecard: milestones, metrics, checks and objectives together. Pure: the same history, the same card."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import zip_longest

import msgspec

from drills.judge import governing, outage, response, timeline
from drills.judge.attempt import Attempts
from drills.judge.check import NOT_EXERCISED, UNSUPPORTED
from drills.judge.checks.processors import CONTENDED
from drills.judge.cost import Cost, cost
from drills.judge.domains import Domains
from drills.judge.instants import instants
from drills.judge.interval import Interval, seconds
from drills.judge.limits import harmed, without_limit
from drills.judge.metric import SCALE, Metric, Observed, Value, lacking, values
from drills.judge.milestones import Milestone, Milestones
from drills.judge.objectives import Judged, Measured, judge_objectives, unjudged
from drills.judge.run_checks import Asked, contended, run_checks, unfinished, unfollowed
from drills.judge.scorecard import (
    RULES,
    AcceptedCell,
    AskedCell,
    CheckCell,
    ClockCell,
    CostCell,
    EarlierCell,
    GoverningCell,
    HealCell,
    InstantCells,
    LimitCell,
    LoadCell,
    MetricCell,
    ObjectiveCell,
    Scorecard,
    Span,
    ValueCell,
)
from drills.judge.unjudged import claiming_nothing, how_far
from drills.judge.verdict import grade, verdict
from drills.record.history import CheckResult, Earlier, History, Objective, Plan, Reason, Status
from drills.record.unsupported import ALERTS, BOOKS, OPERATOR, THINGS

ENGINES = ("proxy", "volume", "database")
"""What every card says of its engines, be it that there was none."""


def score(history: History, evidence_head: str | None, domains: Domains) -> Scorecard:
    """Judge a run. ``evidence_head`` is the head of the chain over its files, None if it was never sealed."""
    run, plan, attempts = history.run, history.plan, Attempts()
    at = attempts.make("instants", lambda: instants(history, domains), Milestones.unknown)
    observed = Observed.of(history, at)
    measured = {metric.id: _measure(attempts, metric, observed) for metric in domains.metrics.values()}
    objectives = attempts.make(
        "objectives",
        lambda: judge_objectives(observed, measured, domains.metrics),
        lambda _: unjudged(plan.objectives),
    )
    asked = [*run_checks(history, domains.checks), *unfollowed(history)]
    load = attempts.make("load", lambda: _load(history), _no_load)
    price = attempts.make("cost", lambda: cost(history, at), lambda _: Cost(None, None, None, None))
    asked += unfinished(attempts.failures)
    asked += contended(history, asked, objectives)
    total = verdict(asked, objectives)
    no_limit = without_limit(plan, measured, domains.metrics)
    card = Scorecard(
        drill=plan.drill,
        variant=plan.variant,
        title=plan.title,
        sources=plan.sources,
        drill_sha256=plan.drill_sha256,
        runbook_sha256=plan.runbook_sha256,
        arm=plan.arm,
        operator=response.operator(history),
        seed=plan.seed,
        attempts=run.attempts,
        run=run.run,
        started=run.started,
        subject=run.subject,
        kunren=run.kunren,
        rules=RULES,
        evidence=evidence_head,
        clock=ClockCell(compression=plan.compression, monitor_interval_s=seconds(plan.monitor_interval)),
        governing=_governing(plan, measured, domains.metrics),
        target=run.target,
        engines=_engines(history),
        fidelity=plan.fidelity,
        limits=[*_own_limits(plan), *limits(history, at, asked, domains), *_without(history)],
        verdict=total,
        grade=grade(history, total, asked, at, no_limit),
        prevented=at.prevented,
        instants=_instants(at, run.t0),
        metrics=[_metric(metric, measured[metric.id]) for metric in domains.metrics.values()],
        objectives=[_objective(judged) for judged in objectives],
        accepted=[
            AcceptedCell(metric=name, reason=plan.accepts[name])
            for name in harmed(measured, domains.metrics)
            if name in plan.accepts
        ],
        no_limit=no_limit,
        checks=_checks(asked),
        load=load,
        alerts=response.alerts(history),
        runbook=response.runbook(history),
        heal=_heal(history),
        cost=_cost(price),
        asked=_asked(history),
        earlier=[_earlier(attempt) for attempt in run.earlier],
        settings=plan.settings or msgspec.UNSET,
        unsupported=run.unsupported or msgspec.UNSET,
    )
    return claiming_nothing(card, how_far(history))


def _measure(attempts: Attempts, metric: Metric, observed: Observed) -> list[Value]:
    """Its values, none of them known where measuring broke."""
    nothing = [Value(window, None, None) for window in metric.windows]
    return attempts.make(f"metric {metric.id}", lambda: values(metric, observed), lambda _: nothing)


def _governing(plan: Plan, measured: Measured, metrics: Mapping[str, Metric]) -> GoverningCell | None:
    condition = plan.governing
    if condition is None:
        return None
    known = governing.numbers(condition, measured, metrics)
    left, right = governing.value(condition.left, known), governing.value(condition.right, known)
    return GoverningCell(id=condition.id, words=condition.words, numbers=known, left=left, right=right)


def _own_limits(plan: Plan) -> list[LimitCell]:
    """As the drill's author has put them."""
    return [LimitCell(words={"en": en, "ja": ja}) for en, ja in zip_longest(plan.limits, plan.limits_ja, fillvalue="")]


def limits(history: History, at: Milestones, asked: Asked, domains: Domains) -> list[LimitCell]:
    """What this very run cannot show: checks with nothing to check, and why an instant is missing."""
    found = [
        _limit(thing, "unsupported.thing", f"without.{thing}") for thing in THINGS if thing in history.run.unsupported
    ]
    found += [_limit(check.id, NOT_EXERCISED) for check, answer in asked if _has(answer, NOT_EXERCISED)]
    found += _not_offered(history, asked, domains.metrics)
    found += [_of(check.id, answer) for check, answer in asked if answer.status == Status.UNKNOWN]
    found += [_of(check.id, answer) for check, answer in asked if _has(answer, CONTENDED)]
    if not history.plan.injects:
        return [*found, _limit(None, "milestones.no-fault")]
    if timeline.injected_at(history) is None:
        return [*found, _limit(None, "milestones.not-injected")]
    marks = {name: getattr(at, name) for name in ("contained", "available", "restored", "reconciled", "recovered")}
    plain = {"impact": at.impact, "alert": at.alert, "declared": at.declared, "runbook": at.runbook}
    plain = {name: instant for name, instant in plain.items() if not _needs(name, history)}
    missing = [_why_missing(name, mark, history.run.t0) for name, mark in marks.items()]
    absent = [_limit(f"t_{name}", "milestone.absent") for name, instant in plain.items() if instant is None]
    prevented = [_limit(None, "milestones.prevented")] if at.prevented else []
    return [*found, *prevented, *absent, *(limit for limit in missing if limit is not None)]


def _limit(about: str | None, *reasons: str) -> LimitCell:
    return LimitCell(about=about, reasons=[Reason(each) for each in reasons])


def _of(about: str, answer: CheckResult) -> LimitCell:
    return LimitCell(about=about, reasons=answer.reasons)


def _has(answer: CheckResult, reason: str) -> bool:
    return any(each.id == reason for each in answer.reasons)


def _not_offered(history: History, asked: Asked, metrics: Mapping[str, Metric]) -> Iterator[LimitCell]:
    """Checks and objectives that nobody can judge on this target, by its own word."""
    for check, answer in asked:
        if any(each.id.startswith(f"{UNSUPPORTED}.") for each in answer.reasons):
            yield _of(check.id, answer)
    for one in history.plan.objectives:
        things = lacking(metrics[one.metric], history.run.unsupported) if one.metric in metrics else []
        if things:
            yield LimitCell(about=one.id, reasons=[Reason(f"{UNSUPPORTED}.{thing}") for thing in things])


def _needs(instant: str, history: History) -> bool:
    """Whether the target does not offer what this instant is told by."""
    thing = {"alert": ALERTS, "declared": OPERATOR, "runbook": OPERATOR}.get(instant)
    return thing in history.run.unsupported


def _why_missing(name: str, mark: Milestone, t0: int) -> LimitCell | None:
    about = f"t_{name}"
    if mark.unknowable:
        early = (
            [] if mark.earliest is None else [Reason("milestone.earliest", {"seconds": seconds(mark.earliest - t0)})]
        )
        return LimitCell(about=about, reasons=[Reason("milestone.unknowable"), *mark.unknowable, *early])
    if mark.unsupported:
        return _limit(about, f"{UNSUPPORTED}.{BOOKS}")
    if mark.not_needed:
        return _limit(about, "milestone.not-needed")
    return None if mark.at is not None else _limit(about, "milestone.not-in-time")


def _span(interval: Interval | None, zero: int = 0) -> Span | None:
    return None if interval is None else interval.seconds(zero)


def _instants(at: Milestones, t0: int) -> InstantCells:
    return InstantCells(
        t_inject=_span(at.inject, t0),
        t_impact=_span(at.impact, t0),
        t_alert=_span(at.alert, t0),
        t_declared=_span(at.declared, t0),
        t_runbook=_span(at.runbook, t0),
        t_contained=_span(at.contained.at, t0),
        t_available=_span(at.available.at, t0),
        t_restored=_span(at.restored.at, t0),
        t_reconciled=_span(at.reconciled.at, t0),
        t_recovered=_span(at.recovered.at, t0),
    )


def _metric(metric: Metric, found: list[Value]) -> MetricCell:
    cells = [ValueCell(window=each.window, of=each.of, value=_shown(metric, each.measured)) for each in found]
    return MetricCell(id=metric.id, unit=metric.unit, values=cells)


def _shown(metric: Metric, measured: Interval | None) -> Span | int | float | None:
    """In the card's unit: a span as an interval, all else as one number."""
    found = _in_unit(measured, metric.unit)
    if found is None or metric.span:
        return found
    return round(found[1]) if metric.unit in ("count", "yen") else found[1]


def _in_unit(measured: Interval | None, unit: str) -> Span | None:
    if measured is None:
        return None
    if unit == "s":
        return measured.seconds()
    return measured.earliest / SCALE.get(unit, 1), measured.latest / SCALE.get(unit, 1)


def _objective(judged: Judged) -> ObjectiveCell:
    objective: Objective = judged.objective
    return ObjectiveCell(
        id=objective.id,
        metric=objective.metric,
        window=objective.window,
        of=objective.of,
        limit=float(objective.limit),
        unit=objective.unit,
        at_least=objective.at_least,
        measured=_in_unit(judged.measured, objective.unit),
        headroom=_in_unit(judged.headroom, objective.unit),
        because=objective.because,
        verdict=judged.status,
        approved_by=objective.approved_by,
    )


def _checks(asked: Asked) -> list[CheckCell]:
    return [
        CheckCell(
            id=check.id,
            invariant=check.invariant,
            validity=check.validity,
            verdict=answer.status,
            counts=answer.counts,
            reasons=answer.reasons,
            evidence=answer.evidence,
        )
        for check, answer in asked
    ]


def _load(history: History) -> LoadCell:
    counts = outage.counts(history)
    return LoadCell(
        rate=math.fsum(history.plan.services.values()),  # sum() of floats differs between Python versions
        intended=counts.intended,
        sent=counts.sent,
        good=counts.good,
        bad=counts.bad,
        indeterminate=counts.indeterminate,
        lateness_p99_ms=seconds(outage.lateness_p99(history) * 1000) if counts.sent else None,
        dropped=counts.dropped,
    )


def _no_load(_: Reason) -> None:
    return None


def _heal(history: History) -> HealCell:
    records = [timeline.injection(history, index) for index in timeline.fault_indexes(history)]
    begun = [record for record in records if record.injected]
    return HealCell(
        injected=len(begun),
        undone=sum(record.undone for record in begun),
        verified_removed=sum(record.gone for record in begun),
    )


def _cost(price: Cost) -> CostCell:
    return CostCell(
        wall_s=_seconds(price.wall),
        mandatory_s=_seconds(price.mandatory),
        start_s=_seconds(price.start),
        stop_s=_seconds(price.stop),
        overhead=price.overhead,
    )


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else seconds(ns)


def _engines(history: History) -> dict[str, str | None]:
    return {**dict.fromkeys(ENGINES), **history.run.engines}


def _without(history: History) -> list[LimitCell]:
    """Which engines there were none of, and why."""
    why = "engine.never-ready" if history.run.ready is None else "engine.none-named"
    return [_limit(f"engines.{name}", why) for name, engine in _engines(history).items() if engine is None]


def _asked(history: History) -> AskedCell | None:
    asked = history.run.asked
    if asked is None:
        return None
    reaction = seconds(history.plan.reaction)
    return AskedCell(drill=asked.drill, runbook=asked.runbook, proxy=asked.proxy, reaction_s=reaction)


def _earlier(attempt: Earlier) -> EarlierCell:
    return EarlierCell(run=attempt.run, evidence=attempt.evidence, verdict=attempt.verdict, causes=attempt.causes)
