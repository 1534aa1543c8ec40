"""Order numbers: unique over all live orders, the same on both sides, never going back, with room before the limit."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from drills.domains.numbers import facts
from drills.domains.orders import facts as orders
from drills.domains.orders.rows import ExchangeOrder, OmsOrder
from drills.judge.check import Check, because, combine, count
from drills.judge.warning import alerted_before
from drills.record.history import CheckResult, History, Status

LEAST_MS = 60_000
"""How long the room must last at the pace of the end."""


def live_number_unique(history: History) -> CheckResult:
    """No order was taken by the exchange under a number that another live order had, those of earlier days included."""
    return combine(count("numbers.shared", _rows(facts.shared(history)), len(facts.numbered(history))))


def numbers_agree(history: History) -> CheckResult:
    """What both sides hold of an order has the same number, code, side and quantity."""
    here = {each.row.key: each.row for each in orders.at_brokerage(history)}
    both = [each for each in facts.numbered(history) if each.row.key in here]
    differing = [each for each in both if _known(each.row) != _known(here[each.row.key])]
    return combine(count("numbers.differing", _rows(differing), len(both)))


def numbers_go_up(history: History) -> CheckResult:
    """No order of the day has a lower number than one that the exchange took well before it."""
    numbered = [each for each in facts.numbered(history) if each.row.key not in orders.resting(history)]
    return combine(count("numbers.backwards", _rows(list(_backwards(history, numbered))), len(numbered)))


def orders_taken(history: History) -> CheckResult:
    """No customer was told that the exchange would not take the order."""
    refused = [f"customers:{index}" for index, _ in facts.not_taken(history)]
    return combine(count("numbers.not-taken", refused, len(orders.intents(history))))


def number_headroom(history: History) -> CheckResult:
    """At the end there are numbers left, and they do not run out within a minute."""
    looks = facts.looks(history)
    if not looks:
        return because(Status.UNKNOWN, "numbers.never-seen")
    index, last = looks[-1]
    bad = last.headroom <= 0 or 0 <= last.left_ms < LEAST_MS
    return combine(count("numbers.no-headroom", [f"{facts.BOOK}:{index}"] if bad else [], 1))


def warned_before_the_limit(history: History) -> CheckResult:
    """Where the last number was given, an alert that names the cause had come before."""
    given = facts.reached(history)
    breach = None if given is None else (given.row.t_ns, f"exchange:{given.index}")
    return alerted_before(history, breach, "numbers.lead", "numbers.no-alert")


def _known(row: ExchangeOrder | OmsOrder) -> tuple[str, str, str, int]:
    return row.number.lstrip("0"), row.code, str(row.side), row.quantity


def _backwards(history: History, numbered: list[orders.AtExchange]) -> Iterator[orders.AtExchange]:
    """Lower than the highest of those taken so long before that none of them can have been under way beside it."""
    apart = history.plan.slo.grace + history.plan.slo.latency
    recent: deque[tuple[int, int]] = deque()
    highest = 0
    for each in numbered:
        while recent and recent[0][0] <= each.row.t_ns - apart:
            highest = max(highest, recent.popleft()[1])
        if int(each.row.number) < highest:
            yield each
        recent.append((each.row.t_ns, int(each.row.number)))


def _rows(found: list[orders.AtExchange]) -> list[str]:
    return [f"exchange:{each.index}" for each in found]


CHECKS = (
    Check("live-number-unique", "I-05", ("customers", "exchange"), False, live_number_unique),
    Check("numbers-agree", "I-04", ("exchange", "oms"), False, numbers_agree),
    Check("numbers-go-up", "I-05", ("exchange",), False, numbers_go_up),
    Check("orders-taken", "I-03", ("customers",), False, orders_taken),
    Check("number-headroom", "I-11", (facts.BOOK,), False, number_headroom),
    Check("warned-before-the-limit", "I-11", ("exchange",), False, warned_before_the_limit),
)
