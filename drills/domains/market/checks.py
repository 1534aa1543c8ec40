"""Nobody was refused for a price that the market did not have."""

from __future__ import annotations

from collections.abc import Iterator

from drills.domains.customers.rows import Reply, Request
from drills.domains.market.facts import BOOK, paths
from drills.judge.check import Check, combine, count
from drills.judge.timeline import observed_until
from drills.record.history import NS, CheckResult, History

REFUSED = "PRICE_COLLAR"
COLLAR = "api.collar"
"""The setting that says how far from the price a limit may be, as a share of it."""
FRESH, SOON = NS, NS // 4
"""Older than so no price that anybody goes by should be; and so much later the exchange may have written it down."""


def refusals_right(history: History) -> CheckResult:
    """Each order that was refused for being too far from the price was so by each price of the last second."""
    wrong, refused = [], 0
    collar = history.plan.settings.get(COLLAR, 0.0)
    for index, asked, answer in _refused(history):
        path = paths(history).get(asked.code)
        if path is None:
            continue
        refused += 1
        near = path.within(answer.t_ns - FRESH, answer.t_ns + SOON)
        if near and all(abs(asked.price - price) <= collar * price for price in near):
            wrong.append(f"customers:{index}")
    return combine(count("market.wrongly-refused", wrong, refused))


def _refused(history: History) -> Iterator[tuple[int, Request, Reply]]:
    """Row number of the answer, the order, the answer; up to the end."""
    end = observed_until(history)
    asked: dict[str, Request] = {}
    for index, row in enumerate(history.books["customers"]):
        if isinstance(row, Request) and row.action == "order":
            asked[row.id] = row
        elif isinstance(row, Reply) and row.error == REFUSED and row.t_ns <= end and row.id in asked:
            yield index, asked[row.id], row


CHECKS = (Check("refusals-right", "I-08", ("customers", BOOK), False, refusals_right),)
