"""What customers can ask for: each action once, with what a complete answer to it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Action:
    """``answer``: fields of a good answer with their types. ``keyed``: it carries an idempotency key.

    ``may_be_absent``: 404 is an answer, that there is no such thing.
    """

    answer: Mapping[str, type] = field(default_factory=dict)
    keyed: bool = False
    may_be_absent: bool = False


ACTIONS: Mapping[str, Action] = {
    "login": Action({"token": str}),
    "balances": Action({"cash": int, "buying_power": int, "as_of": str, "status": str}),
    "quote": Action({"price": int}),
    "order": Action({"order": str, "state": str}, keyed=True),
    "cancel": Action({"order": str}),
    "status": Action({"order": str, "state": str}, may_be_absent=True),
    "repayment": Action({"repayment": str, "state": str}, keyed=True),
    "withdrawal": Action({"withdrawal": str, "state": str}, keyed=True),
    "page": Action({"rows": list}),
    "fetch": Action(),
}
"""By the name that stands in the customers' journal; ``fetch`` is a URL of which nothing is known but its status."""
