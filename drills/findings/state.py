"""How a finding stands on a day: whose turn it is, and what is late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from drills.spec.findingsfile import SEVERITIES, Finding

OPEN, ACCEPTED, CLOSED, OVERDUE, LAPSED, UNOWNED = "open", "accepted", "closed", "overdue", "lapsed", "unowned"
"""Of a finding on a day. ``lapsed``: the acceptance has run out; ``unowned``: nobody has taken it in time."""

LATE = (OVERDUE, LAPSED, UNOWNED)
ORDER = (OVERDUE, LAPSED, UNOWNED, OPEN, ACCEPTED, CLOSED)
LONGEST = timedelta(days=366)
"""For which a risk may be accepted before somebody has to think of it again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A finding and its state."""

    finding: Finding
    state: str

    @property
    def late(self) -> bool:
        """Whether somebody should have done something by now."""
        return self.state in LATE


def standing(finding: Finding, today: date, grace: timedelta) -> Standing:
    """``grace``: how long a finding may be without an owner or a due date, from when it was seen first or again."""
    return Standing(finding, _state(finding, today, grace))


def by_urgency(findings: Iterable[Finding], today: date, grace: timedelta) -> list[Standing]:
    """What is late first, then by severity and due date."""
    found = [standing(each, today, grace) for each in findings]
    return sorted(found, key=_urgency)


def _state(finding: Finding, today: date, grace: timedelta) -> str:
    if finding.closed is not None:
        return CLOSED
    if finding.accepted is not None:
        return LAPSED if finding.accepted.until < today else ACCEPTED
    if finding.due is not None and finding.due < today:
        return OVERDUE
    since = finding.recurrences[-1].date if finding.recurrences else finding.first_seen.date
    taken = finding.owner is not None and finding.due is not None
    return OPEN if taken or today <= since + grace else UNOWNED


def _urgency(one: Standing) -> tuple[int, int, date, str]:
    place = SEVERITIES.index(one.finding.severity)
    return ORDER.index(one.state), place, one.finding.due or date.max, one.finding.id
