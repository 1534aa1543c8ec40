"""OpenMetrics text: what the last runs showed, for node_exporter's textfile collector or a push gateway.

The last card of each drill, arm, target, operator and pace counts. A run that could not judge says just that: what is
not known has no sample, for a 0 would be an answer. ``promtool check metrics`` takes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector

from drills.judge.scorecard import Scorecard
from reports.card import as_card, called, judges

RUN = ("drill", "arm", "target", "operator", "pace")
"""Labels of every sample."""

SECONDS = "s"


def openmetrics_bytes(documents: Iterable[object]) -> bytes:
    """The text for scorecards (records or decoded JSON); of two of the same kind of run the later one counts."""
    registry = CollectorRegistry()
    registry.register(_Cards(as_card(document) for document in documents))
    return bytes(generate_latest(registry))  # type: ignore[no-untyped-call]


class _Cards(Collector):
    def __init__(self, cards: Iterable[Scorecard]) -> None:
        newest: dict[tuple[str, ...], Scorecard] = {}
        for card in sorted(cards, key=lambda each: each.started):
            newest[_labels(card)] = card
        self._cards = newest

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The families, one after the other."""
        judged = _family("judged", "Whether the last run could judge (1)")
        started = _family("started_timestamp_seconds", "When the last run began")
        passed = _family("passed", "Whether the last run passed (1) or failed (0)")
        met = _family("objective_met", "Whether the limit was met (1) or missed (0)", "objective")
        seconds = _family("span_seconds", "A span of time, its latest end", "metric")
        ratio = _family("ratio", "A share", "metric")
        amount = _family("amount", "A number, or yen", "metric")
        for labels, card in self._cards.items():
            judged.add_metric(labels, float(judges(card)))
            started.add_metric(labels, datetime.fromisoformat(card.started).timestamp())
            if not judges(card):
                continue
            passed.add_metric(labels, float(card.verdict == "pass"))
            for one in card.objectives:
                if one.verdict in ("pass", "fail"):
                    met.add_metric((*labels, one.id), float(one.verdict == "pass"))
            for metric in card.metrics:
                value = card.value(metric.id)
                if value is not None:
                    family = seconds if metric.unit == SECONDS else ratio if metric.unit == "ratio" else amount
                    family.add_metric((*labels, metric.id), float(value[1] if isinstance(value, tuple) else value))
        yield from (judged, started, passed, met, seconds, ratio, amount)


def _family(name: str, says: str, *more: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"kunren_drill_{name}", says, labels=[*RUN, *more])


def _labels(card: Scorecard) -> tuple[str, ...]:
    return called(card), card.arm, card.target, card.operator.kind, card.operator.pace
