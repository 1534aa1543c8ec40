"""What several runs came to, for people: a board while they go on, a row a drill and the five numbers afterwards."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from drills.execution.events import AlertReceived, Forecast, Judged, Level, PhaseChanged, RunEvent, Sampled
from reports.board import Board
from reports.card import as_card
from reports.portfolio import print_portfolio
from reports.texts import Lang

from .cards import failed, invalid, passed

EVENTS: list[tuple[int, RunEvent]] = [
    (0, Forecast("one", "runbook", 7, 60.0)),
    (0, PhaseChanged(0, "watching", 20.0)),
    (1, Forecast("two", "runbook", 7, 60.0)),
    (0, AlertReceived(0, "LinkSilent", "firing", "page", "silent", None)),
    (0, Sampled(0, "watching", 19.0, 1, {"orders": Level(25.0, 0.4)}, (), (("declare", "ok"),), ())),
    (0, Judged("one/x", "fail", "unable", None)),
]


def board(*, terminal: bool, quiet: bool = False) -> str:
    into = io.StringIO()
    with Board(Console(file=into, force_terminal=terminal, width=100), ("one", "two"), quiet=quiet) as shown:
        for place, event in EVENTS:
            shown.of(place)(event)
    return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", into.getvalue())


def test_in_a_pipe_a_line_where_a_run_begins_and_ends() -> None:
    assert [line.split(" s  ", 1)[1] for line in board(terminal=False).splitlines()] == [
        "one: begun, at most 60 s",
        "two: begun, at most 60 s",
        "one: FAILED — unable",
    ]


def test_on_a_terminal_a_line_each_all_the_time() -> None:
    shown = board(terminal=True)
    assert re.search(r"▶ +one +watching +≤ \d+ s +orders 40% +LinkSilent +✓", shown)
    assert re.search(r"■ +one +FAILED — unable", shown)
    assert re.search(r"▶ +two +begun, at most 60 s", shown)


def test_quiet() -> None:
    assert board(terminal=True, quiet=True) == ""


def portfolio(lang: Lang = "en", catalogue: int | None = None, **changes: Any) -> list[str]:
    cards = [
        passed() | {"drill": "good", "run": "good/1"},
        failed() | {"drill": "bad", "run": "bad/1"},
        invalid() | {"drill": "void", "run": "void/1"},
        passed() | {"drill": "good", "run": "good/2"},
    ]
    into = io.StringIO()
    print_portfolio(Console(file=into, width=160), map(as_card, cards), catalogue, lang)
    return into.getvalue().splitlines()


def test_a_row_a_drill_the_worst_first() -> None:
    _, bad, void, good, *_ = portfolio()
    assert re.match(r"bad +[a-z ]+ +FAILED", bad)
    assert re.match(r"void +right runbook +CANNOT JUDGE", void)
    assert re.match(r"good +right runbook +PASSED — performed \(2×\)", good)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_five_numbers_are_a_line_each(lang: Lang) -> None:
    assert len(portfolio(lang)) == 4 + 5


def test_what_nobody_knows_is_a_dash() -> None:
    lines = portfolio(catalogue=9)
    assert lines[-1] == "drills that could be judged: 2 of 9"
    assert "orders lost –" in lines[-4]  # one of the runs could not judge
    assert re.match(r"void .* – +– +– +– ", lines[2])
