"""The card's middle: objectives beside losses, and the books with their worst first."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.text import Text

from drills.domains.registry import DOMAINS
from drills.judge.metric import Metric, Window
from drills.judge.scorecard import CheckCell, ObjectiveCell, Scorecard
from drills.record.unsupported import BOOKS
from reports.card import judges
from reports.cells import pad
from reports.figures import DASH, amount, measured, shown
from reports.texts import Lang, say
from reports.unjudged import follows, further_causes
from reports.words import metric_name, sentence

RED = "red"
"""The one colour, with one meaning: this went wrong."""

MARKS = {"pass": "✓", "fail": "✗", "unknown": "?", "invalid": "?", "n/a": DASH}
RANK = {"fail": 0, "invalid": 1, "unknown": 2, "pass": 3, "n/a": 4}
SHOWN_EVIDENCE = 2
ROOMY = 100
"""Cells from which headings are spelled out."""


def tables(card: Scorecard, width: int, lang: Lang, most: int) -> list[Text]:
    """Objectives, and losses beside them where the width holds both; at most ``most`` lines."""
    if not judges(card) and not _measured_anything(card):
        return []
    left = _left_table(card, card.objectives, lang, most)
    if not are_side_by_side(card, width, lang):
        return left
    right = [Text("    " + row) for row in _aligned(_right_table(card, lang, short=width < ROOMY))]
    return _beside(left, right, max(line.cell_len for line in left))[:most]


def are_side_by_side(card: Scorecard, width: int, lang: Lang) -> bool:
    """Whether the width holds both tables; else the losses are told among the data."""
    left = max(line.cell_len for line in _left_table(card, card.objectives, lang, sys.maxsize))
    return left + 4 + max(map(cell_len, _aligned(_right_table(card, lang, short=width < ROOMY)))) <= width


def _left_table(card: Scorecard, objectives: Sequence[ObjectiveCell], lang: Lang, most: int) -> list[Text]:
    """A line for each objective; where they are too many, what went wrong comes first and the rest is counted."""
    if len(objectives) >= most:
        objectives = sorted(objectives, key=lambda one: RANK.get(one.verdict, 2))
    head = [say(lang, f"table.{name}") for name in ("objective", "limit", "measured")]
    cells = [[objective_name(one, lang), limit_of(one), measured(one.measured, one.unit, lang)] for one in objectives]
    first, *rows = _aligned([head, *cells])
    lines = [Text(f"    {first}")]
    for one, row in zip(objectives, rows, strict=True):
        lines.append(Text(f"  {_mark(card, one)} {row}", RED if one.verdict == "fail" else ""))
    return _at_most(lines, most, lang)


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Each row of a table as one text, its columns below each other."""
    widths = [max(cell_len(row[column]) for row in table) for column in range(len(table[0]))]
    return ["  ".join(map(pad, row, widths)).rstrip() for row in table]


def _beside(left: Sequence[Text], right: Sequence[Text], wide: int) -> list[Text]:
    lines = []
    for one, other in zip_longest(left, right, fillvalue=Text()):
        line = one.copy()
        line.append(" " * (wide - one.cell_len))
        line.append_text(other)
        line.rstrip()
        lines.append(line)
    return lines


def _mark(card: Scorecard, objective: ObjectiveCell) -> str:
    """In a run that cannot judge ``?`` marks what the run could not tell; what it could earns no mark for that."""
    if card.cannot_judge and objective.measured is not None and objective.id not in card.cannot_judge.causes:
        return DASH
    return MARKS.get(objective.verdict, "?")


def _measured_anything(card: Scorecard) -> bool:
    measured_some = any(one.measured is not None for one in card.objectives)
    return measured_some or any(card.value(metric.id) is not None for metric in _split_by_alert())


