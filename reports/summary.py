"""``kunren.summary/1``: several cards in one document, and the five numbers that sum them up.

A number that the cards at hand cannot give is ``None``, and one that is missing on any card is missing in the sum:
missing evidence never raises a score and never leaves the denominator. A run that cannot judge counts in no numerator:
none of its objectives is met, its alerts detect nothing, and it does not make its drill one that was run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from drills.domains.registry import DOMAINS
from drills.judge.metric import Harm, Metric
from drills.judge.repeats import repeated
from drills.judge.scorecard import Scorecard
from drills.record.arm import NOTHING_BROKEN
from reports.card import as_card, judges, superseded, was_watched

NAMED = {
    "lost": "acknowledged_orders_lost",
    "duplicated": "duplicated",
    "phantom": "phantom_orders",
    "wrong_figures_acted_on": "wrong_figures_acted_on",
}
"""Harm that every portfolio has a number of."""


def summary(documents: Iterable[object]) -> dict[str, Any]:
    """The document for scorecards (records or decoded JSON), in their order; encode it with ``card_bytes``."""
    cards = list(documents)
    known = [as_card(one) for one in cards]
    return {
        "schema": "kunren.summary/1",
        "cards": cards,
        "drills": repeated(known),
        "five_numbers": five_numbers(known),
    }


def five_numbers(cards: Sequence[Scorecard]) -> dict[str, Any]:
    """Objectives met; harm; detection; the runbook's effect (known to studies alone); drills run.

    An attempt that could not judge and was made once more stands among the cards, and counts in none of the numbers.
    """
    again = superseded(cards)
    cards = [card for card in cards if card.run not in again]
    return {
        "objectives": _objectives(cards),
        "harm": _harm(cards),
        "detection": _detection(cards),
        "runbook_effect": None,
        "drills": {"run": len({card.drill for card in cards if judges(card)}), "of": None},
    }


def _objectives(cards: Sequence[Scorecard]) -> dict[str, int]:
    judged = [one for card in cards for one in card.objectives if one.verdict != "n/a"]
    return {"met": sum(one.verdict == "pass" for one in judged), "of": len(judged)}


def _harm(cards: Sequence[Scorecard]) -> dict[str, Any]:
    """``others``: harm of further kinds, each over the runs whose cards have it, by metric; none where it was none."""
    return {
        **{name: _sum(cards, metric) for name, metric in NAMED.items()},
        "others": dict(_others(cards)),
        "exposed": _sum(cards, "acknowledged_orders"),
    }


def further_harms() -> Iterator[tuple[Metric, Harm]]:
    """Kinds of harm that are counted one by one, beyond those that every portfolio has a number of."""
    for metric in DOMAINS.metrics.values():
        harm = metric.harm
        if harm is not None and not harm.sum_of and metric.unit == "count" and metric.id not in NAMED.values():
            yield metric, harm


def _others(cards: Sequence[Scorecard]) -> Iterator[tuple[str, float | None]]:
    for metric, _ in further_harms():
        measured = [card for card in cards if any(each.id == metric.id for each in card.metrics)]
        found = _sum(measured, metric.id) if measured else 0
        if found != 0:
            yield metric.id, found


def _sum(cards: Sequence[Scorecard], metric: str) -> float | None:
    values = [card.number(metric) if judges(card) else None for card in cards]
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _detection(cards: Sequence[Scorecard]) -> dict[str, float | int | None]:
    """``worst_s`` is the latest end of the slowest detection among those detected."""
    faulty = [card for card in cards if card.arm not in NOTHING_BROKEN]
    seen = [card for card in faulty if judges(card) and card.instants.t_alert is not None]
    waits = [wait[1] for card in seen if (wait := card.span("detect")) is not None]
    return {
        "by_alert": len(seen),
        "of": len(faulty),
        "worst_s": max(waits, default=None),
        "false_pages_per_hour": _false_pages([card for card in cards if card.arm in NOTHING_BROKEN]),
    }


def _false_pages(controls: Sequence[Scorecard]) -> float | None:
    heard = [card for card in controls if judges(card) and was_watched(card)]
    watched = [card.cost.mandatory_s for card in heard if card.cost.mandatory_s]
    if not watched or len(watched) < len(controls):
        return None
    return round(sum(not alert.synthetic for card in controls for alert in card.alerts) * 3600 / sum(watched), 3)
