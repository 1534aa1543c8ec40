"""What happened when, as a drawing: fault, how each service was served, reply times, alerts, steps, milestones.

Everything drawn stands in the page's tables as well, with the same numbers. A column shows bad as soon as one request
in it was bad, so that the drawing never looks better than the run was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from markupsafe import Markup

from drills.judge.outage import good
from drills.judge.scorecard import Scorecard
from drills.judge.survey import Longs
from drills.record.history import NS, OUTCOMES, History, RequestOutcome
from reports.figures import amount, seconds
from reports.pages.drawing import Drawing
from reports.pages.words import word
from reports.strips import Axis, axis, faulty
from reports.texts import Lang
from reports.words import service_name

LANE, THIN, GAP, LABEL, SIDE = 30, 16, 9, 15, 6
MARKS = (
    "t_inject", "t_impact", "t_alert", "t_declared", "t_available", "t_contained", "t_restored", "t_reconciled",
    "t_recovered",
)  # fmt: skip
PER_CHARACTER = {"en": 6.4, "ja": 11.5}
"""About how wide a character of a label is."""
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
COLUMN = 6
"""Units a column of a service's lane is wide."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Something with a number in a table: when it began and ended, seconds since the run's start."""

    number: int
    start: float
    end: float | None


def draw(
    card: Scorecard, history: History, lang: Lang, name: str, width: int, steps: Sequence[Numbered], told: str
) -> Markup | None:
    """The drawing, ``width`` wide; ``name`` makes its ids unlike those of others, ``told`` says it in words.

    None where no request was recorded.
    """
    over = axis(history, max(1, (width - 2 * SIDE) // COLUMN))
    if over is None:
        return None
    picture = _Picture(Drawing(width, name, word(lang, "timeline"), told), over, lang)
    picture.marks(card)
    picture.fault(history)
    for service in history.plan.services:
        picture.service(history, service)
    picture.latency(history)
    picture.numbered(word(lang, "lane.alerts"), "alert", [Numbered(n, a.t, a.t) for n, a in enumerate(card.alerts, 1)])
    picture.numbered(word(lang, "lane.steps"), "step", steps)
    picture.ticks()
    return picture.drawing.done()


class _Picture:
    """Lanes below one another, ``y`` being where the next begins."""

    def __init__(self, drawing: Drawing, over: Axis, lang: Lang) -> None:
        self.drawing, self.over, self.lang = drawing, over, lang
        self.y = 0.0
        self.lines: list[float] = []
        self.labels: list[tuple[float, str]] = []
        self.top = 0.0
        self.closed = drawing.hatch("closed")

    def x(self, t: int) -> float:
        """Where an instant in ns lies."""
        inside = self.drawing.width - 2 * SIDE
        share = (t - self.over.start) / (self.over.end - self.over.start)
        return SIDE + min(max(share, 0.0), 1.0) * inside

    def at(self, second: float) -> float:
        """Where an instant in seconds since the run's start lies."""
        return self.x(self.over.zero + round(second * NS))

    def marks(self, card: Scorecard) -> None:
        """The milestones above all lanes, each label in the first row that has room for it."""
        found = [(name, getattr(card.instants, name)) for name in MARKS]
        placed = sorted(((self.at(span[1]), span[1], name) for name, span in found if span), key=itemgetter(1))
        ends: list[float] = []
        for x, second, name in placed:
            words = f"{word(self.lang, f'mark.{name}')} {seconds(second)}"
            wide = sum(PER_CHARACTER["ja"] if ord(c) > 0x2E80 else PER_CHARACTER["en"] for c in words) + 12
            left = x if x + wide <= self.drawing.width else max(0.0, x - wide)
            row = next((n for n, end in enumerate(ends) if end <= left), len(ends))
            ends[row:] = [left + wide] if row == len(ends) else [left + wide, *ends[row + 1 :]]
            anchor, gap = ("start", 4) if left == x else ("end", -4)
            self.drawing.text("mark", x + gap, 12 + row * LABEL, words, anchor)
            self.lines.append(x)
        self.top = self.y = len(ends) * LABEL + 4

    def _lane(self, label: str, height: float) -> float:
        """A lane with its label above it; its top."""
        self.labels.append((self.y + 12, label))
        top = self.y + LABEL + 2
        self.drawing.rect("ground", SIDE, top, self.drawing.width - 2 * SIDE, height)
        self.y = top + height + GAP
        return top

    def fault(self, history: History) -> None:
        """From each injection to its undoing."""
        top = self._lane(self._fault_label(history), THIN)
        for start, end in faulty(history):
            left, right = self.x(start), self.x(self.over.end if end is None else end)
            self.drawing.rect("fault", left, top + 2, right - left, THIN - 4)

    def _fault_label(self, history: History) -> str:
        kinds = dict.fromkeys(fault.label for fault in history.plan.faults) if history.plan.injects else {}
        return f"{word(self.lang, 'lane.fault')}: {', '.join(kinds)}" if kinds else word(self.lang, "lane.fault")

    def service(self, history: History, name: str) -> None:
        """Shares of served, turned away and not served, by the instant at which they were due."""
        top = self._lane(word(self.lang, "lane.service", service=service_name(self.lang, name)), LANE)
        for kind, fill, boxes in self._shares(history, name):
            d = "".join(f"M{x:.1f} {top + y:.1f}h{COLUMN - 0.6:.1f}v{h:.1f}h-{COLUMN - 0.6:.1f}z" for x, y, h in boxes)
            self.drawing.path(kind, d, fill)

    def _shares(
        self, history: History, name: str
    ) -> Iterator[tuple[str, str | None, list[tuple[float, float, float]]]]:
        samples, well = history.samples, good(history)
        code = samples.names.index(name) if name in samples.names else -1
        mine = (samples.name == code) & (samples.intended < self.over.end)
        shut = samples.outcome == OUTCOMES.index(RequestOutcome.CLOSED)
        cells = (samples.intended - self.over.start) * self.over.width // (self.over.end - self.over.start)
        parts = [mine & well, mine & shut, mine & ~well & ~shut]
        counts = [np.bincount(cells[part], minlength=self.over.width)[: self.over.width] for part in parts]
        whole = np.maximum(sum(counts), 1)
        foot = np.full(self.over.width, float(LANE))
        for kind, fill, count in zip(("good", "closed", "bad"), (None, self.closed, None), counts, strict=True):
            height = count * (LANE / whole)
            height = np.where((count > 0) & (height < 3), 3, height)  # one bad request of many is seen
            foot = np.maximum(foot - height, 0)
            step = (self.drawing.width - 2 * SIDE) / self.over.width
            boxes = [(SIDE + int(n) * step, float(foot[n]), float(height[n])) for n in np.flatnonzero(count)]
            yield kind, fill, boxes

    def latency(self, history: History) -> None:
        """The reply time that 95 of 100 requests kept, column by column, against the limit."""
        limit = history.plan.slo.latency
        slow = self._slow(history)
        ceiling = 2 * limit
        top = self._lane(word(self.lang, "lane.latency", top=amount(ceiling / NS, "s")), LANE)
        step = (self.drawing.width - 2 * SIDE) / self.over.width
        known = [(SIDE + (n + 0.5) * step, top + LANE * (1 - min(value, ceiling) / ceiling)) for n, value in slow]
        self.drawing.line("limit", SIDE, top + LANE / 2, self.drawing.width - SIDE, top + LANE / 2)
        self.drawing.path("slow", "".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(known)))

    def _slow(self, history: History) -> list[tuple[int, float]]:
        samples = history.samples
        answered = (samples.done > 0) & (samples.intended < self.over.end)
        took: Longs = (samples.done - samples.intended)[answered]
        due = samples.intended[answered]
        cells = (due - self.over.start) * self.over.width // (self.over.end - self.over.start)
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        parts = np.split(took, starts[1:]) if len(starts) else []
        return [(int(cells[n]), float(np.quantile(part, 0.95))) for n, part in zip(starts, parts, strict=True)]

    def numbered(self, label: str, kind: str, items: Sequence[Numbered]) -> None:
        """A bar or a dot for each, with its number; those that would cover each other are moved down a row."""
        ends: list[float] = []
        placed = []
        for item in items:
            x, end = self.at(item.start), self.at(item.start if item.end is None else item.end)
            row = next((n for n, used in enumerate(ends) if used <= x - 1), len(ends))
            reach = max(end, x + 15)
            ends[row:] = [reach] if row == len(ends) else [reach, *ends[row + 1 :]]
            placed.append((item.number, x, end, row))
        top = self._lane(label, THIN * max(1, len(ends)))
        for number, x, end, row in placed:
            y = top + row * THIN
            self.drawing.rect(kind, x, y + 1, max(end - x, 2), THIN - 2)
            at = min(x + 3, self.drawing.width - SIDE - 14) if end - x < 15 else x + 2
            self.drawing.text(f"{kind}-number", at, y + 12, str(number))

    def ticks(self) -> None:
        """The axis, the milestones' lines through all lanes, and above those the lanes' labels."""
        foot = self.y - GAP + 3
        for x in self.lines:
            self.drawing.line("mark", x, self.top, x, foot)
        for y, label in self.labels:
            self.drawing.text("lane", SIDE, y, label)
        first, last = ((t - self.over.zero) / NS for t in (self.over.start, self.over.end))
        room = 44
        apart = next((each for each in TICKS if (last - first) / each * room <= self.drawing.width), TICKS[-1])
        second = -(-first // apart) * apart
        while second <= last:
            x = self.at(second)
            self.drawing.line("tick", x, foot, x, foot + 4)
            if x < self.drawing.width - 14:
                self.drawing.text("tick", x, foot + 16, f"{second:g} s", "middle" if x > 14 else "start")
            second += apart
        self.drawing.height = round(foot + 20)