def data_lines(card: Scorecard, width: int, lang: Lang) -> list[Text]:
    """What else was counted, which harm has no limit, and which was accepted, with the reason."""
    no_limit = [metric_name(lang, name) for name in card.no_limit]
    accepted = [_accepted(card, one.metric, one.reason, lang) for one in card.accepted]
    losses = [] if are_side_by_side(card, width, lang) else list(_loss_words(card, lang))
    return [
        *_labelled(say(lang, "data"), [*losses, *_data_words(card, lang)]),
        *_labelled(say(lang, "no-limit"), no_limit, RED),
        *_labelled(say(lang, "accepted"), accepted),
    ]


def _labelled(name: str, words: Iterable[str], style: str = "") -> list[Text]:
    """Words on a line with their label, which the terminal wraps; nothing where there are none."""
    found = " · ".join(words)
    return [Text(f"{name}: {found}", style)] if found else []


def _accepted(card: Scorecard, metric: str, reason: Mapping[str, str], lang: Lang) -> str:
    words, value = reason.get(lang) or reason.get("en", ""), _amount(card, metric, lang)
    return say(lang, "accepted.item", name=metric_name(lang, metric), amount=value, reason=words)


def _amount(card: Scorecard, metric: str, lang: Lang, window: Window = Window.ALL) -> str:
    unit = next((cell.unit for cell in card.metrics if cell.id == metric), "")
    return shown(card.value(metric, window), unit, lang)


def books_lines(card: Scorecard, lang: Lang, most: int) -> list[Text]:
    """A line for each check that is not well, the worst first, and the others counted.

    Of a run that cannot judge: what else keeps it from that, and how much cannot be answered because of it.
    """
    if not judges(card):
        return _unjudged_lines(card, lang, most)
    checks = sorted(card.checks, key=lambda check: RANK.get(check.verdict, 2))
    bad = [check for check in checks if RANK.get(check.verdict, 2) < RANK["pass"]]
    shown = bad[: max(1, most - 1)]
    label = f"{say(lang, 'books.none' if BOOKS in (card.unsupported or []) else 'books')}: "
    lines = []
    for number, check in enumerate(shown):
        text = Text(label if number == 0 else " " * cell_len(label))
        text.append(_finding(check, lang), RED if check.verdict == "fail" else "")
        lines.append(text)
    rest = _others(card, len(bad) - len(shown), lang)
    return [*lines, Text((" " * cell_len(label) if lines else label) + rest)] if rest else lines


def _unjudged_lines(card: Scorecard, lang: Lang, most: int) -> list[Text]:
    """A line for each further cause, those left out counted, and how much cannot be answered because of them."""
    label, end = f"{say(lang, 'books.none')}: ", follows(card, lang)
    causes = [_finding(check, lang) for check in further_causes(card)]
    shown = causes if len(causes) + bool(end) <= most else causes[: max(1, most - bool(end) - 1)]
    left = len(causes) - len(shown)
    rows = [*shown, *([say(lang, "books.unwell", n=left)] if left else []), *([end] if end else [])]
    return [Text((" " * cell_len(label) if number else label) + row) for number, row in enumerate(rows)]


def _finding(check: CheckCell, lang: Lang) -> str:
    return f"{MARKS.get(check.verdict, '?')} {check.id}{where(check, lang)}: {sentence(lang, check)}"


def where(check: CheckCell, lang: Lang) -> str:
    """The first rows of a check's evidence, in brackets after a space; empty where there are none."""
    evidence = ", ".join(str(item) for item in check.evidence[:SHOWN_EVIDENCE])
    left = len(check.evidence) - SHOWN_EVIDENCE
    more = f" {say(lang, 'more', n=left)}" if left > 0 else ""
    return f" ({evidence}{more})" if evidence else ""


def _others(card: Scorecard, unshown: int, lang: Lang) -> str:
    """How many of the checks are well: those of customers and money apart from those that ask if the run can judge."""
    words = [say(lang, "books.unwell", n=unshown)] if unshown else []
    words += [" · ".join(filter(None, (_well(card, validity, lang) for validity in (False, True))))]
    idle = sum(check.verdict == "n/a" for check in card.checks)
    if idle:
        words.append(f"{DASH} {say(lang, 'books.not-applicable', n=idle)}")
    return "   ".join(filter(None, words))


