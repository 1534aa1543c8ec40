"""What a target may say that it does not offer, and what of a card cannot be judged then.

A target file names these things (``not_offered:``); they stand in the run's record before it starts, and on the card.
What is not offered is no evidence that went missing: it is ``n/a`` and named, never passed. Whatever a target does
offer and then does not deliver stays unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

BOOKS, OPERATOR, ALERTS = "books", "operator", "alerts"

THINGS = (BOOKS, OPERATOR, ALERTS)
"""Books of the business, an operator's tool, a monitor that alerts."""

NEEDS: Mapping[str, frozenset[str]] = {
    "detect": frozenset({ALERTS}),
    "detect_from_inject": frozenset({ALERTS}),
    "decide": frozenset({ALERTS, OPERATOR}),
    "contain": frozenset({ALERTS, BOOKS}),
    "reconcile": frozenset({BOOKS}),
    "planned_closure_s": frozenset({OPERATOR}),  # nobody else closes a service on purpose
    "wrong_figures_shown": frozenset({BOOKS}),
    "wrong_figures_acted_on": frozenset({BOOKS}),
    "late_notices": frozenset({BOOKS}),
    "duplicated": frozenset({BOOKS}),
    "phantom_orders": frozenset({BOOKS}),
    "acknowledged_orders_lost": frozenset({BOOKS}),
    "unbalanced_yen": frozenset({BOOKS}),
    "harmful_actions": frozenset({BOOKS}),
    "undecidable_figures": frozenset({BOOKS}),
}
"""Metric -> what it cannot be judged without. All others are seen in the answers that customers get."""

SETTLED_BY_BOOKS = frozenset({"restore", "recover", "contain", "reconcile"})
"""Instants that wait for the books to be right as well, where there are any."""


def lacking(metric: str, not_offered: Collection[str]) -> list[str]:
    """What the metric needs and the target does not offer; empty when it can be judged."""
    return [thing for thing in THINGS if thing in not_offered and thing in NEEDS.get(metric, ())]
