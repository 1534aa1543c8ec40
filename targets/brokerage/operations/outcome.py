"""How a command ends.

Outcome
Ended (a command ends before its last line)
 ├─ Refused      exit 1: nothing was changed, and why
 ├─ NotReached   exit 2: the request never left; nothing was changed by it
 └─ HalfWay      exit 2: it may or may not have been carried out; what to check
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DONE, REFUSED, HALF_WAY = 0, 1, 2


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Exit status, one line for people, whether anything was changed, facts (JSON-able), further lines for people."""

    exit: int
    says: str
    changed: bool
    facts: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        own = {"ok": self.exit == DONE, "exit": self.exit, "says": self.says, "changed": self.changed}
        return {**self.facts, **own}


class Ended(Exception):
    """Base of the ways in which a command ends early; ``facts`` are what is known."""

    def __init__(self, says: str, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(says)
        self.says = says
        self.facts = dict(facts or {})


class Refused(Ended):
    """A guard said no before anything was changed."""


class NotReached(Ended):
    """The other side accepted no connection; nothing was asked of it."""


class HalfWay(Ended):
    """Something was asked, and it failed or was not answered."""


def read(says: str, facts: Mapping[str, Any], lines: tuple[str, ...] = ()) -> CommandResult:
    """A question was answered."""
    return CommandResult(DONE, says, False, facts, lines)


def done(says: str, changed: bool, facts: Mapping[str, Any] | None = None) -> CommandResult:
    """A command was carried out; ``changed`` is False when there was nothing to do."""
    return CommandResult(DONE, says, changed, facts or {})


def ended(error: Ended, read_only: bool) -> CommandResult:
    """The outcome of a command that ended early; after HalfWay a change is assumed unless it only reads."""
    if isinstance(error, Refused):
        return CommandResult(REFUSED, error.says, False, error.facts)
    return CommandResult(HALF_WAY, error.says, isinstance(error, HalfWay) and not read_only, error.facts)
