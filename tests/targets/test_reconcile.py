from __future__ import annotations

from typing import Any

import pytest

from targets.brokerage.gateway.reconcile import Findings, Known, compare

NOW = 10_000_000_000
TRADE = ("E-1", "K-1", "C-0001", "7203", "buy", 100, 3_500)


def found(
    trades: list[tuple[Any, ...]] | None = None,
    posted: list[tuple[Any, ...]] | None = None,
    there: list[list[Any]] | None = None,
    here: dict[str, Known] | None = None,
    unsent: list[tuple[str, int]] | None = None,
) -> Findings:
    report = {
        "Trades": [list(each) for each in ([TRADE] if trades is None else trades)],
        "Orders": [["K-1", 100, "Filled"]] if there is None else there,
    }
    rows = {each[0]: each for each in ([TRADE] if posted is None else posted)}
    orders = {"K-1": Known("K-1", "filled", 100)} if here is None else here
    return compare(report, rows, orders, unsent or [], NOW)


def test_equal_books_are_clean() -> None:
    findings = found()
    assert findings.clean
    assert findings.trades_agree


def test_missing_extra_and_different_trades() -> None:
    assert (found(posted=[]).missing, found(posted=[]).missing_accounts) == (1, ["C-0001"])
    assert found(trades=[]).extra == 1
    changed = found(posted=[(*TRADE[:5], 200, 3_500)])
    assert (changed.different, changed.trades_agree, changed.clean) == (1, False, False)
    assert changed.examples == ["E-1 differs"]


def test_unknown_orders_are_counted_once_however_often_they_were_sent() -> None:
    here = {"K-1": Known("K-2", "unknown", 0), "K-2": Known("K-2", "unknown", 0)}
    findings = found(trades=[], posted=[], there=[], here=here)
    assert (findings.unknown_orders, findings.clean) == (1, False)


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ([["K-1", 0, "New"]], {}),
        ([["K-1", 0, "New"]], {"K-1": Known("K-1", "rejected", 0)}),
        ([["K-1", 0, "New"]], {"K-1": Known("K-1", "cancelled", 0)}),
        ([["K-1", 0, "Canceled"]], {"K-1": Known("K-1", "new", 0)}),
        ([["K-1", 0, "New"]], {"K-1": Known("K-2", "new", 0)}),
        ([], {"K-1": Known("K-1", "new", 0)}),
        ([], {"K-1": Known("K-1", "pending-cancel", 0)}),
    ],
)
def test_orders_that_stand_differently(there: list[list[Any]], here: dict[str, Known]) -> None:
    findings = found(trades=[], posted=[], there=there, here=here)
    assert (findings.different, findings.clean, findings.trades_agree) == (1, False, True)


@pytest.mark.parametrize("state", ["pending-new", "rejected", "cancelled"])
def test_orders_under_way_or_ended_need_not_be_at_the_exchange(state: str) -> None:
    assert found(trades=[], posted=[], there=[], here={"K-1": Known("K-1", state, 0)}).clean


def test_notices_that_wait_or_are_held_are_told_but_do_not_make_the_books_differ() -> None:
    findings = found(unsent=[("held", 1), ("pending", NOW - 1), ("pending", NOW - 2_000_000_000)])
    assert (findings.unsent_notices, findings.overdue_notices, findings.clean) == (2, 1, True)
