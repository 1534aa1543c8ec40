"""Did the run go as planned? Each planned quantity of it against what really was, from the events alone.

Every instant of the plan is kept by the harness, and a harness can be late: its machine is busy, its disk is slow, or
it stood still. A fault undone at once has tested nothing, one that stayed on is held against a target that did nothing
wrong; so neither a pass nor a fail may rest on such a run, and it is invalid. Where a quantity lies between two
instants it is out of tolerance as soon as it *may* be, since nobody can tell what a verdict over it is worth.

What the harness owns is when it acts; how long the act takes is the target's. A service that takes three seconds to
start has recovered three seconds late, and is not to be excused for it. So an onset is when the injection was begun,
and a fault lasts until its undo was begun. The proxies of links are parts of ours, though: there the undo must also
have ended.

Nothing is ever too short by itself, since each act is scheduled from the one before it. What is too long is so by as
much as the harness was late, which may be ``LATE``; but a short fault may at most have lasted twice as long as planned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from drills.judge import schedule
from drills.judge.check import Check
from drills.judge.interval import Interval, point, seconds
from drills.judge.timeline import Opening, events, injection, openings, pages, snapshot_at, steps_of
from drills.record.arm import NOBODY_ACTS
from drills.record.history import (
    NS,
    PERSON_ACTS,
    CheckResult,
    Event,
    History,
    Kind,
    PlannedFault,
    Reason,
    Status,
    Value,
)
from drills.record.unsupported import ALERTS, OPERATOR

PAGE = "page"
"""The severity of an alert that calls somebody at once."""

EARLY = NS // 100
"""How much less than planned anything may be, ns: a timer's grain."""

LATE = NS // 2
"""How much more than planned anything may be, ns: as long as service may be lost where nothing is broken and nobody
calls it a loss. Two cores shared by ten busy processes make the harness 0.12 s late; an engine takes 0.17 s to kill a
container."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something planned and what it was, ns; ``was`` None: what would tell is not on record.

    ``id`` names it, ``fault`` (its index, its label) whose it is. ``least`` and ``most`` are its tolerance; None: there
    anything is as planned, which ``bound`` says: ``at-most`` or ``at-least``.
    """

    id: str
    planned: int
    was: Interval | None
    least: int | None
    most: int | None
    bound: str = "exactly"
    shown: tuple[int, ...] = ()  # the events it was taken from
    fault: str = ""

    @property
    def is_off(self) -> bool:
        """Whether it may be out of tolerance."""
        if self.was is None:
            return False
        short = self.least is not None and self.was.earliest < self.least
        return short or (self.most is not None and self.was.latest > self.most)

    @property
    def reason(self) -> Reason:
        """In seconds."""
        values: dict[str, Value] = {"bound": self.bound, "planned": seconds(self.planned)}
        values |= {"fault": self.fault} if self.fault else {}
        if self.was is None:
            return Reason(f"planned.{self.id}.not-on-record", values)
        return Reason(f"planned.{self.id}", {**values, "was": [*map(float, self.was.seconds())]})


def ran_as_planned(history: History) -> CheckResult:
    """Baseline, onsets, durations, reaction, false alarm and the time it was watched: all within their tolerance."""
    found = list(_quantities(history))
    off = [each for each in found if each.is_off]
    blank = [each for each in found if each.was is None]
    told = [*off, *blank] or found
    status = Status.INVALID if off else Status.UNKNOWN if blank else Status.PASS
    rows = dict.fromkeys(f"events:{index}" for each in told for index in each.shown)
    reasons = [each.reason for each in told]
    return CheckResult(status, reasons=reasons, evidence=[] if status == Status.PASS else list(rows))


def _quantities(history: History) -> Iterator[Quantity]:
    plan = history.plan
    begun = next(events(history, "runner", "baseline", Kind.INVOKE), None)
    ended = next(events(history, "runner", "baseline", Kind.OK), None)
    yield _between("baseline", plan.baseline, begun, ended)
    for fault in plan.faults if plan.injects else ():
        yield _onset(history, fault, ended)
        if fault.lasts is not None:
            yield _duration(history, fault, fault.lasts)
    if plan.arm == "false-alarm":
        raised = next(events(history, "runner", "false-alarm"), None)
        yield _between("false-alarm", schedule.first_onset(plan) + schedule.FALSE_ALARM_AFTER, ended, raised)
    if _somebody_acts(history):
        yield from _reactions(history)
    yield from _watched(history, ended)


def _somebody_acts(history: History) -> bool:
    plan, lacks = history.plan, history.run.unsupported
    if plan.operator == PERSON_ACTS:  # who takes the time that a person takes
        return False
    return plan.arm not in NOBODY_ACTS and OPERATOR not in lacks and (ALERTS not in lacks or plan.arm == "false-alarm")


def _between(id_: str, planned: int, begun: Event | None, ended: Event | None) -> Quantity:
    """The span of two events."""
    shown = tuple(event.index for event in (begun, ended) if event is not None)
    was = None if begun is None or ended is None else point(ended.t - begun.t)
    return Quantity(id_, planned, was, planned - EARLY, planned + LATE, shown=shown)


