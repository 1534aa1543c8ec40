"""Cards side by side: first what each run came to, in a sentence, the worst first; then the numbers in columns.

Worst is what hurt customers most, not what was down longest: a service that is back early and wrong does more harm
than one that stays closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from drills.domains.registry import DOMAINS
from drills.judge.metric import Metric, Window
from drills.judge.scorecard import Scorecard
from drills.record.arm import NOTHING_BROKEN
from drills.record.unsupported import ALERTS, BOOKS
from reports.blocks import MARKS, RED
from reports.card import as_card, called, judges, was_watched
from reports.cells import fold, pad
from reports.figures import DASH, amount, seconds, shown, span
from reports.replay import USUAL_REACTION_S
from reports.summary import further_harms
from reports.texts import Lang, known, say
from reports.unjudged import cause
from reports.words import arm_name, metric_name

NARROWEST_COLUMN = 20
RANK = {"fail": 0, "invalid": 1, "unknown": 1, "pass": 2}


def comparison(documents: Iterable[object], lang: Lang = "en") -> dict[str, Any]:
    """``kunren.comparison/1``: a sentence a run, the worst first, and the cards in the same order."""
    cards = worst_first(map(as_card, documents))
    labels = _labels(cards, lang)
    said = [
        {
            "run": card.run,
            "drill": called(card),
            "label": label,
            "arm": card.arm,
            "seed": card.seed,
            "verdict": card.verdict,
        }
        | {"grade": card.grade, "says": sentence(card, lang)}
        for card, label in zip(cards, labels, strict=True)
    ]
    return {"schema": "kunren.comparison/1", "worst_first": said, "cards": cards}


def render_comparison(documents: Iterable[object], *, lang: Lang = "en", width: int = 100) -> Text:
    """The same for people; no line is wider than ``width`` cells."""
    cards = worst_first(map(as_card, documents))
    lines = [*_heading(cards, width, lang), Text()]
    labels = _labels(cards, lang)
    lines += _sentences(cards, labels, width, lang)
    side = max(cell_len(row.label) for row in rows(lang)) + 2
    at_once = max(1, (width - side) // NARROWEST_COLUMN)
    for first in range(0, len(cards), at_once):
        lines.append(Text())
        part = slice(first, first + at_once)
        lines += _columns(cards[part], labels[part], cards, side, width, lang)
    return Text("\n").join(lines)


def worst_first(cards: Iterable[Scorecard]) -> list[Scorecard]:
    """Failed before unjudged before passed; then by harm to customers, by not having recovered, by lost service."""
    return sorted(cards, key=_badness)


def sentence(card: Scorecard, lang: Lang) -> str:
    """What a run came to, without its name: ``services back in 8 s, customers acted on wrong figures 132 times: …``."""
    if not judges(card):
        return say(lang, "cannot-judge", why=cause(as_card(card), lang))
    verdict = known(lang, f"verdict.{card.verdict}", card.verdict)
    parts = list(_control(card, lang) if card.arm in NOTHING_BROKEN else _story(card, lang))
    if card.verdict == "fail" and not _harm(card) and card.span("recover") is not None and _red(card):
        parts.append(say(lang, "compare.said.red", name=_red(card)[0]))
    return say(lang, "compare.sentence", says=say(lang, "compare.and").join(parts), verdict=verdict)


def _badness(card: Scorecard) -> tuple[int, float, bool, float, str]:
    recovered = card.span("recover") is not None or card.arm in NOTHING_BROKEN
    return RANK.get(card.verdict, 1), -_harm(card), recovered, -(card.number("service_s") or 0), card.run


def _harm(card: Scorecard) -> float:
    """Harms to customers that are known and can be counted."""
    return sum(card.number(name) or 0 for name in ("harmful_actions", "phantom_orders", "acknowledged_orders_lost"))


def _control(card: Scorecard, lang: Lang) -> Iterator[str]:
    yield say(lang, "compare.nothing-injected")
    if ALERTS in (card.unsupported or []):
        return
    real = [alert for alert in card.alerts if not alert.synthetic]
    if real:
        yield say(lang, "compare.pages", n=len(real))
    else:
        yield say(lang, "compare.no-page" if was_watched(card) else "compare.no-page.unknown")


def _story(card: Scorecard, lang: Lang) -> Iterator[str]:
    if card.prevented:
        yield say(lang, "compare.prevented")
    else:
        yield _services(card, lang)
    if BOOKS not in (card.unsupported or []):
        yield _acted(card, lang)
    for name, metric in (("lost", "acknowledged_orders_lost"), ("duplicated", "duplicated")):
        if count := card.number(metric):
            yield say(lang, f"compare.said.{name}", n=f"{count:,}")
    for kind in _missed_harms(card):
        yield f"{metric_name(lang, kind.id)} {card.number(kind.id):,.0f}"
    if card.span("available") is not None and not card.prevented:
        recover = card.span("recover")
        yield (
            say(lang, "compare.never-recovered")
            if recover is None
            else say(lang, "compare.recovered", seconds=seconds(max(0.0, recover[1])))
        )


def _missed_harms(card: Scorecard) -> list[Metric]:
    """Further kinds of harm that a limit or a check was there for, and that were done all the same."""
    red = set(_red(card))
    return [
        metric for metric, harm in further_harms() if red & {metric.id, *harm.limited_by} and card.number(metric.id)
    ]


def _services(card: Scorecard, lang: Lang) -> str:
    available = card.span("available")
    if available is None:
        return say(lang, "compare.never-back", seconds=seconds(card.number("service_s")))
    if available[1] <= 0:
        return say(lang, "compare.stayed")
    return say(lang, "compare.back", seconds=seconds(available[1]))


def _acted(card: Scorecard, lang: Lang) -> str:
    acted = card.number("wrong_figures_acted_on")
    if not acted:
        return say(lang, "compare.said.acted.unknown" if acted is None else "compare.said.acted.none")
    after = card.number("wrong_figures_acted_on", Window.AFTER_FIRST_STEP)
    early = say(lang, "compare.said.acted.early") if after == 0 and card.runbook is not None else ""
    return say(lang, "compare.said.acted.once" if acted == 1 else "compare.said.acted", n=f"{acted:,}") + early


def _heading(cards: Sequence[Scorecard], width: int, lang: Lang) -> Iterator[Text]:
    for name in dict.fromkeys(map(called, cards)):
        titles = next(card.title for card in cards if called(card) == name)
        left = Text(name, "bold")
        left.append("  " + (titles.get(lang) or ""), "not bold")
        left.rstrip()
        yield left
    seeds = list(dict.fromkeys(card.seed for card in cards))
    if len(seeds) == 1:
        alike = "same-seed" if len(set(map(called, cards))) == 1 else "drills-differ"
        yield from map(Text, fold(say(lang, f"compare.{alike}", seed=seeds[0]), width))
    else:
        yield from map(Text, fold(say(lang, "compare.seeds-differ", seeds=", ".join(map(str, seeds))), width))
    if len({(card.operator.kind, card.operator.pace) for card in cards if card.operator.kind != "none"}) > 1:
        yield from map(Text, fold(say(lang, "compare.operators-differ"), width))
    if len({(called(card), card.drill_sha256) for card in cards}) > len({called(card) for card in cards}):
        yield from map(Text, fold(say(lang, "compare.drill-changed"), width))


def _sentences(cards: Sequence[Scorecard], labels: Sequence[str], width: int, lang: Lang) -> Iterator[Text]:
    between = say(lang, "compare.colon")
    for card, label in zip(cards, labels, strict=True):
        words = f"{MARKS.get(card.verdict, '?')} {called(card)} · {label}{between}{sentence(card, lang)}"
        for number, row in enumerate(fold(words, width - 2)):
            line = Text(("  " if number else "") + row)
            if card.verdict == "fail":
                line.stylize(RED)
            yield line


def _labels(cards: Sequence[Scorecard], lang: Lang) -> list[str]:
    """Arms in words; where two runs of a drill would be called the same, with seed or start to tell them apart."""
    plain = [_label(card, lang) for card in cards]
    more = [f"{label} · {say(lang, 'seed', seed=card.seed)}" for label, card in zip(plain, cards, strict=True)]
    alike = _alike(cards, plain)
    chosen = [more[i] if alike[i] and _seeds_differ(cards) else plain[i] for i in range(len(cards))]
    at = [f"{label} · {card.started[11:19]}" for label, card in zip(chosen, cards, strict=True)]
    alike = _alike(cards, chosen)
    return [at[i] if alike[i] else chosen[i] for i in range(len(cards))]


def _alike(cards: Sequence[Scorecard], labels: Sequence[str]) -> list[bool]:
    """Which of them share drill and label with another."""
    whole = [(called(card), label) for card, label in zip(cards, labels, strict=True)]
    return [whole.count(one) > 1 for one in whole]


def _seeds_differ(cards: Sequence[Scorecard]) -> bool:
    return len({card.seed for card in cards}) > 1


def _label(card: Scorecard, lang: Lang) -> str:
    label = arm_name(lang, card.arm)
    reaction = card.operator.reaction_s if card.operator.opened else None
    if reaction in (None, USUAL_REACTION_S) or card.operator.kind != "robot":
        return label
    return label + say(lang, "compare.reaction", seconds=amount(reaction, "s"))


def _columns(
    cards: Sequence[Scorecard], labels: Sequence[str], all_cards: Sequence[Scorecard], side: int, width: int, lang: Lang
) -> Iterator[Text]:
    """One column a run, of equal width; a row that says nothing for any run is left out."""
    column = (width - side) // len(cards)
    named = [(called(card), label) for card, label in zip(cards, labels, strict=True)]
    heads = [[row for words in both for row in fold(words, column - 2)] for both in named]
    yield from _beside("", heads, side, column, "bold")
    for row in rows(lang):
        if row.always or any(row.cell(card, lang) not in NOTHING for card in all_cards):
            yield from _row(row.label, [row.cell(card, lang) for card in cards], side, column)
    yield from _caught(cards, side, column, lang)


def _caught(cards: Sequence[Scorecard], side: int, column: int, lang: Lang) -> Iterator[Text]:
    """The checks and objectives that were red, one below the other."""
    red = [[row for name in _red(card) for row in fold(name, column - 2)] for card in cards]
    yield from _beside(say(lang, "compare.caught-by"), red, side, column, RED)


def _row(label: str, cells: Sequence[str], side: int, column: int) -> Iterator[Text]:
    yield from _beside(label, [fold(cell, column - 2) for cell in cells], side, column, "")


def _beside(label: str, columns: Sequence[Sequence[str]], side: int, column: int, style: str) -> Iterator[Text]:
    """Columns of unequal length beside each other, the label before their first line."""
    for number in range(max(map(len, columns))):
        cells = [lines[number] if number < len(lines) else "" for lines in columns]
        yield _line(label if number == 0 else "", cells, side, column, style)


def _red(card: Scorecard) -> list[str]:
    found = [check.id for check in card.checks if check.verdict == "fail"]
    found += [objective.metric for objective in card.objectives if objective.verdict == "fail"]
    return list(dict.fromkeys(found))


def _line(label: str, cells: Sequence[str], side: int, column: int, style: str) -> Text:
    text = Text(pad(label, side))
    for cell in cells:
        text.append(pad(cell, column), style)
    text.rstrip()
    return text


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the columns: what it is called, and its cell; ``always``: even where it tells nothing of any run."""

    label: str
    cell: Callable[[Scorecard, Lang], str]
    always: bool = False


