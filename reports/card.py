"""The scorecard as renderers take it: the judge's record, or the decoded JSON of a ``scorecard.json``."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from drills.judge import unjudged
from drills.judge.scorecard import Scorecard


def as_card(document: object) -> Scorecard:
    """A card from either form, without claims where its run could not judge, whichever version has written it.

    msgspec.ValidationError names the field at fault.
    """
    card = document if isinstance(document, Scorecard) else msgspec.convert(document, Scorecard)
    return unjudged.claiming_nothing(card)


def judges(card: Scorecard) -> bool:
    """Whether the run counts for or against the target; one that cannot judge counts in no numerator."""
    return unjudged.judges(card.verdict)


def was_watched(card: Scorecard) -> bool:
    """Whether the monitor was heard all along; else nobody knows of alerts that did not come."""
    return not any(check.id == "monitoring-had-no-gap" and check.verdict != "pass" for check in card.checks)


def called(card: Scorecard) -> str:
    """The drill's name, with its variant if it is one."""
    return f"{card.drill}.{card.variant}" if card.variant else card.drill


def superseded(cards: Iterable[Scorecard]) -> dict[str, str]:
    """Runs that could not judge and were made once more -> the run that was: both are shown, the second counts."""
    return {attempt.run: card.run for card in cards for attempt in card.earlier}
