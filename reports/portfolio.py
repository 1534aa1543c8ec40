"""What several runs came to: a row a drill, the worst first, and the five numbers that sum them up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from drills.judge.repeats import Repeated, repeated
from drills.judge.scorecard import Scorecard
from reports.card import judges
from reports.cells import print_table
from reports.compare import worst_first
from reports.figures import DASH, seconds, shown
from reports.summary import five_numbers
from reports.texts import Lang, known, say
from reports.words import LISTED, arm_name, metric_name

HEADS = ("drill", "arm", "verdict", "detect", "recover", "harm", "lost", "red")
SHOWN_RED = 3
"""How many failed checks a row names."""


def print_portfolio(out: Console, cards: Iterable[Scorecard], catalogue: int | None, lang: Lang = "en") -> None:
    """Print it. ``catalogue``: how many drills there are, None where not all of them were meant."""
    found = list(cards)
    table = Table(*(Column(say(lang, f"row.{head}")) for head in HEADS), box=None, pad_edge=False)
    for group in by_harm(found):
        table.add_row(*_row(group, [card for card in found if card.run in group.runs], lang))
    print_table(out, table)
    for line in numbers(five_numbers(found), catalogue, lang):
        out.print(line, soft_wrap=True)


def by_harm(cards: Iterable[Scorecard]) -> list[Repeated]:
    """The runs of each drill together, the drill with the worst run first."""
    found = list(cards)
    place = {card.run: place for place, card in enumerate(worst_first(found))}
    return sorted(repeated(found), key=lambda group: min(place[run] for run in group.runs))


def numbers(five: Mapping[str, Any], catalogue: int | None, lang: Lang) -> Iterator[str]:
    """The five numbers, a line each. What nobody knows is a dash."""
    met, harm, seen = five["objectives"], five["harm"], five["detection"]
    yield say(lang, "five.objectives", met=met["met"], of=met["of"])
    others = harm["others"]
    known_harm = {name: _count(value) for name, value in harm.items() if name != "others"}
    further = [f"{metric_name(lang, metric)} {_count(value)}" for metric, value in others.items()]
    more = say(lang, "five.harm.others", harm=LISTED[lang].join(further)) if further else ""
    yield say(lang, "five.harm", **known_harm) + more
    yield say(
        lang,
        "five.detection",
        seen=seen["by_alert"],
        of=seen["of"],
        worst=seconds(seen["worst_s"]),
        false=DASH if seen["false_pages_per_hour"] is None else f"{seen['false_pages_per_hour']:g}",
    )
    yield say(lang, "five.effect")
    run, of = five["drills"]["run"], catalogue
    yield say(lang, "five.drills", run=run) if of is None else say(lang, "five.drills.of", run=run, of=of)


def _row(group: Repeated, cards: list[Scorecard], lang: Lang) -> Iterator[str]:
    judged = [card for card in cards if judges(card)]
    yield f"{group.drill}.{group.variant}" if group.variant else group.drill
    yield arm_name(lang, group.arm)
    yield _verdict(group, lang)
    yield _worst(judged, "detect", lang)
    yield _worst(judged, "recover", lang)
    yield _sum(judged, "harmful_actions")
    yield seconds(max((card.number("service_s") or 0 for card in judged), default=None))
    more = len(group.red) - SHOWN_RED
    yield LISTED[lang].join([*group.red[:SHOWN_RED], *([f"+{more}"] if more > 0 else [])]) or _missed(group, lang)


def _verdict(group: Repeated, lang: Lang) -> str:
    said = known(lang, f"verdict.{group.verdict}", say(lang, "board.cannot-judge"))
    grade = "" if group.grade is None else f" — {known(lang, f'grade.{group.grade}', group.grade)}"
    times = "" if len(group.runs) == 1 else f" ({len(group.runs)}×)"
    return f"{said}{grade}{times}"


def _missed(group: Repeated, lang: Lang) -> str:
    missed = [
        each.id if len(group.runs) == 1 else f"{each.id} {each.failed}/{each.of}"
        for each in group.objectives
        if each.failed
    ]
    return LISTED[lang].join(missed) or DASH


def _worst(cards: list[Scorecard], metric: str, lang: Lang) -> str:
    """The slowest of the runs; a dash where it did not happen in one of them."""
    spans = [card.span(metric) for card in cards]
    known_ = [each for each in spans if each is not None]
    return DASH if len(known_) < len(spans) or not known_ else shown(max(known_, key=lambda each: each[1]), "s", lang)


def _sum(cards: list[Scorecard], metric: str) -> str:
    values = [card.number(metric) for card in cards]
    found = [each for each in values if each is not None]
    return DASH if not found or len(found) < len(values) else _count(sum(found))


def _count(value: float | None) -> str:
    return DASH if value is None else f"{value:,.0f}"
