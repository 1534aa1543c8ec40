"""What a person who is on call sees in the terminal: alerts as they come, the runbook's steps, what each came to.

Nothing of the drill is shown. What has happened stays on the screen, line by line; the last line is redrawn and says
which step waits, how much time it has left, and which keys there are, or what is being typed.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from drills.execution.events import (
    AlertReceived,
    CommandSeen,
    Ended,
    OnCall,
    PhaseChanged,
    Remark,
    RunbookClosed,
    RunbookOpened,
    RunEvent,
    StepEnded,
    StepOffered,
)
from drills.record.history import NS
from drills.spec.pace import READING
from drills.spec.runbook import Runbook
from drills.spec.runbook_text import render_page, step_lines, time_words
from drills.spec.steps import Step
from reports.texts import Lang, known, say

REDRAWN = 4
"""Times a second."""
AFTERWARDS = "taking the books"
"""The phase of a run in which nothing is watched any more."""


@dataclass(slots=True)
class Shown:
    """What is on the screen: alerts in the order in which they came, the open runbook and the step that waits."""

    alerts: list[AlertReceived] = field(default_factory=list)
    runbook: Runbook | None = None
    step: Step | None = None
    due: int = 0
    """When the step's time is up, CLOCK_MONOTONIC in ns."""
    call_at: int = 0
    """When the runbook will not have helped in time, CLOCK_MONOTONIC in ns."""
    asked: str = ""
    typed: str = ""
    phase: str = "preparing"

    @property
    def number(self) -> int:
        """Of the step that waits, from 1."""
        steps = () if self.runbook is None else self.runbook.steps
        return next((n for n, each in enumerate(steps, 1) if each is self.step), 0)


class PersonScreen:
    """A context manager that observes one run. ``library``: id -> runbook, all that there are."""

    def __init__(self, console: Console, library: Mapping[str, Runbook], lang: Lang) -> None:
        self.shown = Shown()
        self.library = library
        self._console, self._lang = console, lang
        self._lock = threading.RLock()
        self._live = Live(console=console, get_renderable=self.status, refresh_per_second=REDRAWN, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def __call__(self, event: RunEvent, /) -> None:
        """Show what happened."""
        with self._lock:
            self._take(event)

    def ask(self, question: str, **values: object) -> None:
        """Begin to ask for a line of text; empty: nothing is asked for any more."""
        self.shown.asked = self.say(f"ask.{question}", **values) if question else ""
        self.shown.typed = ""
        self._live.refresh()

    def type(self, text: str) -> None:
        """What has been typed so far."""
        self.shown.typed = text
        self._live.refresh()

    def page(self) -> None:
        """Show the whole runbook that is open."""
        if self.shown.runbook is not None:
            for line in render_page(self.shown.runbook, self._lang).splitlines():
                self.line(line, "dim")

    def names(self) -> None:
        """Show all runbooks."""
        for name, runbook in sorted(self.library.items()):
            self.line(f"  {name:32} {runbook.title.say(self._lang)}")

    def tell(self, key: str, style: str = "", **values: object) -> None:
        """A line of its own."""
        self.line(self.say(key, **values), style)

    def line(self, words: str, style: str = "") -> None:
        """As it is, with the time before it."""
        stamp = time.strftime("%H:%M:%S ")
        self._console.print(Text(stamp, "dim") + Text(words, style), soft_wrap=True, highlight=False)

    def say(self, key: str, **values: object) -> str:
        """Its words."""
        return say(self._lang, f"person.{key}", **values)

    def _take(self, event: RunEvent) -> None:
        taken: dict[type, Callable[[Any], None]] = {
            OnCall: self._ready,
            AlertReceived: self._alert,
            RunbookOpened: self._opened,
            RunbookClosed: self._closed,
            StepOffered: self._offered,
            StepEnded: self._ended,
            CommandSeen: lambda seen: self.tell("command", command=shlex.join(seen.command), says=seen.says),
            Remark: lambda remark: self.tell("remark", "yellow", message=remark.message),
            PhaseChanged: lambda changed: self._over() if changed.phase == AFTERWARDS else None,
            Ended: lambda _: self._over(),
        }
        if type(event) in taken:
            taken[type(event)](event)

    def _ready(self, event: OnCall) -> None:
        self.shown.phase = ""
        self.tell("ready", "bold")
        self.tell("elsewhere")
        for each in event.by_hand:
            self.line(f"  {each}")

    def _closed(self, event: RunbookClosed) -> None:
        self.tell("closed", runbook=event.runbook, end=known(self._lang, f"ended.{event.end}", event.end))
        self.shown.runbook = self.shown.step = None

    def _ended(self, event: StepEnded) -> None:
        style = "green" if event.outcome == "ok" else "yellow"
        self.tell(
            "outcome", style, outcome=known(self._lang, f"outcome.{event.outcome}", event.outcome), says=event.says
        )

    def _alert(self, event: AlertReceived) -> None:
        if event.status != "firing":
            self.tell("resolved", "dim", rule=event.rule)
            return
        self.shown.alerts.append(event)
        number = len(self.shown.alerts)
        self._console.bell()
        style = "bold red" if event.severity == "page" else "bold yellow"
        self.tell("alert", style, n=number, severity=event.severity, rule=event.rule, summary=event.summary)
        if event.runbook is None:
            self.tell("alert.no-link")
        else:
            self.tell("alert.link", runbook=event.runbook, n=number)

    def _opened(self, event: RunbookOpened) -> None:
        runbook = self.shown.runbook = self.library.get(event.runbook)
        if runbook is None:
            return
        self.tell("runbook", "bold", runbook=runbook.id, title=runbook.title.say(self._lang))
        for each in runbook.prohibited:
            self.tell("never", "red", what=each.say(self._lang))
        called = runbook.escalation
        after = time_words(called.after, self._lang)
        self.tell("escalation", after=after, to=called.to, deputy=called.deputy)
        self.shown.call_at = event.t + called.after

    def _offered(self, event: StepOffered) -> None:
        shown = self.shown
        step = shown.step = None if shown.runbook is None else shown.runbook.step(event.step)
        if step is not None:
            shown.due = event.t + READING + step.within
            for line in step_lines(shown.number, step, self._lang):
                self.line(line)

    def _over(self) -> None:
        if self.shown.phase != "over":
            self.shown.phase, self.shown.step = "over", None
            self.ask("")
            self.tell("over", "bold")

    def status(self) -> Text:
        """The last line."""
        shown = self.shown
        if shown.asked:
            return Text(shown.asked, "bold") + Text(shown.typed + "_")
        if shown.phase:
            return Text(self.say(shown.phase), "dim")
        if shown.step is None or shown.runbook is None:
            return Text(f"{self.say('waiting')}   {self.say('keys.idle')}", "reverse")
        now, to = time.monotonic_ns(), shown.runbook.escalation.to
        left, until_call = shown.due - now, shown.call_at - now
        words = [self.say("step", n=shown.number, of=len(shown.runbook.steps), step=shown.step.id)]
        words.append(self.say("left", left=_clock(left)) if left >= 0 else self.say("late", late=_clock(-left)))
        words.append(
            self.say("call-in", to=to, left=_clock(until_call)) if until_call >= 0 else self.say("call", to=to)
        )
        words.append(self.say("keys.run" if shown.step.argv else "keys.confirm", to=to))
        return Text("  ".join(words), "reverse" if min(left, until_call) >= 0 else "reverse red")


def _clock(ns: int) -> str:
    minutes, seconds = divmod(ns // NS, 60)
    return f"{minutes}:{seconds:02d}"
