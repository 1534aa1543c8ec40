"""The scorecard as renderers take it: the judge's record, or the decoded JSON of a ``scorecard.json``."""

from __future__ import annotations

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
