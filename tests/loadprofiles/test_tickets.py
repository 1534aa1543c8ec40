from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from loadprofiles import Behaviour
from loadprofiles.tickets import LOT, Instrument, Means, read_world, write_purchase, write_repayment, write_ticket

HABITS = Behaviour()
MARKET = [Instrument("1301", 1000, 5, 990, 1300), Instrument("7203", 2503, 1, 2500, 2600)]


@given(st.integers(), st.integers(0, 3_000_000), st.integers(0, 500))
def test_orders_keep_to_the_market_and_to_what_is_held(seed: int, cash: int, shares: int) -> None:
    rng, means = random.Random(seed), Means(cash, {"1301": shares})
    for _ in range(10):
        ticket = write_ticket(rng, means, MARKET, HABITS)
        instrument = next(each for each in MARKET if each.code == ticket.code)
        assert ticket.quantity in (100, 200, 300)
        assert ticket.price % instrument.tick == 0
        assert instrument.low <= ticket.price <= instrument.high
        means.commit(ticket)
        assert means.shares["1301"] >= 0


@given(st.integers(), st.integers(-1000, 2_000_000))
def test_a_purchase_stays_within_what_was_shown(seed: int, yen: int) -> None:
    ticket = write_purchase(random.Random(seed), yen, MARKET, HABITS)
    if ticket is not None:
        assert 0 < ticket.yen <= yen
    elif yen >= 2600 * LOT:
        raise AssertionError("one lot of anything could have been paid")


def test_somebody_without_means_tries_all_the_same() -> None:
    ticket = write_ticket(random.Random(1), Means(0), MARKET, HABITS)
    assert (ticket.side, ticket.quantity) == ("buy", LOT)


def test_the_world_is_read_and_rows_of_other_kinds_are_passed_over() -> None:
    world = read_world(
        [
            {"kind": "account", "id": "C-0002", "t_ns": 0, "cash": 5},
            {"kind": "account", "id": "C-0001", "t_ns": 0, "cash": 7},
            {"kind": "holding", "id": "C-0001/1301", "t_ns": 0, "code": "1301", "quantity": 300},
            {"kind": "loan", "id": "C-0002", "t_ns": 0, "principal": 9},
            {"kind": "lot", "id": "L-000001", "t_ns": 0, "account": "C-0001", "code": "1301", "quantity": 100},
            {"kind": "price", "id": "1301", "t_ns": 0, "base": 1000, "tick": 5, "low": 700, "high": 1300},
            {"kind": "calendar", "id": "2026-11-20", "t_ns": 0, "opens_at": "09:00", "compression": 60},
        ]
    )
    assert world.accounts == ["C-0001", "C-0002"]
    assert world.means["C-0001"] == Means(7, {"1301": 300})
    assert world.means["C-0002"] == Means(5, loan=9)
    assert world.instruments == [Instrument("1301", 1000, 5, 700, 1300)]


@given(st.integers(), st.integers(-1_000_000, 20_000_000), st.integers(0, 5_000_000))
def test_a_repayment_is_a_share_of_what_was_shown_and_never_more_than_the_loan(seed: int, cash: int, loan: int) -> None:
    yen = write_repayment(random.Random(seed), cash, loan, HABITS)
    assert yen % 1_000 == 0
    assert 0 <= yen <= min(loan, max(0, cash) * HABITS.repay_share[1])
    if loan >= 1_000 and cash >= 20_000:
        assert yen
