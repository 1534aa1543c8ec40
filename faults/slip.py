"""An operator's slip: commands that somebody really types at the operator's own tool, and does not take back.

Nothing is broken from outside. What comes of it comes by the target's own mechanisms and the ordinary load, perhaps
much later.
"""

from __future__ import annotations

import shlex
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from faults.fault import FaultRecord
from targets.references import CommandText, QueryText, RoleName, VolumeName
from targets.target import Answer, Capabilities, OperatorAccess, ProbeResult, Target, offered

WITHIN_S = 10.0
"""For each command."""


class ExpectedReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the tool answers to a query: ``field`` is ``value``, or at least or at most so much; ``a.b`` reaches in."""

    run: QueryText
    field: str
    value: bool | str | float | None = None
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.value, self.at_least, self.at_most)) != 1:
            raise ValueError("one of value, at_least, at_most says what the field must be")

    def holds(self, answer: Answer) -> bool:
        """Whether it does."""
        if answer.exit != 0:
            return False
        found = _reached(answer.data, self.field)
        if self.value is not None:
            return type(found) is type(self.value) and found == self.value
        if isinstance(found, bool) or not isinstance(found, int | float):
            return False
        return found >= self.at_least if self.at_least is not None else found <= (self.at_most or 0)


class Slip(FaultRecord, frozen=True):
    """``run`` is typed in the order of the list with this ``role``, ``undo`` takes it back, ``felt`` says when it is
    felt and ``undone`` when nothing of it is left. ``volume``: what it fills, which must have a limit.

    ``undo`` goes on where a command is refused: what it would take back may have been taken back already.
    """

    KIND: ClassVar[str] = "slip"

    role: RoleName
    run: Annotated[tuple[CommandText, ...], Meta(min_length=1)]
    undo: Annotated[tuple[CommandText, ...], Meta(min_length=1)]
    felt: ExpectedReply
    undone: Annotated[tuple[ExpectedReply, ...], Meta(min_length=1)]
    volume: VolumeName | None = None

    def missing(self, capabilities: Capabilities) -> str | None:
        """The operator's tool, a command of it, or the limit of the volume."""
        if capabilities.operator is None:
            return "an operator's tool"
        if self.volume is not None and self.volume not in capabilities.limited:
            return f"a limit of volume {self.volume} (kunren doctor says why)"
        lines = (*self.run, *self.undo, self.felt.run, *(each.run for each in self.undone))
        unknown = [line for line in lines if capabilities.operator.command(tuple(shlex.split(line))) is None]
        return f"the command {unknown[0]}" if unknown else None

    def inject(self, target: Target) -> ProbeResult:
        """Type it; what a command refuses or leaves half done ends it."""
        said: list[str] = []
        for line in self.run:
            answer = self._typed(_tool(target), line)
            said.append(f"{line}: {answer.says}")
            if answer.exit != 0:
                return ProbeResult(False, "; ".join(said))
        return ProbeResult(True, "; ".join(said))

    def verify_effect(self, target: Target) -> ProbeResult:
        """Whether it is felt by now."""
        felt, says, data = self._seen(_tool(target), self.felt)
        return ProbeResult(felt, says, {**data, "effect_seen": felt})

    def rollback(self, target: Target) -> ProbeResult:
        """Take it back, whatever of it is still there."""
        answers = [(line, self._typed(_tool(target), line)) for line in self.undo]
        failed = [f"{line}: {answer.says}" for line, answer in answers if answer.exit not in (0, 1)]
        return ProbeResult(not failed, "; ".join(failed or [f"{line}: {answer.says}" for line, answer in answers]))

    def verify_removed(self, target: Target) -> ProbeResult:
        """Whether nothing of it is left."""
        seen = [self._seen(_tool(target), each) for each in self.undone]
        data = {name: value for _, _, found in seen for name, value in found.items()}
        return ProbeResult(all(holds for holds, _, _ in seen), "; ".join(says for _, says, _ in seen), data)

    def _typed(self, tool: OperatorAccess, line: str) -> Answer:
        return tool.run_command(tuple(shlex.split(line)), self.role, WITHIN_S)

    def _seen(self, tool: OperatorAccess, expected: ExpectedReply) -> tuple[bool, str, dict[str, Any]]:
        answer = self._typed(tool, expected.run)
        found = _reached(answer.data, expected.field)
        return expected.holds(answer), f"{expected.run}: {answer.says}", {expected.field: found}


def _tool(target: Target) -> OperatorAccess:
    return offered(target.operator_tool, "operator's tool")


def _reached(data: Any, path: str) -> Any:
    for key in path.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data
