"""Cards side by side: first what each run came to, in a sentence, the worst first; then the numbers in columns.

Worst is what hurt customers most, not what was down longest: a service that is back early and wrong does more harm
than one that stays closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from drills.judge.scorecard import Scorecard
from drills.record.arm import NOTHING_BROKEN, Arm
from drills.record.unsupported import ALERTS, BOOKS
from reports.blocks import MARKS, RED
from reports.card import as_card, called, judges, was_watched
from reports.cells import Line, clip, fold, pad
from reports.figures import DASH, amount, measured, seconds, span
from reports.replay import USUAL_REACTION_S
from reports.texts import Lang, known, say
from reports.unjudged import cause

NARROWEST_COLUMN = 20
RANK = {"fail": 0, "invalid": 1, "unknown": 1, "pass": 2}

Row = tuple[str, Callable[[Scorecard, Lang], str]]


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
    lines = [*_heading(cards, width, lang), Line(Text())]
    labels = _labels(cards, lang)
    lines += _sentences(cards, labels, width, lang)
    side = max(cell_len(say(lang, f"compare.{name}")) for name, _ in ROWS) + 2
    at_once = max(1, (width - side) // NARROWEST_COLUMN)
    for first in range(0, len(cards), at_once):
        lines.append(Line(Text()))
        part = slice(first, first + at_once)
        lines += _columns(cards[part], labels[part], cards, side, width, lang)
    return Text("\n").join(line.text for line in lines)


def worst_first(cards: Iterable[Scorecard]) -> list[Scorecard]:
    """Failed before unjudged before passed; then by harm to customers, by not having recovered, by lost service."""
    return sorted(cards, key=_badness)


def sentence(card: Scorecard, lang: Lang) -> str:
    """What a run came to, without its name: ``services back in 8 s, customers acted on wrong figures 132 times: …``."""
    if not judges(card):
        return say(lang, "cannot-judge", why=cause(as_card(card), lang))
    verdict = known(lang, f"verdict.{card.verdict}", card.verdict)
    parts = list(_control(card, lang) if card.arm in NOTHING_BROKEN else _story(card, lang))
    if card.verdict == "fail" and not _harm(card) and card.durations.recover is not None and _red(card):
        parts.append(say(lang, "compare.said.red", name=_red(card)[0]))
    return say(lang, "compare.sentence", says=say(lang, "compare.and").join(parts), verdict=verdict)


def _badness(card: Scorecard) -> tuple[int, int, bool, float, str]:
    recovered = card.durations.recover is not None or card.arm in NOTHING_BROKEN
    return RANK.get(card.verdict, 1), -_harm(card), recovered, -(card.loss.service_s or 0), card.run


def _harm(card: Scorecard) -> int:
    """Harms to customers that are known and can be counted."""
    loss = card.loss
    counts = (loss.harmful_actions, loss.phantom_orders, loss.acknowledged_orders.lost)
    return sum(count for count in counts if count is not None)


def _control(card: Scorecard, lang: Lang) -> Iterator[str]:
    yield say(lang, "compare.nothing-injected")
    if ALERTS in (card.not_offered or []):
        return
    if card.alerts:
        yield say(lang, "compare.pages", n=len(card.alerts))
    else:
        yield say(lang, "compare.no-page" if was_watched(card) else "compare.no-page.unknown")


def _story(card: Scorecard, lang: Lang) -> Iterator[str]:
    if card.prevented:
        yield say(lang, "compare.prevented")
    else:
        yield _services(card, lang)
    if BOOKS not in (card.not_offered or []):
        yield _acted(card, lang)
    for name, count in (("lost", card.loss.acknowledged_orders.lost), ("duplicated", card.loss.duplicated)):
        if count:
            yield say(lang, f"compare.said.{name}", n=f"{count:,}")
    if card.durations.available is not None and not card.prevented:
        recover = card.durations.recover
        yield (
            say(lang, "compare.never-recovered")
            if recover is None
            else say(lang, "compare.recovered", seconds=seconds(max(0.0, recover[1])))
        )


def _services(card: Scorecard, lang: Lang) -> str:
    available = card.durations.available
    if available is None:
        return say(lang, "compare.never-back", seconds=seconds(card.loss.service_s))
    if available[1] <= 0:
        return say(lang, "compare.stayed")
    return say(lang, "compare.back", seconds=seconds(available[1]))


def _acted(card: Scorecard, lang: Lang) -> str:
    acted = card.loss.wrong_figures_acted_on
    if not acted:
        return say(lang, "compare.said.acted.unknown" if acted is None else "compare.said.acted.none")
    after = _after_first_step(card)
    early = say(lang, "compare.said.acted.early") if after == 0 and card.runbook is not None else ""
    return say(lang, "compare.said.acted.once" if acted == 1 else "compare.said.acted", n=f"{acted:,}") + early


def _after_first_step(card: Scorecard) -> int | None:
    """Reliances once the operator had changed something, where the drill limits them."""
    for objective in card.objectives:
        if objective.id == "wrong_figures_acted_on" and objective.measured is not None:
            return int(objective.measured[1])
    return None


def _heading(cards: Sequence[Scorecard], width: int, lang: Lang) -> Iterator[Line]:
    for name in dict.fromkeys(map(called, cards)):
        titles = next(card.title for card in cards if called(card) == name)
        left = Text(name, "bold")
        left.append("  " + clip(titles.get(lang) or "", max(0, width - cell_len(name) - 2)), "not bold")
        left.rstrip()
        yield Line(left)
    seeds = list(dict.fromkeys(card.seed for card in cards))
    if len(seeds) == 1:
        alike = "same-seed" if len(set(map(called, cards))) == 1 else "drills-differ"
        yield Line(Text(clip(say(lang, f"compare.{alike}", seed=seeds[0]), width)))
    else:
        yield Line(Text(clip(say(lang, "compare.seeds-differ", seeds=", ".join(map(str, seeds))), width)))
    if len({(called(card), card.drill_sha256) for card in cards}) > len({called(card) for card in cards}):
        yield Line(Text(clip(say(lang, "compare.drill-changed"), width)))


def _sentences(cards: Sequence[Scorecard], labels: Sequence[str], width: int, lang: Lang) -> Iterator[Line]:
    between = say(lang, "compare.colon")
    for card, label in zip(cards, labels, strict=True):
        words = f"{MARKS.get(card.verdict, '?')} {called(card)} · {label}{between}{sentence(card, lang)}"
        for number, row in enumerate(fold(words, width - 2)):
            line = Text(("  " if number else "") + row)
            if card.verdict == "fail":
                line.stylize(RED)
            yield Line(line)


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
    arm = Arm.parse(card.arm)
    detail = arm.detail.replace("-", " ") if lang == "en" else arm.detail
    label = say(lang, f"arm.{arm.kind}", detail=detail)
    reaction = card.runbook.reaction_s if card.runbook is not None else None
    if reaction in (None, USUAL_REACTION_S) or card.operator != "auto":
        return label
    return label + say(lang, "compare.reaction", seconds=amount(reaction, "s"))


def _columns(
    cards: Sequence[Scorecard], labels: Sequence[str], all_cards: Sequence[Scorecard], side: int, width: int, lang: Lang
) -> Iterator[Line]:
    """One column a run, of equal width; a row that says nothing for any run is left out."""
    column = (width - side) // len(cards)
    named = [(called(card), label) for card, label in zip(cards, labels, strict=True)]
    heads = [[row for words in both for row in fold(words, column - 2)] for both in named]
    yield from _beside("", heads, side, column, "bold")
    for name, cell in ROWS:
        if name in ALWAYS or any(cell(card, lang) not in NOTHING for card in all_cards):
            yield from _row(say(lang, f"compare.{name}"), [cell(card, lang) for card in cards], side, column)
    yield from _caught(cards, side, column, lang)


def _caught(cards: Sequence[Scorecard], side: int, column: int, lang: Lang) -> Iterator[Line]:
    """The checks and objectives that were red, one below the other."""
    yield from _beside(say(lang, "compare.caught-by"), [_red(card) for card in cards], side, column, RED)


def _row(label: str, cells: Sequence[str], side: int, column: int) -> Iterator[Line]:
    yield from _beside(label, [fold(cell, column - 2) for cell in cells], side, column, "")


def _beside(label: str, columns: Sequence[Sequence[str]], side: int, column: int, style: str) -> Iterator[Line]:
    """Columns of unequal length beside each other, the label before their first line."""
    for number in range(max(map(len, columns))):
        cells = [lines[number] if number < len(lines) else "" for lines in columns]
        yield _line(label if number == 0 else "", cells, side, column, style)


def _red(card: Scorecard) -> list[str]:
    found = [check.id for check in card.checks if check.verdict == "fail"]
    found += [objective.id for objective in card.objectives if objective.verdict == "fail"]
    return list(dict.fromkeys(found))


def _line(label: str, cells: Sequence[str], side: int, column: int, style: str) -> Line:
    text = Text(pad(label, side))
    for cell in cells:
        text.append(pad(clip(cell, column - 2), column), style)
    text.rstrip()
    return Line(text)


def _split(card: Scorecard, name: str) -> str:
    """A count, and how much of it came after the alert."""
    whole: int | None = getattr(card.loss, name)
    after = None if card.loss.after_alert is None else getattr(card.loss.after_alert, name)
    return DASH if whole is None else f"{whole:,}" if not whole or after is None else f"{whole:,} ({after:,})"


def _restored(card: Scorecard, lang: Lang) -> str:
    """Services and figures: nobody has seen the figures where there are no books."""
    return DASH if BOOKS in (card.not_offered or []) else measured(card.durations.restore, "s", lang)


def _reconciled(card: Scorecard, lang: Lang) -> str:
    """Books often agree before services are opened again; counted from the injection where these never went."""
    found = card.durations.reconcile
    if found is None or not any(found):
        return measured(found, "s", lang)
    return span(found, lang, "services" if card.instants.t_restored else "fault")


def _number(value: int | None) -> str:
    return amount(value, "count")


ROWS: Sequence[Row] = (
    ("detect", lambda card, lang: measured(card.durations.detect, "s", lang)),
    ("contain", lambda card, lang: measured(card.durations.contain, "s", lang)),
    ("available", lambda card, lang: measured(card.durations.available, "s", lang)),
    ("restore", _restored),
    ("reconcile", _reconciled),
    ("recover", lambda card, lang: measured(card.durations.recover, "s", lang)),
    ("service", lambda card, _: seconds(card.loss.service_s)),
    ("planned", lambda card, _: seconds(card.loss.planned_closure_s)),
    ("not-current", lambda card, _: seconds(card.loss.not_current_s)),
    ("shown", lambda card, _: _split(card, "wrong_figures_shown")),
    ("acted", lambda card, _: _split(card, "wrong_figures_acted_on")),
    ("acted-after-step", lambda card, _: _number(_after_first_step(card))),
    ("yen", lambda card, _: amount(card.loss.yen_to_restore, "yen")),
    ("lost", lambda card, _: _number(card.loss.acknowledged_orders.lost)),
    ("duplicated", lambda card, _: _number(card.loss.duplicated)),
    ("phantom", lambda card, _: _number(card.loss.phantom_orders)),
    ("unbalanced", lambda card, _: amount(card.loss.unbalanced_yen, "yen")),
    ("late", lambda card, _: _number(card.loss.late_notices)),
    ("grade", lambda card, _: card.grade or DASH),
)
"""Name of the row's text, and its cell."""

ALWAYS = ("detect", "available", "recover", "service", "acted")
NOTHING: Mapping[str, None] = dict.fromkeys((DASH, "0", "0 s", "¥0", "0.0 s"))
"""Cells that tell nothing."""
