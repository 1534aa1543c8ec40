"""What a person does at the terminal, as it reaches the run: one JSON document a line, told apart by ``do``.

What is meant for a step names it, so that a key pressed as that step ended does nothing to the next one.
"""

from __future__ import annotations

import queue
from collections.abc import Iterable

import msgspec


class _Action(msgspec.Struct, frozen=True, tag_field="do"):
    """What all of them are."""


class OpenRunbook(_Action, frozen=True, tag="open"):
    """By its name; ``alert`` is the rule whose link was followed, None where the person chose it."""

    runbook: str
    alert: str | None = None


class RunStep(_Action, frozen=True, tag="run"):
    """Have the step's command run."""

    step: str


class ConfirmStep(_Action, frozen=True, tag="confirm"):
    """A manual step has been done."""

    step: str


class SkipStep(_Action, frozen=True, tag="skip"):
    """Go on without it."""

    step: str
    reason: str


class Escalate(_Action, frozen=True, tag="escalate"):
    """Call whom the runbook names."""

    step: str
    reason: str


class LeaveRunbook(_Action, frozen=True, tag="leave"):
    """Follow it no further."""

    reason: str


Action = OpenRunbook | RunStep | ConfirmStep | SkipStep | Escalate | LeaveRunbook

_DECODER: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)


class Actions:
    """Those that have come and wait for their turn; filled from any thread."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Action] = queue.SimpleQueue()

    def put(self, action: Action) -> None:
        """It came."""
        self._waiting.put(action)

    def feed(self, lines: Iterable[bytes]) -> None:
        """All that come on these lines, until they end; one that cannot be read is left out."""
        for line in lines:
            try:
                self.put(_DECODER.decode(line))
            except msgspec.MsgspecError:
                continue

    def take(self, within_s: float) -> Action | None:
        """The next one; None where none comes in time."""
        try:
            return self._waiting.get(timeout=within_s)
        except queue.Empty:
            return None
