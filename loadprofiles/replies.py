"""What an answer, or the lack of one, means to a customer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from loadprofiles.actions import ACTIONS
from loadprofiles.samples import OutcomeCode

IN_DOUBT = frozenset({OutcomeCode.UNKNOWN, OutcomeCode.TIMEOUT, OutcomeCode.RESET})
"""The customer does not know whether the order is in."""
UNSETTLED = IN_DOUBT | {OutcomeCode.ERROR}
"""The order may be in although the customer was told otherwise: asked about at the end."""
NO_EFFECT = frozenset({OutcomeCode.REJECT, OutcomeCode.CLOSED, OutcomeCode.REFUSED})
"""The order is surely not in."""
WAITING_ROOM = "WAITING_ROOM"
"""The customer is to come again with the ticket of the answer: the operator lets in so many at a time."""
OPEN_STATES = frozenset({"pending-new", "unknown", ""})
"""Order states that tell the customer nothing yet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request ended. ``status`` is 0 and ``data`` empty where nothing came back; times in ns."""

    row: int
    outcome: OutcomeCode
    status: int
    data: Mapping[str, Any]
    sent: int
    done: int

    def text(self, field: str) -> str:
        """A field of the answer if it is text, else the empty string."""
        value = self.data.get(field, "")
        return value if isinstance(value, str) else ""

    @property
    def error(self) -> str:
        """The error code of the answer; ``GARBLED`` where it made no sense."""
        if self.outcome is OutcomeCode.ERROR and self.status in (200, 201):
            return "GARBLED"
        return self.text("error")


def comes_again(answer: Answer) -> bool:
    """Whether somebody who insists does so: there was no answer, or one that asks for patience."""
    if answer.outcome is OutcomeCode.CLOSED:
        return answer.error == WAITING_ROOM
    return answer.outcome in IN_DOUBT or answer.outcome is OutcomeCode.REFUSED or answer.status == 503


def decode(body: bytes) -> Mapping[str, Any]:
    """The JSON object in ``body``; empty where there is none."""
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return data if isinstance(data, dict) else {}


def outcome_of(action: str, status: int, data: Mapping[str, Any]) -> OutcomeCode:
    """What a complete answer means."""
    if status in (200, 201):
        return OutcomeCode.OK if _complete(action, data) else OutcomeCode.ERROR
    if status in (409, 422) or (status == 404 and ACTIONS[action].may_be_absent):
        return OutcomeCode.REJECT
    if status == 503 and data.get("error") in ("SERVICE_CLOSED", WAITING_ROOM):
        return OutcomeCode.CLOSED
    if status == 504 and data.get("error") == "STATE_UNKNOWN":
        return OutcomeCode.UNKNOWN
    return OutcomeCode.ERROR


def outcome_by_url(expected: int, status: int) -> OutcomeCode:
    """What an answer means where all that is known is the status to be expected."""
    return OutcomeCode.OK if status == expected else OutcomeCode.ERROR


def _complete(action: str, data: Mapping[str, Any]) -> bool:
    # type() and not isinstance(): a cash of `true` is no figure
    return all(type(data.get(name)) is kind for name, kind in ACTIONS[action].answer.items())
