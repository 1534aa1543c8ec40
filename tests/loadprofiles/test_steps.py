"""A load that is stepped up: who comes in addition, for how long, and that nobody else comes otherwise for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from load_fake import FakeBrokerage
from load_rig import SMALL, make_load, run, wait_for

from loadprofiles.arrivals import NS, additional, schedule
from loadprofiles.commands import Stepped
from loadprofiles.process import Load
from loadprofiles.steps import Surge


def test_additional_customers_are_the_same_for_the_same_seed_and_none_of_the_schedule() -> None:
    usual = schedule(SMALL, 7, 10)
    more = additional(SMALL, 7, "orders", 100, 10, "step0")
    again = additional(SMALL, 7, "orders", 100, 20, "step0")
    assert np.array_equal(more.offset, again.offset[: len(more)])
    assert np.array_equal(more.customer, again.customer[: len(more)])
    assert 900 < len(more) < 1100
    assert not set(more.offset.tolist()) & set(usual.offset.tolist())
    assert set(more.service.tolist()) == {0}


def test_two_steps_of_one_run_and_two_seeds_differ() -> None:
    first = additional(SMALL, 7, "orders", 100, 5, "step0")
    assert not np.array_equal(first.offset[:50], additional(SMALL, 7, "orders", 100, 5, "step1").offset[:50])
    assert not np.array_equal(first.offset[:50], additional(SMALL, 8, "orders", 100, 5, "step0").offset[:50])


def test_only_those_come_who_may() -> None:
    assert set(additional(SMALL, 7, "orders", 100, 5, "s", only=[3, 9]).customer.flatten().tolist()) <= {3, 9}


def test_how_far_it_has_come() -> None:
    surge = Surge(additional(SMALL, 7, "orders", 100, 5, "step0"), began=1_000)
    assert surge.seen(1_000) == Stepped(0, 0, 0, 1_000, 0, over=False)
    surge.count(admitted=False, now=2_000)
    surge.count(admitted=True, now=3_000)
    surge.count(admitted=True, now=4_000)
    seen = surge.seen(1_000 + 5 * NS)
    assert (seen.due, seen.came, seen.dropped, seen.first) == (len(surge.arrivals), 2, 1, 3_000)


def test_a_step_lets_more_customers_in_and_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    seen: list[Stepped] = []

    def stepped_up(load: Load) -> None:
        load.step("step0", "orders", 60.0, 1.0)
        wait_for(lambda: load.stepped("step0").first)
        wait_for(lambda: load.stepped("step0").over)
        seen.append(load.stepped("step0"))

    with FakeBrokerage() as fake:
        ran = run(tmp_path, fake, arrivals=200, meanwhile=stepped_up)
    more = additional(SMALL, 7, "orders", 60.0, 1.0, "step0")
    assert seen[0].came == seen[0].due == len(more)
    names = {row.key for row in ran.rows if row.key}
    assert {f"7-step0-{n}" for n in range(1, len(more) + 1)} <= names
    came = set((ran.samples["intended"] - ran.t0).tolist())
    assert len(came & set(schedule(SMALL, 7, 30).offset.tolist())) == len(ran.samples) - len(more)


def test_a_step_ends_when_it_is_told_to_and_one_that_nobody_knows_is_over(tmp_path: Path) -> None:
    def stepped_up(load: Load) -> None:
        load.step("step0", "orders", 50.0, 20.0)
        wait_for(lambda: load.stepped("step0").first)
        assert load.stepped("step0", end=True).over
        assert load.stepped("other") == Stepped()
        load.step("odd", "repayment", 50.0, 20.0)
        assert load.stepped("odd").over

    with FakeBrokerage() as fake:
        ran = run(tmp_path, fake, arrivals=60, meanwhile=stepped_up)
    assert len([row for row in ran.rows if row.key.startswith("7-step0-")]) < 400


def test_the_usual_rate_is_known_without_asking(tmp_path: Path) -> None:
    load = make_load(tmp_path)
    assert load.rate("orders") == 40.0
    assert load.rate("repayment") is None
