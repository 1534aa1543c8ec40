"""What a plan fixes about the course of a run, as spans in ns: the runner goes by it, the judge compares with it."""

from __future__ import annotations

from drills.record.history import NS, Plan

FALSE_ALARM_AFTER = NS
"""How long after the planned onset the false alarm comes, about where a true one would."""


def first_onset(plan: Plan) -> int:
    """From the end of the baseline to the first planned fault, or to where it would come."""
    return min((fault.at for fault in plan.faults), default=0)


def watched_for(plan: Plan) -> int:
    """Longest time to look, from the first planned onset: the cap, or without a fault long enough to see quiet.

    A false alarm is watched until its runbook can have been followed; that ends it sooner (``quiet``).
    """
    if plan.injects:
        return plan.cap
    if plan.arm == "false-alarm":
        return FALSE_ALARM_AFTER + plan.reaction + plan.cap
    return 2 * plan.slo.hold + NS


def longest(plan: Plan) -> int:
    """From the first customer to the end of the observation, at most."""
    return plan.baseline + first_onset(plan) + watched_for(plan)


def quiet(plan: Plan) -> int:
    """How long it must have been good, with nobody acting, before a run counts as seen to its end."""
    return plan.slo.hold + plan.slo.grace + NS
