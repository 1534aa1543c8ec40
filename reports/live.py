"""The screen while a drill runs: phase, service level, alerts, runbook steps, time to the cap.

On a terminal a few lines are redrawn; in a pipe or with ``TERM=dumb`` a line is printed when something happens.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live as RichLive
from rich.text import Text

NS = 1_000_000_000
RECENT = 2 * NS


class ServiceSeen(Protocol):
    """The last seconds of one service."""

    rate: float

    def share_good(self, since: int) -> float | None:
        """Share of good requests intended since then."""


class AlertSeen(Protocol):
    """An alert as received."""

    rule: str
    status: str


class ViewSeen(Protocol):
    """What the runner knows live."""

    phase: str
    sent: int
    alerts: list[AlertSeen]
    steps: list[tuple[str, str]]
    ends_at: int | None

    @property
    def services(self) -> dict[str, ServiceSeen]:
        """Rated service -> its last seconds."""


class Screen:
    """A context manager that is called with the view; draws on ``console``, or nothing when ``quiet``."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._began = time.monotonic()
        self._said: set[str] = set()
        self._live = RichLive(console=console, transient=True, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None and not self._quiet:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, view: object) -> None:
        """Show the view as it is now."""
        if self._quiet:
            return
        seen: ViewSeen = view  # type: ignore[assignment]  # the runner hands its own type to any screen
        if self._live is not None:
            self._live.update(self._picture(seen), refresh=True)
        else:
            self._tell(seen)

    def _picture(self, view: ViewSeen) -> Group:
        head = Text.assemble((f"{self._elapsed():6.1f} s  ", "dim"), (view.phase, "bold"), f"   {self._left(view)}")
        services = Text("          " + "   ".join(_level(name, each) for name, each in view.services.items()))
        firing = _firing(view.alerts)
        alerts = Text("          alerts: " + (", ".join(firing) or "none"), style="red" if firing else "")
        steps = Text("          steps:  " + (" ".join(_mark(*step) for step in view.steps) or "-"))
        return Group(head, services, alerts, steps)

    def _tell(self, view: ViewSeen) -> None:
        self._once(f"{view.phase} {self._left(view)}".rstrip(), key=f"phase {view.phase}")
        for number, alert in enumerate(view.alerts):
            self._once(f"alert {alert.rule} {alert.status}", key=f"alert {number}")
        for step, outcome in view.steps:
            if outcome != "running":
                self._once(f"step {step}: {outcome}", key=f"step {step} {outcome}")

    def _once(self, line: str, key: str) -> None:
        if key not in self._said:
            self._said.add(key)
            self._console.print(f"{self._elapsed():6.1f} s  {line}", highlight=False, markup=False)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    @staticmethod
    def _left(view: ViewSeen) -> str:
        if view.ends_at is None:
            return ""
        return f"(at most {max(0, (view.ends_at - time.monotonic_ns()) / NS):.0f} s more)"


def _level(name: str, service: ServiceSeen) -> str:
    share = service.share_good(time.monotonic_ns() - RECENT)
    return f"{name} {service.rate:g}/s, good {'-' if share is None else f'{share:.0%}'}"


def _firing(alerts: list[AlertSeen]) -> list[str]:
    firing: dict[str, bool] = {}
    for alert in alerts:
        firing[alert.rule] = alert.status == "firing"
    return [rule for rule, is_on in firing.items() if is_on]


def _mark(step: str, outcome: str) -> str:
    return {"ok": "✓", "running": "…", "skipped": "-"}.get(outcome, "✗") + step