def _well(card: Scorecard, validity: bool, lang: Lang) -> str:
    """Empty where there are none of this sort."""
    mine = [check for check in card.checks if check.validity == validity and check.verdict != "n/a"]
    good = sum(check.verdict == "pass" for check in mine)
    mark = "✓ " if good == len(mine) else ""
    return f"{mark}{say(lang, 'books.validity' if validity else 'books.business')} {good}/{len(mine)}" if mine else ""


def objective_name(objective: ObjectiveCell, lang: Lang) -> str:
    """The metric's name, with window and service where they are not the whole."""
    return metric_name(lang, objective.metric, objective.window, objective.of)


def limit_of(objective: ObjectiveCell) -> str:
    """The limit with its unit, as it was set."""
    return f"{'≥ ' if objective.at_least else ''}{amount(objective.limit, objective.unit)}"


def _split_by_alert() -> list[Metric]:
    """The metrics that are known before and after the alert."""
    return [metric for metric in DOMAINS.metrics.values() if Window.AFTER_ALERT in metric.windows]


def _worth_telling(card: Scorecard) -> list[Metric]:
    return [metric for metric in _split_by_alert() if metric.always or card.value(metric.id)]


def _right_table(card: Scorecard, lang: Lang, short: bool) -> list[list[str]]:
    """Before and after the alert; without an alert there is no such split, only a sum."""
    worth = _worth_telling(card)
    if card.instants.t_alert is None:
        rows = [[metric_name(lang, metric.id), _amount(card, metric.id, lang)] for metric in worth]
        return [[say(lang, "table.loss"), say(lang, "table.total")], *rows]
    head = [say(lang, f"table.{name}") for name in ("loss", "before.short" if short else "before", "after")]
    return [head, *(_split(card, metric, lang) for metric in worth)]


def _loss_words(card: Scorecard, lang: Lang) -> Iterator[str]:
    """The table of losses in words, each with what of it came after the alert."""
    for metric in _worth_telling(card):
        found, after = _amount(card, metric.id, lang), card.value(metric.id, Window.AFTER_ALERT)
        if after is not None:
            part = shown(after, metric.unit, lang)
            found = say(lang, "data.part", amount=found, part=part, window=say(lang, "window.after_alert"))
        if card.value(metric.id) is not None:
            yield say(lang, "data.item", name=metric_name(lang, metric.id), amount=found)


def _split(card: Scorecard, metric: Metric, lang: Lang) -> list[str]:
    whole, after = card.number(metric.id), card.number(metric.id, Window.AFTER_ALERT)
    before = None if whole is None or after is None else whole - after
    return [metric_name(lang, metric.id), shown(before, metric.unit, lang), shown(after, metric.unit, lang)]


def _data_words(card: Scorecard, lang: Lang) -> Iterator[str]:
    """What is not in the tables: how many of how many, and each further harm or closure that was counted."""
    wholes = {metric.part_of for metric in DOMAINS.metrics.values()}
    since_fault = "detect_from_inject"  # an impact that comes late must not make a slow monitor look quick
    if card.value(since_fault) is not None:
        yield say(lang, "data.item", name=metric_name(lang, since_fault), amount=_amount(card, since_fault, lang))
    for metric in DOMAINS.metrics.values():
        elsewhere = metric.span or metric.more_is_better or Window.AFTER_ALERT in metric.windows
        if elsewhere or metric.detail or metric.id in wholes:
            continue
        value = card.value(metric.id)
        if value is None or not (value or metric.always or metric.part_of):
            continue
        found = _amount(card, metric.id, lang)
        if metric.part_of is not None:
            found = say(lang, "data.of", amount=found, whole=_amount(card, metric.part_of, lang))
        yield say(lang, "data.item", name=metric_name(lang, metric.id), amount=found)


def _at_most(lines: list[Text], most: int, lang: Lang) -> list[Text]:
    if len(lines) <= most:
        return lines
    kept = max(1, most - 1)
    return [*lines[:kept], Text("    " + say(lang, "more", n=len(lines) - kept))]
