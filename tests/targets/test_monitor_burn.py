"""The burn-rate rules on series made by the api's own gauge: they page when arithmetic says so, and not otherwise.

A step in the error ratio from 0 to e is found T = b·B·W/e after it (threshold b, budget B, long window W) where
e >= b·B; nothing can be known between two evaluations, nor between two bad requests.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targets.brokerage.api.slo import ServiceLevel
from targets.brokerage.config import ApiConfig
from targets.brokerage.monitor.evaluate import Change, Sample, State, evaluate
from targets.brokerage.monitor.rules import Rule, load_all
from targets.brokerage.monitor.service import RULES

NS = 1_000_000_000
STEP = NS // 4
CONFIG = ApiConfig()
BURNS = {
    rule.expr.matchers[0].value: rule
    for group in load_all(RULES)
    for rule in group.rules
    if rule.expr.metric == "api_slo_burn"
}
ORDERS = BURNS["orders"]
BUDGET = ORDERS.expr.number * CONFIG.slo_budget
"""b·B, the share of bad requests at which the rule fires."""
TAKES = NS // 100
WARM = int(CONFIG.slo_long_s * NS) + NS

Arrival = tuple[int, int, bool]
"""When it came, when it was answered (never: far beyond the end), and whether that was a failure."""


def steady(rate: int, until: int, share: float = 0, since: int = 0) -> Iterator[Arrival]:
    """Arrivals at a constant rate; from ``since`` on, ``share`` of them fail, evenly spread."""
    owed = 0.0
    for number in range(until * rate // NS):
        t = number * NS // rate
        owed += share if t >= since else 0
        failed = owed >= 1
        owed -= failed
        yield t, t + TAKES, failed


def watch(rule: Rule, arrivals: Iterator[Arrival], until: int, phase: int = 0, service: str = "orders") -> list[Change]:
    """Play the arrivals through the gauge and evaluate the rule every STEP from ``phase`` on."""
    level, tickets = ServiceLevel(CONFIG), dict[int, int]()
    held: State = {}
    found: list[Change] = []
    happen = sorted(
        step
        for number, (begun, ended, failed) in enumerate(arrivals)
        for step in ((begun, number, False, False), (ended, number, True, failed))
    )
    queue = iter(happen)
    step = next(queue, None)
    for now in range(phase, until, STEP):
        while step is not None and step[0] <= now:
            t, number, ends, failed = step
            if ends:
                level.end(tickets.pop(number), t, failed)
            else:
                tickets[number] = level.begin(t)
            step = next(queue, None)
        sample = Sample("api_slo_burn", (("service", service),), level.burn(now))
        held, changes = evaluate(rule, [sample], now, held)
        found += changes
    return found


def fired(changes: list[Change]) -> list[int]:
    return [change.t_ns for change in changes if change.status == "firing"]


@settings(max_examples=60, deadline=None)
@given(
    share=st.floats(1.1 * BUDGET, 1.0),
    rate=st.sampled_from([100, 250, 500]),
    phase=st.integers(0, STEP - 1),
)
def test_a_step_in_the_error_ratio_pages_within_one_evaluation_of_the_formula(
    share: float, rate: int, phase: int
) -> None:
    assert rate >= 10 / (CONFIG.slo_short_s * BUDGET)  # ten bad requests in the short window
    due = WARM + BUDGET * CONFIG.slo_long_s / share * NS + TAKES + ORDERS.hold_ns
    grain = 2 * NS / (rate * share)
    (first,) = fired(watch(ORDERS, steady(rate, int(due) + 2 * NS, share, WARM), int(due) + 2 * NS, phase))
    assert due - grain <= first <= due + STEP + grain


@pytest.mark.parametrize("rate", [25, 100, 500])
def test_a_stall_pages_although_nothing_ends(rate: int) -> None:
    """From the limit L on, what hangs counts: T = L + b·B·(W - L)."""
    limit, until = CONFIG.slo_latency_s, WARM + 4 * NS
    stalled = ((t, until + NS if t >= WARM else done, failed) for t, done, failed in steady(rate, until))
    due = WARM + (limit + BUDGET * (CONFIG.slo_long_s - limit)) * NS + ORDERS.hold_ns
    (first,) = fired(watch(ORDERS, stalled, until))
    assert due - 2 * NS / rate <= first <= due + STEP + 2 * NS / rate


def test_a_step_below_the_threshold_never_pages() -> None:
    until = WARM + 60 * NS
    assert fired(watch(ORDERS, steady(100, until, 0.95 * BUDGET, WARM), until)) == []


def test_a_burst_that_is_over_before_the_long_window_notices_does_not_page() -> None:
    until = WARM + 20 * NS
    burst = BUDGET * CONFIG.slo_long_s * 0.9 * NS
    arrivals = ((t, done, WARM <= t < WARM + burst) for t, done, _ in steady(100, until))
    assert fired(watch(ORDERS, arrivals, until)) == []


def test_a_page_ends_when_the_short_window_is_clean() -> None:
    until = WARM + 20 * NS
    arrivals = ((t, done, WARM <= t < WARM + 3 * NS) for t, done, _ in steady(100, until))
    changes = watch(ORDERS, arrivals, until)
    assert [change.status for change in changes] == ["firing", "resolved"]
    clean = WARM + 3 * NS + (1 - BUDGET) * CONFIG.slo_short_s * NS
    assert clean - 2 * NS / 100 <= changes[1].t_ns <= clean + STEP + TAKES + 2 * NS / 100


@pytest.mark.parametrize("service", sorted(BURNS))
@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_quiet_series_gives_no_page(service: str, seed: int) -> None:
    """Half an hour of Poisson arrivals with what a healthy system has: a budget's worth of failures, slow replies."""
    rng, until = random.Random(seed), 1800 * NS

    def quiet() -> Iterator[Arrival]:
        t = 0.0
        while t < until:
            t += rng.expovariate(30) * NS
            slow = rng.random() < CONFIG.slo_budget / 2
            yield int(t), int(t) + (int(1.2 * NS) if slow else TAKES), rng.random() < CONFIG.slo_budget / 2

    assert watch(BURNS[service], quiet(), until, service=service) == []
