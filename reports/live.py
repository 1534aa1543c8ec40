"""The screen while a drill runs: phase, service level, alerts, runbook steps, time to the cap.

On a terminal a few lines are redrawn; in a pipe or with ``TERM=dumb`` a line is printed when something happens.
"""

from __future__ import annotations

import time

import msgspec
from rich.console import Console, Group
from rich.text import Text

from drills.execution.events import (
    AlertReceived,
    Forecast,
    Level,
    PhaseChanged,
    RunbookOpened,
    RunEvent,
    Sampled,
    StepEnded,
)
from reports.redrawn import Redrawn


class Screen(Redrawn):
    """A context manager that observes one run; draws on ``console``, or nothing when ``quiet``."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        super().__init__(console, quiet=quiet, transient=True)
        self._console = console
        self._quiet = quiet
        self._began = time.monotonic()
        self._runbook = ""  # whose steps are shown
        self._seen = Sampled(0, "starting", None, 0, {}, (), (), ())

    def __call__(self, event: RunEvent, /) -> None:
        """Show what happened."""
        if self._quiet:
            return
        if isinstance(event, Forecast):
            what = f"{event.drill} · arm {event.arm} · seed {event.seed}"
            self._console.print(f"{what} · at most {event.at_most_s:.0f} s", markup=False)
        elif self.live is None:
            self._tell(event)
        elif isinstance(event, RunbookOpened):
            self._runbook = f"{event.runbook}: "
        elif isinstance(event, Sampled):
            self._draw(event)
        elif isinstance(event, PhaseChanged):
            self._draw(msgspec.structs.replace(self._seen, phase=event.phase, left_s=event.left_s))

    def _draw(self, seen: Sampled) -> None:
        assert self.live is not None
        self._seen = seen
        self.live.update(self._picture(seen), refresh=True)

    def _picture(self, seen: Sampled) -> Group:
        head = Text.assemble((f"{self._elapsed():6.1f} s  ", "dim"), (seen.phase, "bold"), f"   {_left(seen.left_s)}")
        services = Text("          " + "   ".join(_level(name, each) for name, each in seen.services.items()))
        alerts = Text("          alerts: " + (", ".join(seen.firing) or "none"), style="red" if seen.firing else "")
        steps = Text("          steps:  " + self._runbook + (" ".join(_mark(*step) for step in seen.steps) or "-"))
        return Group(head, services, alerts, steps)

    def _tell(self, event: RunEvent) -> None:
        if isinstance(event, PhaseChanged):
            self._line(f"{event.phase} {_left(event.left_s)}".rstrip())
        elif isinstance(event, AlertReceived):
            self._line(f"alert {event.rule} {event.status}")
        elif isinstance(event, RunbookOpened):
            self._line(f"runbook {event.runbook} opened")
        elif isinstance(event, StepEnded):
            self._line(f"step {event.step}: {event.outcome}")

    def _line(self, line: str) -> None:
        self._console.print(f"{self._elapsed():6.1f} s  {line}", highlight=False, markup=False)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


def _left(left_s: float | None) -> str:
    return "" if left_s is None else f"(at most {left_s:.0f} s more)"


def _level(name: str, level: Level) -> str:
    return f"{name} {level.rate:g}/s, good {'-' if level.good is None else f'{level.good:.0%}'}"


def _mark(step: str, outcome: str) -> str:
    return {"ok": "✓", "running": "…", "skipped": "-", "not-this": "-"}.get(outcome, "✗") + step
