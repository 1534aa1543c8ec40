"""What a check found as people read it, in English: for tests that hold its numbers and what they are of."""

from __future__ import annotations

from drills.judge.milestones import Milestone
from drills.judge.scorecard import Scorecard
from drills.record.history import History
from reports.words import Found, limits, reason, sentence


def said(found: Found) -> str:
    """Its sentence."""
    return sentence("en", found)


def limits_of(card: Scorecard) -> list[str]:
    """What the run cannot show, each with the id of what it is about."""
    found = []
    for cell, words in zip(card.limits, limits(card, "en"), strict=True):
        found.append(
            words if cell.about is None else f"{cell.about}: {'; '.join(reason('en', each) for each in cell.reasons)}"
        )
    return found


def damage_of(history: History) -> list[str]:
    """What is wrong with its files."""
    return [reason("en", each) for each in history.damage]


def why(milestone: Milestone) -> str:
    """Why nobody can tell when it came."""
    return "; ".join(reason("en", each) for each in milestone.unknowable)