def rows(lang: Lang) -> Iterator[Row]:
    """Each metric, with its part after the alert in brackets; below it its parts in other windows; then the grade."""
    for metric in (each for each in DOMAINS.metrics.values() if not each.detail):
        name = metric_name(lang, metric.id)
        after = Window.AFTER_ALERT in metric.windows
        label = say(lang, "compare.with-after-alert", name=name) if after else name
        yield Row(label, partial(_metric, metric), metric.always)
        for window in metric.windows:
            if window not in (Window.ALL, Window.AFTER_ALERT):
                part = say(lang, "compare.part", window=say(lang, f"window.{window}"))
                yield Row(part, partial(_window, metric, window))
    yield Row(say(lang, "compare.grade"), _grade)


def _metric(metric: Metric, card: Scorecard, lang: Lang) -> str:
    value = card.value(metric.id)
    if metric.id == "restore" and BOOKS in (card.unsupported or []):  # nobody has seen the figures
        return DASH
    if metric.id == "reconcile" and isinstance(value, tuple) and any(value):
        # books often agree before services are opened again; counted from the injection where these never went
        return span(value, lang, "services" if card.instants.t_restored else "fault")
    whole = shown(value, metric.unit, lang)
    after = card.value(metric.id, Window.AFTER_ALERT)
    return f"{whole} ({shown(after, metric.unit, lang)})" if value and after is not None else whole


def _window(metric: Metric, window: Window, card: Scorecard, lang: Lang) -> str:
    return shown(card.value(metric.id, window), metric.unit, lang)


def _grade(card: Scorecard, lang: Lang) -> str:
    return known(lang, f"grade.{card.grade}", card.grade) if card.grade else DASH


NOTHING: Mapping[str, None] = dict.fromkeys((DASH, "0", "0 s", "¥0", "0.0 s"))
"""Cells that tell nothing."""
