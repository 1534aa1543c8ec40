"""What the oracle lets a customer be shown, instant by instant."""

from __future__ import annotations

import msgspec
import pytest

from drills.domains.figures import oracle
from drills.domains.figures.rows import Acted, Shown
from drills.domains.orders.rows import ExchangeExecution
from drills.record.history import NS, History

from . import synthetic as made
from .synthetic import at, correct

OPENING = 10_000_000
BUYS = (8.0, 9.0, 9.1)  # each for 1,000 yen


def history(*shown: Shown) -> History:
    draft = correct(1)
    terms = {"account": "C-0001", "order": "x", "code": "7203", "quantity": 1, "price": 1000}
    draft.exchange = [
        ExchangeExecution(t_ns=at(t), id=f"e-{t}", side="buy", **terms)  # type: ignore[arg-type]
        for t in BUYS
    ]
    draft.customers = list(shown)
    return draft.history()


@pytest.mark.parametrize(
    ("t", "buys", "wrong"),
    [
        (7.9, 0, False),
        (7.9, 1, True),  # of the future
        (8.1, 0, False),  # within the grace of 1.5 s
        (8.1, 1, False),
        (9.6, 0, True),  # sent at 9.601: the first is older than the grace
        (9.6, 1, False),
        (9.6, 2, False),
        (9.6, 3, False),
        (9.6, 4, True),
        (10.55, 2, False),  # the third, of 9.1, is within the grace; the second, of 9.0, is not
        (10.55, 1, True),
        (12.0, 3, False),
        (12.0, 2, True),
    ],
)
def test_figure_is_right_with_a_prefix_of_the_executions(t: float, buys: int, wrong: bool) -> None:
    (figure,) = oracle.figures(history(made.shown("1", "C-0001", t, OPENING - 1000 * buys)))
    assert (figure.wrong, figure.undecidable) == (wrong, False)


def test_of_a_figure_that_the_oracle_does_not_know_nobody_can_tell() -> None:
    other = msgspec.structs.replace(made.shown("1", "C-0001", 9.2, OPENING - 500), figure="points")
    (figure,) = oracle.figures(history(other))
    assert (figure.wrong, figure.undecidable) == (False, True)


def test_figure_must_hold_a_prefix_and_not_any_subset() -> None:
    draft_figure = made.shown("1", "C-0001", 9.2, OPENING - 500)
    assert oracle.figures(history(draft_figure))[0].wrong


def test_serve_window_may_span_an_execution() -> None:
    slow = Shown(
        t_ns=at(12), id="1", account="C-0001", figure="cash", yen=OPENING, current=True, as_of="",
        sent_ns=at(7.5), received_ns=at(12),
    )  # fmt: skip
    assert not oracle.figures(history(slow))[0].wrong


def test_sales_add_and_buys_take() -> None:
    draft = correct(1)
    row = next(row for row in draft.exchange if isinstance(row, ExchangeExecution))
    assert oracle.effect(row) == row.quantity * row.price * (1 if row.side == "sell" else -1)


def test_stamp_out_of_order_does_not_break_the_search() -> None:
    sums = oracle.Sums.of([(5 * NS, 1), (4 * NS, 1), (9 * NS, 1)])
    assert list(sums.between(5 * NS, 8 * NS)) == [2]


def test_action_on_a_wrong_figure_is_known_by_the_figure_it_relied_on() -> None:
    rows = [made.shown("1", "C-0001", 12, OPENING), made.shown("2", "C-0001", 12.1, OPENING - 3000)]
    past = history(*rows)
    acted = [Acted(t_ns=at(12.2), id=f"a{n}", account="C-0001", shown=n, yen=1, what="order") for n in ("1", "2")]
    past = History(past.run, past.events, past.samples, {**past.books, "customers": (*rows, *acted)})
    assert [act.wrong for act in oracle.reliances(past)] == [True, False]
