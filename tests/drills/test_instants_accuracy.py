"""Outages of known start and end: the interval holds the truth, is narrow, and the length is right to the millisecond.

Two hundred outages of each kind from fixed seeds: a rate of covering is no property of a single example.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills.judge import outage
from drills.judge.blackout import Blackout, blackouts
from drills.judge.interval import Interval
from drills.record.history import NS

from .outages import MS, Kind, Play, play

KINDS: tuple[Kind, ...] = ("refused", "stall", "timeout")
MANY = 30 if settings.get_current_profile_name() == "mutation" else 200


@cache
def plays(kind: Kind, rate: float, poisson: bool, many: int = MANY) -> list[Play]:
    lengths = np.random.default_rng(7).uniform(1.2, 5, many)
    return [play(seed, kind, rate, float(length), poisson) for seed, length in enumerate(lengths)]


def black(one: Play) -> Blackout:
    (found,) = blackouts(one.service)
    assert found.end is not None
    return found


def impact(one: Play) -> Interval:
    hit = outage.impact([one.service], 0)
    assert hit is not None
    return hit.widened(lateness(one))


def back(one: Play) -> Interval:
    at = outage.return_of([one.service], 0).at
    assert at is not None
    return at.widened(lateness(one))


def lateness(one: Play) -> int:
    late = np.sort(one.service.sent - one.service.intended)
    return int(late[-(-99 * len(late) // 100) - 1])


def covers(found: list[Interval], truth: list[int]) -> float:
    return sum(a.earliest <= t <= a.latest for a, t in zip(found, truth, strict=True)) / len(truth)


def median_width(found: list[Interval]) -> float:
    return float(np.median([a.latest - a.earliest for a in found]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rate", "poisson"), [(500.0, False), (500.0, True), (100.0, True)])
def test_instants_and_length_of_a_total_outage_hold_the_truth(kind: Kind, rate: float, poisson: bool) -> None:
    all_ = plays(kind, rate, poisson)
    found = [black(one) for one in all_]
    ends = [one.end for one in found if one.end is not None]
    spans = [end.since(one.start) for end, one in zip(ends, found, strict=True)]
    narrow = max(10 * MS, 5 * NS / rate)
    for intervals, truth in (
        ([one.start for one in found], [one.start for one in all_]),
        (ends, [one.end for one in all_]),
        (spans, [one.end - one.start for one in all_]),
    ):
        assert covers(intervals, truth) >= 0.99
        assert median_width(intervals) <= (narrow if intervals is not spans else 2 * narrow)


@pytest.mark.parametrize("kind", ["refused", "stall"])
@pytest.mark.parametrize(
    ("rate", "poisson", "spacings"), [(500.0, False, 2.5), (100.0, False, 1.5), (500.0, True, 4), (100.0, True, 4)]
)
def test_length_of_a_total_outage_is_right(kind: Kind, rate: float, poisson: bool, spacings: float) -> None:
    """5 ms at 500 constant arrivals a second, 1.5 spacings in general, 4 where they come by chance."""
    off = [abs((black(one).length or 0) - (one.end - one.start)) for one in plays(kind, rate, poisson)]
    assert float(np.percentile(off, 95)) <= spacings * NS / rate


@pytest.mark.parametrize("rate", [500.0, 60.0])
def test_refusals_start_and_end_within_what_the_samples_say(rate: float) -> None:
    all_ = plays("refused", rate, True)
    assert covers([impact(one) for one in all_], [one.start for one in all_]) >= 0.99
    assert covers([back(one) for one in all_], [one.end for one in all_]) >= 0.99
    narrow = max(10 * MS, 5 * NS / rate)
    assert median_width([impact(one) for one in all_]) <= narrow
    assert median_width([back(one) for one in all_]) <= narrow


@pytest.mark.parametrize("kind", KINDS)
def test_restoration_holds_the_end_of_every_kind_of_outage(kind: Kind) -> None:
    """A stall can only be placed to within tau by what was good and bad; still its end is inside."""
    all_ = plays(kind, 60.0, True)
    assert covers([back(one) for one in all_], [one.end for one in all_]) >= 0.99
    assert covers([back(one).since(impact(one)) for one in all_], [one.end - one.start for one in all_]) >= 0.99


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS), length=st.floats(1.2, 3), poisson=st.booleans())
def test_every_single_outage_is_found_once(seed: int, kind: Kind, length: float, poisson: bool) -> None:
    one = play(seed, kind, 100.0, length, poisson, before=2, after=2)
    found = black(one)
    assert found.length is not None
    assert abs(found.length - (one.end - one.start)) < 0.15 * NS  # one gap between arrivals may be long, by chance
    assert 0 < found.lost <= found.requests


# -- what is no blackout, and what has no end ------------------------------------------------------------------------


def even(
    bad: Callable[[int], bool], slow: Callable[[int], int] = lambda _: 0, count: int = 1000
) -> outage.ServiceSamples:
    """Arrivals every 10 ms, answered after 5 ms."""
    n = np.arange(count, dtype=np.int64)
    intended = n * 10 * MS
    mask = np.array([bad(k) for k in range(count)])
    done = intended + 5 * MS + np.array([slow(k) for k in range(count)], np.int64)
    none = np.zeros(count, np.bool_)
    return outage.ServiceSamples("x", 100.0, intended, intended, done, mask, none, none)


def test_known_blackout_in_every_field() -> None:
    """Refused from 3.00 to 3.49 s: the last good answer at 2.995, the first at 3.505."""
    (found,) = blackouts(even(lambda n: 300 <= n < 350))
    assert found == Blackout(
        start=Interval(2_990 * MS, 3_010 * MS),
        end=Interval(3_490 * MS, 3_505 * MS),
        length=500 * MS,
        requests=51,  # with the first that was served again
        lost=50,
    )


def test_end_of_a_stall_is_shown_by_the_requests_it_held_up() -> None:
    """Nothing is answered from 3.0 to 4.5 s; what came in the last second of it is late, and good."""
    service = even(lambda n: 300 <= n < 350, lambda n: (450 - n) * 10 * MS if 300 <= n < 450 else 0)
    (found,) = blackouts(service)
    assert found.end == Interval(4_490 * MS, 4_505 * MS)
    assert found.length == 1_500 * MS
    assert (found.requests, found.lost) == (151, 50)


@pytest.mark.parametrize(("count", "found"), [(8, 0), (9, 1), (10, 1)])
def test_fewer_than_ten_requests_are_a_slow_moment(count: int, found: int) -> None:
    assert len(blackouts(even(lambda n: 300 <= n < 300 + count))) == found  # and one that was answered well again


def test_lone_bad_request_is_no_blackout_however_few_came() -> None:
    assert blackouts(even(lambda n: n == 300), least=1) == []
    assert len(blackouts(even(lambda n: n in (300, 301)), least=1)) == 1


def test_partial_outage_has_no_blackout() -> None:
    assert blackouts(even(lambda n: 300 <= n < 600 and n % 5 != 0)) == []


def test_two_outages_are_two() -> None:
    found = blackouts(even(lambda n: 300 <= n < 350 or 600 <= n < 620))
    assert [one.length for one in found] == [500 * MS, 200 * MS]
    assert [one.start for one in found] == [Interval(2_990 * MS, 3_010 * MS), Interval(5_990 * MS, 6_010 * MS)]


def test_outage_to_the_last_request_has_no_end() -> None:
    (found,) = blackouts(even(lambda n: n >= 900))
    assert (found.end, found.length, found.requests, found.lost) == (None, None, 100, 100)
    assert found.start == Interval(8_990 * MS, 9_010 * MS)


def test_outage_from_the_first_request_has_no_start() -> None:
    assert blackouts(even(lambda n: n < 100)) == []
    assert blackouts(even(lambda _: True)) == []


def test_service_that_is_well_has_no_blackout() -> None:
    assert blackouts(even(lambda _: False)) == []


def test_answer_that_comes_when_the_first_lost_one_is_due_is_before_it() -> None:
    """Answers take just as long as the next arrival: the outage begins with the one that was due at that instant."""
    (found,) = blackouts(even(lambda n: 300 <= n < 350, lambda _: 5 * MS))
    assert (found.requests, found.lost, found.length) == (51, 50, 500 * MS)
    assert found.start == Interval(2_990 * MS, 3_020 * MS)


def test_outage_after_a_single_good_answer() -> None:
    (found,) = blackouts(even(lambda n: 0 < n < 50))
    assert (found.start, found.lost) == (Interval(0, 20 * MS), 49)


def test_what_an_answer_may_take_is_twice_its_99th_percentile() -> None:
    """Of a hundred answers the two slowest take 30 and 40 ms: by nearest rank it is 30, and twice that is 60."""
    (found,) = blackouts(even(lambda n: 100 <= n < 150, lambda n: {50: 35 * MS, 60: 25 * MS}.get(n, 0)))
    assert found.start == Interval(990 * MS, 1_060 * MS)


def test_service_of_which_no_rate_is_known_loses_no_spacing() -> None:
    service = dataclasses.replace(even(lambda n: 300 <= n < 350), rate=0.0)
    assert blackouts(service)[0].length == 510 * MS
