"""Reading the events of a history: when it was observed, what was injected, who alerted, which steps were taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import dropwhile, pairwise

from drills.judge.interval import Interval
from drills.record.history import Event, History, Kind

SYNTHETIC = "synthetic"
"""The label of an alert that was made up for a false alarm."""


def events(history: History, actor: str, what: str, *kinds: Kind) -> Iterator[Event]:
    """Events of one actor (a trailing ``:`` means any number after it) about one thing; all kinds if none is given."""
    for event in history.events:
        by_actor = event.actor.startswith(actor) if actor.endswith(":") else event.actor == actor
        if by_actor and event.what == what and (not kinds or event.kind in kinds):
            yield event


def is_stamped_well(event: Event) -> bool:
    """Whether the stamps that came with an event, if any did, are ones."""
    return all(type(event.data.get(name, 0)) is int for name in ("t_ns", "answered"))  # True is no number


def stamp(event: Event) -> int:
    """When the thing happened, ns: by its sender's own clock reading where there is one, else when it was noted."""
    return int(event.data.get("t_ns", event.t)) if is_stamped_well(event) else event.t


def snapshot_at(history: History) -> int | None:
    """When the books were about to be read: the end of what is judged. None if they never were."""
    return next((event.t for event in events(history, "runner", "snapshot", Kind.INVOKE)), None)


def observed_until(history: History) -> int:
    """The end of the observation in ns; without a snapshot the end of the run, or the last thing known of it."""
    at = snapshot_at(history)
    if at is not None:
        return at
    if history.run.end is not None:
        return history.run.end.t
    return history.events[-1].t if history.events else history.run.t0


def observed_from(history: History) -> int:
    """The start of the observation in ns: the baseline's, else the load's, else the run's."""
    for actor, what in (("runner", "baseline"), ("load", "started"), ("runner", "observe")):
        for event in events(history, actor, what):
            return event.t
    return history.run.t0


@dataclass(frozen=True, slots=True)
class Injection:
    """What became of one fault: the bracket of its injection, and the events that say so.

    It was ``begun`` if its injection was tried: one that failed half-way may have left something as well.
    It was ``witnessed`` if that was between its injection and its undoing; ``undone`` and ``gone`` since it was last
    injected.
    """

    index: int
    bracket: Interval | None
    events: tuple[int, ...]
    begun: bool
    injected: bool
    witnessed: bool
    undone: bool
    gone: bool
    undone_at: int | None  # ns; when undoing it was first begun


def injection(history: History, index: int) -> Injection:
    """The record of the planned fault ``index``."""
    mine = [event for event in history.events if event.actor == f"fault:{index}"]
    last: dict[str, Kind] = {}
    for event in mine:
        if event.what == "inject":
            last = {"inject": event.kind}  # what was undone before is undone no longer
        elif event.kind in (Kind.OK, Kind.FAIL):
            last[event.what] = event.kind
    since = list(dropwhile(lambda event: event.what != "inject", mine))
    undo = next((n for n, event in enumerate(since) if event.what == "rollback"), None)
    return Injection(
        index=index,
        bracket=_bracket(mine),
        events=tuple(event.index for event in mine),
        begun="inject" in last,
        injected=last.get("inject") == Kind.OK,
        witnessed=any(
            event.what == "verify_effect" and event.kind == Kind.OK and _was_seen(event) for event in since[:undo]
        ),
        undone=last.get("rollback") == Kind.OK,
        gone=last.get("verify_removed") == Kind.OK,
        undone_at=None if undo is None else since[undo].t,
    )


def fault_indexes(history: History) -> list[int]:
    """The planned faults, and after them those that were begun though nobody had planned them."""
    planned = [fault.index for fault in history.plan.faults]
    begun = [event.actor.partition(":")[2] for event in events(history, "fault:", "inject")]
    return list(dict.fromkeys([*planned, *(int(index) for index in begun if index.isdecimal())]))


def _was_seen(event: Event) -> bool:
    """A witness that could not tell (``effect_seen`` null) has seen nothing, whatever the proxy reads back."""
    return event.data.get("effect_seen", True) is True


def _bracket(mine: list[Event]) -> Interval | None:
    calls = [event for event in mine if event.what == "inject"]
    before = next((event.t for event in calls if event.kind == Kind.INVOKE), None)
    after = next((event.t for event in calls if event.kind == Kind.OK), None)
    return None if before is None or after is None else Interval(before, after)


def injected_at(history: History) -> Interval | None:
    """The bracket of the first injection; None if nothing was injected."""
    brackets = [injection(history, fault.index).bracket for fault in history.plan.faults]
    return min((bracket for bracket in brackets if bracket is not None), default=None)


def undone_at(history: History) -> int | None:
    """When the last of the faults had been undone again, ns; None where one was still in place at the end."""
    records = [injection(history, fault.index) for fault in history.plan.faults]
    ends = [record.undone_at for record in records if record.injected]
    end = observed_until(history)
    known = [each for each in ends if each is not None and each < end]
    return max(known) if known and len(known) == len(ends) else None


def witnessed(history: History) -> bool:
    """Whether every planned fault was injected and its effect seen."""
    records = [injection(history, fault.index) for fault in history.plan.faults]
    return bool(records) and all(record.injected and record.witnessed for record in records)


@dataclass(frozen=True, slots=True)
class Page:
    """A firing alert of the target's monitor; ``t`` is the receipt of the webhook, ``runbook`` its own link.

    ``severity`` is ``page`` or ``ticket``, ``layer`` whether it names a ``cause`` or a ``symptom``; where it said so.
    ``synthetic``: no monitor sent it, it is the false alarm.
    """

    index: int
    t: int
    rule: str
    runbook: str | None
    severity: str | None
    layer: str | None
    synthetic: bool


