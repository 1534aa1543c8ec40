"""Who is on call: takes alerts as they come and follows the runbook behind each one's own link.

Knows alerts, runbooks and the operator's tool, and nothing of the drill. A runbook that does not apply is closed by its
first precondition; one that looks for the cause opens another; one that changed something and did not help is not
followed a second time. A page interrupts a runbook that a ticket has opened, unless it links to that very one; any
other alert waits until the runbook at hand has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from drills.operators.inbox import Call, Inbox
from drills.operators.outcomes import Followed, Record, RunbookEnd
from drills.record.history import Kind
from drills.spec.runbook import Runbook

COVERS = (RunbookEnd.DONE, RunbookEnd.STOPPED, RunbookEnd.ESCALATED, RunbookEnd.INCOMPLETE)
"""Ends after which alerts that came meanwhile and link to the same runbook have been dealt with."""


class Follows(Protocol):
    """A robot or a person, who follows one runbook."""

    def follow(self, runbook: Runbook, interrupted: Callable[[], bool]) -> Followed:
        """Carry it out from the top, blocking; ``interrupted`` says whether it has to be left between two steps."""


@dataclass(slots=True)
class OnCall:
    """Decides which runbook is opened for which alert, and has the ``operator`` follow it.

    ``library``: id -> runbook, all that there are. ``reaction`` in ns, before each runbook that is opened.
    ``opened`` and ``closed`` are told each runbook as it is opened and left.
    """

    library: Mapping[str, Runbook]
    operator: Follows
    reaction: int
    record: Record
    opened: Callable[[Runbook], None]
    closed: Callable[[Runbook], None]
    _tried: set[str] = field(default_factory=set)  # those that have changed something

    def attend(self, inbox: Inbox) -> None:
        """Until the inbox is closed, or others have taken over; blocking."""
        while (call := inbox.take(self.reaction)) is not None:
            followed = self._answer(call, inbox)
            if any(each.hands_over for each in followed.values()):
                return
            inbox.done(tuple(name for name, each in followed.items() if each.end in COVERS))

    def _answer(self, call: Call, inbox: Inbox) -> dict[str, Followed]:
        """Follow the alert's link, and where that leads; id of each runbook that was opened -> what came of it."""
        followed: dict[str, Followed] = {}
        alert, name, source = call.alert, call.alert.runbook, None
        why = {"rule": alert.rule, "alert_ns": alert.t_ns, "called_ns": call.called}
        while (runbook := self._found(name, followed, why)) is not None:
            one = self._follow(runbook, {**why, "from": source}, inbox, leave_for_page=not alert.is_page)
            followed[runbook.id] = one
            if one.changed:
                self._tried.add(runbook.id)
            name, source = one.opens, runbook.id
            if name is None or not inbox.wait(self.reaction, leave_for_page=not alert.is_page):
                break
        return followed

    def _found(self, name: str | None, followed: Mapping[str, Followed], why: Mapping[str, Any]) -> Runbook | None:
        """The runbook of this name; None, and the reason on record, where it cannot or must not be opened."""
        runbook = None if name is None else self.library.get(name)
        if runbook is not None and runbook.id not in self._tried and runbook.id not in followed:
            return runbook
        reason = "no-link" if name is None else "no-such-runbook" if runbook is None else "followed-before"
        self.record("operator", Kind.INFO, "not-opened", {**why, "runbook": name, "reason": reason})
        return None

    def _follow(self, runbook: Runbook, why: Mapping[str, Any], inbox: Inbox, *, leave_for_page: bool) -> Followed:
        self.record("operator", Kind.INVOKE, "runbook", {"runbook": runbook.id, "sha256": runbook.sha256, **why})
        self.opened(runbook)
        followed = self.operator.follow(runbook, lambda: leave_for_page and inbox.has_page(runbook.id))
        said = {"runbook": runbook.id, "end": followed.end.value, "opens": followed.opens}
        self.record("operator", followed.end.kind, "runbook", said)
        self.closed(runbook)
        return followed
