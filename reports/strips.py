"""What happened when, as one line of characters per subject; pure functions of the history.

A cell of a service's strip shows bad as soon as one request in it was bad, and closed when most of those were turned
away by the operator: a strip must not look better than the run was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drills.judge.outage import good
from drills.judge.scorecard import Scorecard
from drills.judge.timeline import events, observed_until
from drills.record.history import NS, OUTCOMES, History, Kind, RequestOutcome

GOOD, BAD, CLOSED, EMPTY = "█", "░", "▓", " "


@dataclass(frozen=True, slots=True)
class Axis:
    """``width`` cells from ``start`` to ``end``, ns of CLOCK_MONOTONIC; ``zero`` is the run's start."""

    start: int
    end: int
    zero: int
    width: int

    def cell(self, t: int) -> int:
        """The cell that ``t`` falls into, held within the strip."""
        return min(max((t - self.start) * self.width // (self.end - self.start), 0), self.width - 1)

    def at(self, seconds: float) -> int:
        """The cell of an instant in seconds since the run's start."""
        return self.cell(self.zero + round(seconds * NS))


def axis(history: History, width: int) -> Axis | None:
    """From the first intended request to the end of the observation; None when no request was intended."""
    if not len(history.samples):
        return None
    start = int(history.samples.intended[0])
    return Axis(start, max(start + 1, observed_until(history)), history.run.t0, width)


def service_strip(history: History, name: str, over: Axis) -> str:
    """How the service's requests went, by intended instant."""
    samples = history.samples
    mine = (samples.name == _code(history, name)) & (samples.intended < over.end)
    well = good(history)[mine]
    closed = samples.outcome[mine] == OUTCOMES.index(RequestOutcome.CLOSED)
    cells = (samples.intended[mine] - over.start) * over.width // (over.end - over.start)
    return "".join(_symbols(*(_count(cells, which, over.width) for which in (well, closed, ~well & ~closed))))


def fault_strip(history: History, over: Axis) -> str:
    """When a fault was in place."""
    strip = [EMPTY] * over.width
    for start, end in faulty(history):
        first, last = over.cell(start), over.cell(over.end if end is None else end)
        strip[first : last + 1] = GOOD * (last + 1 - first)
    return "".join(strip)


def faulty(history: History) -> Iterator[tuple[int, int | None]]:
    """(injected, undone) of each fault, ns; None where no undo was seen to succeed."""
    undone = {event.actor: event.t for event in events(history, "fault:", "rollback", Kind.OK)}
    for event in events(history, "fault:", "inject", Kind.OK):
        yield event.t, undone.get(event.actor)


def steps_strip(card: Scorecard, over: Axis) -> str:
    """``│N`` where step N of the runbook began, dashes while it went on; steps too close for the width move right."""
    strip = [EMPTY] * over.width
    free = 0
    for number, step in enumerate(card.runbook.steps if card.runbook else [], 1):
        mark = f"│{number}"
        first = max(over.at(step.start), free)
        if first + len(mark) > over.width:
            break
        last = over.at(step.end) if step.end is not None else first
        strip[first : first + len(mark)] = mark
        free = first + len(mark)
        strip[free : last + 1] = "─" * (last + 1 - free)
    return "".join(strip)


def _code(history: History, name: str) -> int:
    names = history.samples.names
    return names.index(name) if name in names else len(names)


def _count(cells: npt.NDArray[np.int64], which: npt.NDArray[np.bool_], width: int) -> npt.NDArray[np.int64]:
    return np.bincount(cells[which], minlength=width).astype(np.int64)


def _symbols(good: npt.NDArray[np.int64], closed: npt.NDArray[np.int64], bad: npt.NDArray[np.int64]) -> Iterator[str]:
    for well, shut, ill in zip(good.tolist(), closed.tolist(), bad.tolist(), strict=True):
        if shut + ill:
            yield CLOSED if shut >= ill else BAD
        else:
            yield GOOD if well else EMPTY
