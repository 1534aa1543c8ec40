from __future__ import annotations

from typing import Any

import pytest

from targets.brokerage.api.customers import outcome_of
from targets.brokerage.api.rules import OrderBody, Refusal, check_order
from targets.brokerage.api.slo import ServiceLevel
from targets.brokerage.config import ApiConfig
from targets.brokerage.instrument import Instrument

INSTRUMENTS = {"7203": Instrument("7203", base=3_500, tick=5, low=2_800, high=4_200)}
S = 1_000_000_000


def order(**changes: Any) -> OrderBody:
    return OrderBody(**{"code": "7203", "side": "buy", "quantity": 100, "price": 3_500, **changes})


@pytest.mark.parametrize("good", [order(), order(quantity=1_000), order(price=2_800), order(price=4_200)])
def test_an_order_within_the_rules_passes(good: OrderBody) -> None:
    check_order(good, INSTRUMENTS)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (order(code="0000"), "UNKNOWN_CODE"),
        (order(quantity=150), "LOT_SIZE"),
        (order(quantity=0), "LOT_SIZE"),
        (order(quantity=-100), "LOT_SIZE"),
        (order(price=3_501), "TICK"),
        (order(price=0), "TICK"),
        (order(price=2_795), "PRICE_LIMIT"),
        (order(price=4_205), "PRICE_LIMIT"),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused_by_name(bad: OrderBody, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_order(bad, INSTRUMENTS)
    assert (refused.value.status, refused.value.code) == (422, code)


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (201, "", "ok"),
        (422, "LOT_SIZE", "reject"),
        (503, "SERVICE_CLOSED", "closed"),
        (503, "POOL_TIMEOUT", "error"),
        (504, "STATE_UNKNOWN", "unknown"),
        (500, "INTERNAL", "error"),
    ],
)
def test_outcomes(status: int, error: str, outcome: str) -> None:
    assert outcome_of(status, error) == outcome


def level(requests: list[tuple[int, int, bool]]) -> ServiceLevel:
    measured = ServiceLevel(ApiConfig())
    for begin, end, failed in requests:
        measured.end(measured.begin(begin), end, failed)
    return measured


def test_good_requests_burn_nothing() -> None:
    assert level([(0, S // 10, False)] * 20).burn(S) == 0


def test_failures_and_late_answers_are_bad() -> None:
    measured = level([(0, S // 2, False)] * 5 + [(0, S // 2, True)] * 3 + [(0, S + S // 2, False)] * 2)
    assert measured.bad_ratio("long", 2 * S) == 0.5


def test_a_stall_shows_before_anything_ends() -> None:
    measured = ServiceLevel(ApiConfig())
    for _ in range(6):
        measured.begin(0)
    assert measured.burn(S) == 0
    assert measured.burn(S + 1) == 100


def test_too_few_requests_say_nothing() -> None:
    assert level([(0, 1, True)] * 4).bad_ratio("short", 1) == 0


def test_both_windows_must_burn() -> None:
    measured = level([(0, S, True)] * 50 + [(5 * S, 5 * S + 1, False)] * 10)
    now = 5 * S + 2
    assert measured.bad_ratio("long", now) > 0.8
    assert measured.burn(now) == 0
