"""Who acts in a run: a robot or a person, by the same protocol."""

from __future__ import annotations

from typing import Protocol

from drills.operators.inbox import Inbox


class Operator(Protocol):
    """Is on call: takes the alerts of the inbox and does what there is to do."""

    def attend(self, inbox: Inbox) -> None:
        """Until the run stops looking, or others have taken over; blocking."""
