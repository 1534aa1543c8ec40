"""The arms of a drill: whether anything is broken in a run, and who acts upon it.

On the command line, in a drill file, in the plan and on the card an arm is text: ``runbook``, ``without:STEP`` …
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ArmKind(StrEnum):
    """What sort of arm."""

    NO_FAULT = "no-fault"  # nothing is broken, nobody acts
    FALSE_ALARM = "false-alarm"  # nothing is broken, the runbook is followed
    NO_ACTION = "no-action"  # the fault, and nobody acts
    RUNBOOK = "runbook"  # the fault, and the runbook is followed
    WITHOUT = "without"  # the same without one of its steps
    WRONG = "wrong"  # a documented wrong variant of the runbook is followed


NOTHING_BROKEN = (ArmKind.NO_FAULT, ArmKind.FALSE_ALARM)
NOBODY_ACTS = (ArmKind.NO_FAULT, ArmKind.NO_ACTION)
DETAILED = (ArmKind.WITHOUT, ArmKind.WRONG)
"""Those of which there are several; all others stand for themselves."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm; ``detail`` is the step that is left out, or the name of the wrong variant."""

    kind: ArmKind
    detail: str = ""

    @classmethod
    def parse(cls, text: str) -> Arm:
        """The arm of this text; ValueError where it is none. The step or variant may still be unknown."""
        kind, colon, detail = text.partition(":")
        arm = cls(ArmKind(kind), detail)
        if (arm.kind in DETAILED) != bool(detail) or (colon and not detail):
            raise ValueError(f"{text!r} is no arm")
        return arm

    def __str__(self) -> str:
        return f"{self.kind}:{self.detail}" if self.detail else self.kind.value

    @property
    def acts(self) -> bool:
        """Whether somebody follows a runbook."""
        return self.kind not in NOBODY_ACTS


RUNBOOK = Arm(ArmKind.RUNBOOK)
NO_ACTION = Arm(ArmKind.NO_ACTION)
FALSE_ALARM = Arm(ArmKind.FALSE_ALARM)
ARMS = (Arm(ArmKind.NO_FAULT), FALSE_ALARM, NO_ACTION, RUNBOOK)
"""Arms of every drill; one for each step left out and each wrong variant come beside them."""
