"""What a run took, and what of it had to be: the price of the harness is the rest.

``wall`` is from the target being ready to the end of the run, where its folder is closed over; whoever judges it later
finds the same number. ``start`` is what came before, ``stop`` is the stopping of the target and the taking over of the
load's files at the end; both are told apart, ``stop`` lies within ``wall``.

``mandatory`` is computed from the plan and the instants of this very run, and never from how long it was watched:

- where something was injected: the planned baseline and onset; then from the injection to the recovery (its latest
  instant), and the hold that proves it. Where there was nothing to recover from, to the end of the operator's last
  step and the hold. Never before the last planned fault has had its time; where it did not recover, or nobody can tell,
  to the end of the observation.
- ``no-fault``: the planned baseline and onset, and the planned window of quiet.
- ``false-alarm``: the same up to the onset; then to the end of the operator's last step, and the hold.
- where nothing was injected although it should have been: to the end of the observation.
"""

from __future__ import annotations

from dataclasses import dataclass

from drills.judge import timeline
from drills.judge.milestones import Milestones
from drills.record.history import History, Kind


@dataclass(frozen=True, slots=True)
class Cost:
    """All in ns; None where the run did not come that far."""

    wall: int | None
    mandatory: int | None
    start: int | None
    stop: int | None

    @property
    def overhead(self) -> float | None:
        """What the harness added, as a share of what had to be, without starting and stopping; three decimals."""
        if self.wall is None or self.stop is None or not self.mandatory:
            return None
        added = self.wall - self.stop - self.mandatory
        return (added * 1000 + self.mandatory // 2) // self.mandatory / 1000


def cost(history: History, at: Milestones) -> Cost:
    """The cost of a run whose instants are ``at``."""
    run, end = history.run, history.run.end
    return Cost(
        wall=None if end is None or run.ready is None else end.t - run.ready,
        mandatory=mandatory(history, at),
        start=None if run.ready is None else run.ready - run.t0,
        stop=_stop(history),
    )


def mandatory(history: History, at: Milestones) -> int:
    """Baseline, fault, recovery and hold of this very run, ns (see above)."""
    plan, watched = history.plan, timeline.observed_until(history) - timeline.observed_from(history)
    zero = plan.baseline + min((fault.at for fault in plan.faults), default=0)
    if not plan.injects:
        return min(zero + _quiet(history, timeline.observed_from(history) + zero), max(watched, 0))
    if at.inject is None:
        return max(watched, 0)
    return zero + max(_recovered(history, at), at.inject.latest + _planned_faults(history)) - at.inject.earliest


def _recovered(history: History, at: Milestones) -> int:
    """The end of what had to be watched, ns."""
    assert at.inject is not None
    if at.recovered.at is not None:
        return at.recovered.at.latest + history.plan.slo.hold
    if at.recovered.not_needed:
        return max(at.inject.latest, _last_step(history) or 0) + history.plan.slo.hold
    return timeline.observed_until(history)


def _planned_faults(history: History) -> int:
    """From the first planned onset to the end of the last fault whose end was planned, ns."""
    faults = history.plan.faults
    first = min(fault.at for fault in faults)
    return max(fault.at + (fault.lasts or 0) for fault in faults) - first


def _quiet(history: History, onset: int) -> int:
    """The window of an arm without a fault, ns after the planned onset: runbook and hold, else what was planned."""
    done = _last_step(history)
    if done is not None:
        return done - onset + history.plan.slo.hold
    planned = next((event.data.get("until") for event in timeline.events(history, "runner", "observe")), None)
    return (planned if type(planned) is int else timeline.observed_until(history)) - onset


def _last_step(history: History) -> int | None:
    return max((step.end for step in timeline.steps(history) if step.end is not None), default=None)


def _stop(history: History) -> int | None:
    """From the last look at the target (its books taken, its faults seen gone) to the last word of the run."""
    finished = next((event.t for event in timeline.events(history, "runner", "finished")), None)
    looks = [event.t for event in timeline.events(history, "runner", "snapshot", Kind.OK, Kind.FAIL)]
    looks += [event.t for event in history.events if event.actor.startswith("fault:")]
    return None if finished is None or not looks else max(finished - max(looks), 0)
