"""The screen while several runs go on: a line each, those that have ended with their verdict.

On a terminal the lines are redrawn; in a pipe or with ``TERM=dumb`` a line is printed where a run begins and ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from drills.execution.events import (
    AlertReceived,
    Forecast,
    Judged,
    PhaseChanged,
    RunEvent,
    Sampled,
)
from reports.redrawn import Redrawn
from reports.texts import Lang, known, say

WAITING, GOING, DONE = "·", "▶", "■"


@dataclass(slots=True)
class Line:
    """What is shown of one run."""

    called: str
    mark: str = WAITING
    phase: str = ""
    left_s: float | None = None
    good: str = ""
    alerts: set[str] = field(default_factory=set)
    steps: str = ""
    began: float = 0.0


class Board(Redrawn):
    """A context manager; ``of(place)`` observes the run with this place in the list. Events may come from any thread.

    ``called``: what each run is called, in order. Nothing is shown when ``quiet``.
    """

    def __init__(self, console: Console, called: Sequence[str], lang: Lang = "en", *, quiet: bool = False) -> None:
        super().__init__(console, quiet=quiet)
        self._console, self._lang, self._quiet = console, lang, quiet
        self._lines = [Line(each) for each in called]
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def of(self, place: int) -> _Watcher:
        """Who observes that run."""
        return _Watcher(self, place)

    def take(self, place: int, event: RunEvent) -> None:
        """Show what happened in that run."""
        with self._lock:
            line = self._lines[place]
            _apply(line, event, self._lang)
            if self.live is not None:
                self.live.update(self._table(), refresh=True)
            elif not self._quiet and isinstance(event, Forecast | Judged):
                elapsed = time.monotonic() - self._began
                self._console.print(f"{elapsed:7.1f} s  {line.called}: {line.phase}", highlight=False, markup=False)

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, pad_edge=False)
        for line in self._lines:
            table.add_row(line.mark, line.called, line.phase, _left(line), line.good, _alerts(line), line.steps)
        return table


@dataclass(frozen=True, slots=True)
class _Watcher:
    board: Board
    place: int

    def __call__(self, event: RunEvent, /) -> None:
        self.board.take(self.place, event)


def _apply(line: Line, event: RunEvent, lang: Lang) -> None:
    if isinstance(event, Forecast):
        line.mark, line.began, line.left_s = GOING, time.monotonic(), event.at_most_s
        line.phase = say(lang, "board.begun", seconds=f"{event.at_most_s:.0f}")
    elif isinstance(event, PhaseChanged):
        line.phase, line.left_s, line.began = event.phase, event.left_s, time.monotonic()
    elif isinstance(event, AlertReceived):
        (line.alerts.add if event.status == "firing" else line.alerts.discard)(event.rule)
    elif isinstance(event, Sampled):
        line.good = " ".join(
            f"{name} {'–' if level.good is None else f'{level.good:.0%}'}" for name, level in event.services.items()
        )
        line.steps = "".join("✓" if outcome == "ok" else "…" for _, outcome in event.steps)
    elif isinstance(event, Judged):
        grade = "" if event.grade is None else f" — {known(lang, f'grade.{event.grade}', event.grade)}"
        line.mark, line.left_s, line.good, line.steps = DONE, None, "", ""
        line.alerts.clear()
        line.phase = f"{known(lang, f'verdict.{event.verdict}', say(lang, 'board.cannot-judge'))}{grade}"


def _left(line: Line) -> str:
    return "" if line.left_s is None else f"≤ {max(0.0, line.left_s - (time.monotonic() - line.began)):.0f} s"


def _alerts(line: Line) -> str:
    return ", ".join(sorted(line.alerts))