def _onset(history: History, fault: PlannedFault, ended: Event | None) -> Quantity:
    """From the end of the baseline to the injection being begun."""
    begun = next(events(history, f"fault:{fault.index}", "inject", Kind.INVOKE), None)
    return replace(_between("onset", fault.at, ended, begun), fault=_called(fault))


def _duration(history: History, fault: PlannedFault, planned: int) -> Quantity:
    """From the injection, begun or ended, to the undo: the first attempt's beginning, or that which did it.

    What was cut short by ``stop_if`` was planned to be.
    """
    record = injection(history, fault.index)
    undo = _undo(history, fault)
    was = None
    if record.bracket is not None and undo is not None:
        was = undo.since(record.bracket)
    end = snapshot_at(history)
    stopped = _reason(history) == "stop_if" and undo is not None and end is not None and undo.earliest >= end
    least, most = None if stopped else planned - EARLY, planned + min(LATE, planned)
    return Quantity("duration", planned, was, least, most, shown=record.events, fault=_called(fault))


def _called(fault: PlannedFault) -> str:
    return f"{fault.index} ({fault.label})"


def _undo(history: History, fault: PlannedFault) -> Interval | None:
    """From when it may have been undone, to when it had surely begun to be (on a link of ours: to when it was)."""
    begun: list[int] = []
    for event in events(history, f"fault:{fault.index}", "rollback"):
        if event.kind == Kind.INVOKE:
            begun.append(event.t)
        elif event.kind == Kind.OK and begun:
            return Interval(begun[0], event.t if "link" in fault.params else begun[-1])
    return None


def _reactions(history: History) -> Iterator[Quantity]:
    """Before each runbook that was opened."""
    planned, opened = history.plan.reaction, openings(history)
    for before, opening in zip([None, *opened], opened, strict=False):
        since = _reacts_since(history, opening, before)
        was = None if since is None else point(opening.t - since)
        yield Quantity("reaction", planned, was, planned - EARLY, planned + LATE, shown=(opening.index,))
    if not opened:
        yield Quantity("reaction", planned, None, None, None)


def _reacts_since(history: History, opening: Opening, before: Opening | None) -> int | None:
    """When the operator was called, had left the runbook ``before`` it, or had found another alert to need none; where
    that runbook opened this one, when it was left."""
    if before is not None and opening.source is not None:
        return before.end
    called = _called_at(history, opening, first=before is None)
    free = 0 if before is None else before.end or 0
    declined = (event.t for event in events(history, "operator", "not-opened") if event.t <= opening.t)
    return None if called is None else max(called, free, *declined)


def _called_at(history: History, opening: Opening, *, first: bool) -> int | None:
    """The receipt of the alert with which the reaction began, by the monitor's own record; or the false alarm.

    Before the first opening nobody was busy: it is the first page, or the first of all where none was one. Later it is
    the one that the operator names.
    """
    came = [page for page in pages(history) if page.t <= opening.t]
    urgent = [page for page in came if page.severity == PAGE]
    called = [page.t for page in urgent or came if first or page.t == opening.called_at]
    return min([*called, *(event.t for event in events(history, "runner", "false-alarm"))], default=None)


def _watched(history: History, ended: Event | None) -> Iterator[Quantity]:
    """How long it was watched from the first planned onset on: to the limit, or until it had been quiet."""
    plan, end = history.plan, snapshot_at(history)
    limit = schedule.watched_for(plan)
    watched = None if ended is None or end is None else end - ended.t - schedule.first_onset(plan)
    was = None if watched is None else point(watched)
    reason = _reason(history)
    may_end_sooner = reason == "stop_if" or (reason == "judged" and plan.arm not in NOBODY_ACTS)
    least, bound = (None, "at-most") if may_end_sooner else (limit - EARLY, "exactly")
    yield Quantity("observation", limit, was, least, limit + LATE, bound)
    if may_end_sooner and reason == "judged" and (watched is None or watched < limit - EARLY):
        yield _quiet(history, end)


def _quiet(history: History, end: int | None) -> Quantity:
    """From the last act, of the operator or of the harness, to the end of the observation."""
    acted = [each for each in openings(history) if each.right or any(one.changed for one in steps_of(history, each))]
    done = [each.end for each in acted if each.end is not None]
    planned = schedule.quiet(history.plan)
    was = None
    if done and end is not None:
        was = point(end - max([*done, *_last_acts(history)]))
    shown = tuple(each.end_index for each in acted if each.end_index is not None)
    return Quantity("quiet", planned, was, planned - EARLY, None, "at-least", shown)


def _last_acts(history: History) -> Iterator[int]:
    """When each planned fault had had its time: it was undone, or injected where it was to stay."""
    for fault in history.plan.faults:
        what = "inject" if fault.lasts is None else "rollback"
        yield from (event.t for event in events(history, f"fault:{fault.index}", what, Kind.OK))


def _reason(history: History) -> str | None:
    """Why the observation ended."""
    taken = next(events(history, "runner", "snapshot", Kind.INVOKE), None)
    said = None if taken is None else taken.data.get("reason")
    end = history.run.end
    return str(said) if said is not None else None if end is None else end.reason


CHECKS = (Check("ran-as-planned", "", (), True, ran_as_planned),)
