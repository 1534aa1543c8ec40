"""The scorecard as renderers take it: the judge's record, or the decoded JSON of a ``scorecard.json``."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from drills.scorecard import Scorecard


def as_card(document: object) -> Scorecard:
    """A card from either form; msgspec.ValidationError names the field at fault."""
    if isinstance(document, Scorecard):
        return document
    return msgspec.convert(document, Scorecard)


def called(card: Scorecard) -> str:
    """The drill's name, with its variant if it is one."""
    return f"{card.drill}.{card.variant}" if card.variant else card.drill


def superseded(cards: Iterable[Scorecard]) -> dict[str, str]:
    """Runs that could not judge and were made once more -> the run that was: both are shown, the second counts."""
    return {attempt.run: card.run for card in cards for attempt in card.earlier}
