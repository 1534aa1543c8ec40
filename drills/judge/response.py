"""Who was alerted, which runbooks were opened and which steps were taken: these cells of the card."""

from __future__ import annotations

from drills.judge import timeline
from drills.judge.interval import seconds
from drills.judge.scorecard import AlertCell, OpenedCell, OperatorCell, RunbookCell, StepCell
from drills.record.history import PERSON_ACTS, ROBOT_ACTS, History

WHO = {ROBOT_ACTS: "robot"}
"""What a card calls an operator that a plan names otherwise."""


def alerts(history: History) -> list[AlertCell]:
    """Those that fired, in order, with the runbooks that were opened for each."""
    t0, opened = history.run.t0, timeline.openings(history)
    cells = []
    for page in timeline.pages(history):
        mine = [each for each in opened if (each.alert, each.alert_at) == (page.rule, page.t)]
        cells.append(
            AlertCell(
                rule=page.rule,
                t=seconds(page.t - t0),
                severity=page.severity,
                layer=page.layer,
                runbook=page.runbook,
                for_this_fault=timeline.is_for_fault(history, page),
                synthetic=page.synthetic,
                opened=[each.runbook for each in mine],
                ended=mine[-1].ended if mine else None,
            )
        )
    return cells


def operator(history: History) -> OperatorCell:
    """Who acted, and every runbook that was opened."""
    plan, t0 = history.plan, history.run.t0
    opened = [
        OpenedCell(
            runbook=each.runbook,
            alert=each.alert,
            source=each.source,
            start=seconds(each.t - t0),
            end=None if each.end is None else seconds(each.end - t0),
            ended=each.ended,
        )
        for each in timeline.openings(history)
    ]
    person = plan.person
    return OperatorCell(
        kind=WHO.get(plan.operator, plan.operator),
        reaction_s=None if plan.operator == PERSON_ACTS else seconds(plan.reaction),
        name=None if person is None else person.name,
        role=None if person is None else person.role,
        pace=plan.pace,
        opened=opened,
    )


def runbook(history: History) -> RunbookCell | None:
    """The run's own runbook with its steps; None where nobody opened it."""
    opening = timeline.opened_right(history)
    if opening is None:
        return None
    t0 = history.run.t0
    steps = [
        StepCell(
            id=step.id,
            start=seconds(step.start - t0),
            end=None if step.end is None else seconds(step.end - t0),
            outcome=step.outcome,
        )
        for step in timeline.steps_of(history, opening)
    ]
    reaction = None if history.plan.operator == PERSON_ACTS else seconds(history.plan.reaction)
    return RunbookCell(id=opening.runbook, reaction_s=reaction, steps=steps)
