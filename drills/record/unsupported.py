"""What a target may say that it does not offer, and what of a card cannot be judged then.

A target file names these things (``unsupported:``); they stand in the run's record before it starts, and on the card.
What is not offered is no evidence that went missing: it is ``n/a`` and named, never passed. Whatever a target does
offer and then does not deliver stays unknown.
"""

from __future__ import annotations

BOOKS, OPERATOR, ALERTS = "books", "operator", "alerts"

THINGS = (BOOKS, OPERATOR, ALERTS)
"""Books of the business, an operator's tool, a monitor that alerts."""
