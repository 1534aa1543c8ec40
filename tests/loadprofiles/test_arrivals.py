from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from loadprofiles import PROFILES, Behaviour, Profile
from loadprofiles.arrivals import CHOICES, NS, schedule
from loadprofiles.profiles import Hot

DAY = PROFILES["day-session"]


def test_same_seed_same_arrivals_other_seed_others() -> None:
    first, again, other = schedule(DAY, 7, 60), schedule(DAY, 7, 60), schedule(DAY, 8, 60)
    assert np.array_equal(first.offset, again.offset)
    assert np.array_equal(first.customer, again.customer)
    assert not np.array_equal(first.offset[:50], other.offset[:50])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**40), st.floats(0.1, 60), st.floats(0.1, 60))
def test_a_longer_load_only_appends(seed: int, one: float, two: float) -> None:
    short, long = (schedule(DAY, seed, each) for each in sorted((one, two)))
    assert np.array_equal(short.offset, long.offset[: len(short)])
    assert np.array_equal(short.service, long.service[: len(short)])
    assert np.array_equal(short.customer, long.customer[: len(short)])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**40), st.integers(1, 2000))
def test_arrivals_are_sorted_bounded_and_name_customers_that_exist(seed: int, customers: int) -> None:
    arrivals = schedule(replace(DAY, customers=customers), seed, 20)
    assert arrivals.offset.dtype == np.int64
    assert np.all(np.diff(arrivals.offset) >= 0)
    assert arrivals.offset[0] >= 0
    assert arrivals.offset[-1] < 20 * NS
    assert arrivals.customer.shape == (len(arrivals), CHOICES)
    assert arrivals.customer.min() >= 0
    assert arrivals.customer.max() < customers


def test_the_rates_are_met_and_the_gaps_are_poisson() -> None:
    arrivals = schedule(DAY, 3, 2000)
    for index, rate in enumerate(DAY.services.values()):
        at = arrivals.offset[arrivals.service == index]
        # 2000 s: one standard deviation is 0.4 to 0.5 % of the count
        assert abs(len(at) / (2000 * rate) - 1) < 0.02
        gaps = np.diff(at) / NS
        assert abs(gaps.std() / gaps.mean() - 1) < 0.03


def test_one_service_leaves_the_arrivals_of_the_other_alone() -> None:
    both, alone = schedule(DAY, 5, 30), schedule(replace(DAY, services={"orders": 25.0}), 5, 30)
    chosen = both.service == 0
    assert np.array_equal(both.offset[chosen], alone.offset)
    assert np.array_equal(both.customer[chosen], alone.customer)


def test_half_of_the_inquiries_follow_a_recent_order() -> None:
    profile = Profile("p", {"orders": 25.0, "inquiry": 35.0}, 10_000, Behaviour(follow=0.5, recent_s=10.0))
    arrivals = schedule(profile, 11, 300)
    orders, inquiries = arrivals.service == 0, arrivals.service == 1
    at, who = arrivals.offset[orders], arrivals.customer[orders, 0]
    followed = 0
    for offset, customer in zip(arrivals.offset[inquiries], arrivals.customer[inquiries, 0], strict=True):
        followed += customer in who[(at < offset) & (at >= offset - 10 * NS)]
    # 250 of 10,000 customers traded lately, so a uniform choice hits one in 2.5 % of cases
    assert 0.46 < followed / inquiries.sum() < 0.56


EVENING = PROFILES["evening-session"]


def test_a_share_of_all_services_comes_from_the_hot_customers() -> None:
    arrivals = schedule(EVENING, 3, 600)
    hot = (arrivals.customer >= 600) & (arrivals.customer < 700)
    for index in range(len(EVENING.services)):
        # 0.2 of the arrivals, and 100 of 1500 of the others; a second choice of theirs is hot, too
        share = hot[arrivals.service == index].mean(axis=0)
        assert np.all(abs(share - (0.2 + 0.8 / 15)) < 0.02)


def test_the_hot_share_leaves_the_instants_and_the_other_customers_alone() -> None:
    hot, plain = schedule(EVENING, 5, 30), schedule(replace(EVENING, hot=None), 5, 30)
    assert np.array_equal(hot.offset, plain.offset)
    rated = hot.service != list(EVENING.services).index("inquiry")  # who follow customers of orders
    cold = rated & ((hot.customer < 600) | (hot.customer >= 700)).all(axis=1)
    assert np.array_equal(hot.customer[cold], plain.customer[cold])


def test_only_those_who_may_come_do() -> None:
    borrowers = list(range(0, 1500, 3))
    arrivals = schedule(EVENING, 9, 60, {"repayment": borrowers})
    repaying = arrivals.service == list(EVENING.services).index("repayment")
    who = arrivals.customer[repaying]
    assert set(who.flatten().tolist()) <= set(borrowers)
    assert 0.15 < ((who >= 600) & (who < 700)).mean() < 0.35
    others = schedule(EVENING, 9, 60)
    assert np.array_equal(arrivals.customer[~repaying], others.customer[~repaying])


def test_where_nobody_may_come_from_the_hot_ones_others_do() -> None:
    arrivals = schedule(replace(EVENING, hot=Hot(600, 700, 1.0)), 9, 10, {"repayment": [1, 2, 3]})
    repaying = arrivals.service == list(EVENING.services).index("repayment")
    assert set(arrivals.customer[repaying].flatten().tolist()) == {1, 2, 3}
