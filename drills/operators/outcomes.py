"""What comes of a step and of a runbook, whoever follows it, and how it is put on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from drills.record.history import Kind

Record = Callable[[str, Kind, str, Mapping[str, Any]], object]
"""``record(actor, kind, what, data)``: one event of the history."""


class StepOutcome(StrEnum):
    """Of a step."""

    OK = "ok"
    NOT_THIS = "not-this"  # it looked for a cause that has a runbook of its own, and it is another
    REFUSED = "refused"  # a precondition did not hold, or the tool refused: nothing was changed by this step
    FAILED = "failed"
    SKIPPED = "skipped"
    TIMEOUT = "timeout"

    @property
    def kind(self) -> Kind:
        """Of the event that tells it."""
        if self in (StepOutcome.SKIPPED, StepOutcome.NOT_THIS):
            return Kind.INFO
        return Kind.OK if self == StepOutcome.OK else Kind.FAIL


class RunbookEnd(StrEnum):
    """How a runbook ended. ``refused`` at its first step is the right end of one that does not apply."""

    DONE = "done"
    OPENED = "opened"  # it found the cause and opened the runbook for that
    REFUSED = "refused"
    STOPPED = "stopped"
    ESCALATED = "escalated"
    INCOMPLETE = "incomplete"  # the last step was reached, but some were left out on the way
    INTERRUPTED = "interrupted"  # left for a page, or the run was over

    @property
    def kind(self) -> Kind:
        """Of the event that tells it."""
        return Kind.OK if self in (RunbookEnd.DONE, RunbookEnd.OPENED, RunbookEnd.REFUSED) else Kind.FAIL


@dataclass(frozen=True, slots=True)
class Followed:
    """How a runbook ended, which other it ``opens``, and whether any of its steps changed the system."""

    end: RunbookEnd
    opens: str | None = None
    changed: bool = False

    @property
    def hands_over(self) -> bool:
        """Whether others have been called who decide from here on."""
        return self.end == RunbookEnd.ESCALATED and self.opens is None
