"""The governing condition: computed from load, settings and measurement."""

from __future__ import annotations

import pytest

from drills.cards import score
from drills.judge.governing import value
from drills.judge.scorecard import GoverningCell
from drills.record.history import Governing, Product
from drills.spec.drill import load_drill
from reports.words import governing
from targets.brokerage.config import ApiConfig, ExchangeConfig

from . import synthetic as made
from .synthetic import correct

KNOWN = {"a": 6.0, "b": 2.0, "c": 4.0, "none": None, "zero": 0.0}


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (Product([["a"]]), 6.0),
        (Product([["a", "b"], ["c"]]), 32.0),
        (Product([["a"], ["c"]], over=[["b"]]), 12.0),
        (Product([["a"]], over=[["b", "c"]]), 1.0),
        (Product([["a", "none"]]), None),
        (Product([["a"]], over=[["zero"]]), None),
        (Product([["a"]], over=[["none"]]), None),
        (Product([["no-such"]]), None),
    ],
)
def test_a_side_is_a_product_of_sums(side: Product, expected: float | None) -> None:
    assert value(side, KNOWN) == expected


def test_measured_quantities_come_from_the_run_and_the_others_from_the_plan() -> None:
    condition = Governing(
        id="x",
        words={
            "en": "{measured.service_s} s x {load.orders} = {left} {relation} {right}",
            "ja": "{left} {relation} {right}",
        },
        left=Product([["measured.service_s"], ["load.orders"]]),
        right=Product([["measured.no-such-metric"]]),
        known={"load.orders": 25.0},
    )
    card = score(made.replanned(correct(1), governing=condition).history(), None)
    cell = card.governing
    assert cell is not None
    lost = card.number("service_s")
    assert lost
    assert cell.numbers == {"measured.service_s": lost, "load.orders": 25.0, "measured.no-such-metric": None}
    assert (cell.left, cell.right) == (pytest.approx(lost * 25), None)
    assert governing(cell, "en") == f"{lost:.3g} s x 25 = {lost * 25:.3g} > –"
    assert governing(cell, "ja") == f"{lost * 25:.3g} > –"


@pytest.mark.parametrize("drill", ["night-batch-lock", "exchange-link-down"])
def test_the_catalogue_s_conditions_name_quantities_that_are_there(drill: str) -> None:
    condition = load_drill(drill).governing
    assert condition is not None
    assert all(number > 0 for number in condition.known.values())


def test_the_numbers_are_those_of_the_configuration() -> None:
    night, link = load_drill("night-batch-lock").governing, load_drill("exchange-link-down").governing
    assert night is not None
    assert link is not None
    assert night.known["api.pool"] == ApiConfig().pool
    assert link.known["exchange.resend_per_s"] == ExchangeConfig().resend_per_s
    assert value(night.left, dict(night.known)) == pytest.approx(36 * (0.2 + 0.8 / 15) * 2, abs=0.01)


def test_a_condition_that_the_run_did_not_meet_is_not_shown_as_met() -> None:
    words = {"en": "{left} {relation} {right}"}
    shown = [
        governing(GoverningCell(id="x", words=words, numbers={}, left=left, right=2.0), "en")
        for left in (3.0, 2.0, 1.0)
    ]
    assert shown == ["3 > 2", "2 ≤ 2", "1 ≤ 2"]