def pages(history: History) -> list[Page]:
    """Every firing alert up to the end of the observation, by receipt."""
    end = observed_until(history)
    found = [
        Page(
            event.index,
            stamp(event),
            str(event.data.get("rule", "")),
            event.data.get("runbook"),
            event.data.get("severity"),
            _label(event, "layer"),
            _label(event, SYNTHETIC) is not None,
        )
        for event in events(history, "monitor", "alert")
        if event.data.get("status") == "firing"
    ]
    return sorted((page for page in found if page.t <= end), key=lambda page: (page.t, page.index))


def _label(event: Event, name: str) -> str | None:
    labels = event.data.get("labels")
    value = labels.get(name) if isinstance(labels, dict) else None
    return value if isinstance(value, str) else None


def is_for_fault(history: History, page: Page) -> bool:
    """Whether an alert speaks of this fault: its rule is one of the drill's, and the fault had begun."""
    bracket = injected_at(history)
    return bracket is not None and page.t >= bracket.earliest and page.rule in history.plan.alerts


@dataclass(frozen=True, slots=True)
class Opening:
    """A runbook that the operator opened, at ``t``; ``right``: it is the run's own, behind the drill's alerts.

    ``alert`` is the rule whose link led there and ``alert_at`` its receipt, ``called_at`` the receipt of the alert with
    which the reaction began; ``source`` the runbook that opened it, if one did. ``end`` and ``ended`` are None where it
    was followed to the end of the observation.
    """

    index: int
    t: int
    runbook: str
    alert: str
    alert_at: int | None
    called_at: int | None
    source: str | None
    right: bool
    end: int | None = None
    ended: str | None = None
    end_index: int | None = None


def openings(history: History) -> list[Opening]:
    """Every runbook that was opened, in order."""
    found: list[Opening] = []
    for event in events(history, "operator", "runbook"):
        if event.kind == Kind.INVOKE:
            found.append(_opening(history, event))
        elif found and found[-1].end is None:
            found[-1] = replace(found[-1], end=event.t, ended=str(event.data.get("end", "")), end_index=event.index)
    return found


def _opening(history: History, event: Event) -> Opening:
    data = event.data
    return Opening(
        index=event.index,
        t=event.t,
        runbook=str(data.get("runbook", "")),
        alert=str(data.get("rule", "")),
        alert_at=_instant(data.get("alert_ns")),
        called_at=_instant(data.get("called_ns")),
        source=data.get("from"),
        right=data.get("sha256", "") == history.plan.runbook_sha256,
    )


def _instant(value: object) -> int | None:
    return value if type(value) is int else None  # True is no number


def opened_right(history: History) -> Opening | None:
    """When the run's own runbook was first opened; None if it never was."""
    return next((each for each in openings(history) if each.right), None)


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt at a step of a runbook; ``start`` equals ``end`` where it was not begun (skipped).

    ``answered`` is when the operator's tool had answered; the step may have gone on to wait for its expected result.
    """

    id: str
    start: int
    end: int | None
    answered: int | None
    outcome: str | None
    changed: bool
    event: int


def steps(history: History) -> list[Step]:
    """Every attempt at a step, in the order begun; one that never ended has neither ``end`` nor ``outcome``."""
    done: list[Step] = []
    open_: dict[str, Event] = {}
    for event in events(history, "operator", "step"):
        name = str(event.data.get("id", ""))
        if event.kind == Kind.INVOKE:
            open_[name] = event
            continue
        begun = open_.pop(name, event)
        changed = bool(event.data.get("changed", False))
        outcome = str(event.data.get("outcome", event.kind))
        answered = event.data.get("answered", event.t) if is_stamped_well(event) else event.t
        done.append(Step(name, begun.t, event.t, answered, outcome, changed, event.index))
    done += [Step(name, event.t, None, None, None, False, event.index) for name, event in open_.items()]
    return sorted(done, key=lambda step: (step.start, step.event))


def steps_of(history: History, opening: Opening) -> list[Step]:
    """Those that were begun before another runbook was opened."""
    others = [each.t for each in openings(history) if each.index > opening.index]
    return [step for step in steps(history) if opening.t <= step.start and (not others or step.start < others[0])]


def first_change(history: History) -> int | None:
    """When the operator's tool had first changed anything, in ns; None if never."""
    return min((step.answered for step in steps(history) if step.changed and step.answered is not None), default=None)


@dataclass(frozen=True, slots=True)
class Silence:
    """The longest silence of the monitor: its length and beginning in ns, and the heartbeats around it."""

    length: int
    begins: int
    events: tuple[int, ...]


def longest_silence(history: History) -> Silence | None:
    """Over the whole observation, its two ends included; None if the monitor was never heard."""
    start, end = observed_from(history), observed_until(history)
    beats = sorted((stamp(event), event.index) for event in events(history, "monitor", "heartbeat"))
    heard = [beat for beat in beats if start <= beat[0] <= end]
    if not heard:
        return None
    marks = [(start, -1), *heard, (max(end, start), -1)]
    gaps = [Silence(b - a, a, tuple(n for n in (i, j) if n >= 0)) for (a, i), (b, j) in pairwise(marks)]
    return max(gaps, key=lambda gap: (gap.length, -gap.begins))


def watched(history: History) -> bool:
    """Whether the monitor was heard all along, with no silence over the limit."""
    silence = longest_silence(history)
    return silence is not None and silence.length <= history.plan.slo.monitor_gap
