"""Several runs from one command: a board while they go on, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from drills import api
from drills.commands.execution import complaints, error_of
from drills.execution.events import HOW
from drills.fleet.admission import MOST_BUSY, Admission, at_once, processors
from drills.fleet.fleet import Outcome, carry_out
from drills.interrupts import first_signal_tells
from drills.judge.scorecard import Scorecard
from drills.spec.drill import catalogue
from drills.spec.request import RunRequest
from reports.board import Board
from reports.portfolio import print_portfolio
from reports.texts import Lang, say


def carry_out_many(
    orders: Sequence[RunRequest],
    jobs: int,
    out: Console,
    lang: Lang,
    *,
    quiet: bool,
    retry_invalid: bool,
    every: bool,
) -> tuple[list[Scorecard], BaseException | None]:
    """Their cards in the order of the runs' ends, and what cut them short, if anything did.

    ``jobs``: how many at a time at most; ``every``: whether all drills of the catalogue are meant.
    """
    stop, admission = api.Stop(), Admission(jobs)
    several = len({each.seed for each in orders}) > 1
    called = [f"{each.drill.called} {each.arm}" + (f" seed {each.seed}" if several else "") for each in orders]
    if not quiet:
        most = sum(api.forecast(each) for each in orders) / 60
        out.print(say(lang, "many.forecast", runs=len(orders), minutes=f"{most:.0f}"))
    with (
        Board(out, called, lang, quiet=quiet) as board,
        first_signal_tells(lambda number: stop.request(HOW[number])),
    ):
        outcomes = carry_out(
            orders, admission, lambda place: (board.of(place), complaints), stop, retry_invalid=retry_invalid
        )
    cards = [card for each in outcomes for card in each.cards]
    if not quiet and cards:
        print_portfolio(out, cards, len(catalogue(variants=True)) if every else None, lang)
        if jobs > 1:
            out.print(_jobs(jobs, admission, lang))
    return cards, _cut(outcomes, stop)


def _cut(outcomes: Sequence[Outcome], stop: api.Stop) -> BaseException | None:
    cut = next((each.cut for each in outcomes if each.cut is not None), None)
    if cut is None and stop.asked is not None:
        cut = api.Cut(stop.asked)
    return None if cut is None else error_of(cut)


def _jobs(jobs: int, admission: Admission, lang: Lang) -> str:
    """How many went on at a time, and why not as many as were asked for."""
    if admission.share is None:
        return say(lang, "jobs.unknown", jobs=jobs)
    room = at_once(admission.share, jobs)
    facts = {"share": f"{admission.share:.0%}", "processors": processors(), "most": f"{MOST_BUSY:.0%}"}
    return say(lang, "jobs.one" if room == 1 else "jobs.some", jobs=jobs, room=room, **facts)
