"""The card's middle: objectives beside losses, and the books with their worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.text import Text

from drills.judge.scorecard import AfterAlertCell, CheckCell, LossCell, ObjectiveCell, Scorecard
from drills.record.unsupported import BOOKS
from reports.card import judges
from reports.cells import Line, clip, fold, pad, wrap
from reports.figures import DASH, amount, measured, seconds
from reports.texts import Lang, say
from reports.unjudged import follows, further_causes
from reports.words import sentence

RED = "red"
"""The one colour, with one meaning: this went wrong."""

MARKS = {"pass": "✓", "fail": "✗", "unknown": "?", "invalid": "?", "n/a": DASH}
RANK = {"fail": 0, "invalid": 1, "unknown": 2, "pass": 3, "n/a": 4}
SHOWN_EVIDENCE = 2
ROOMY = 100
"""Cells from which headings are spelled out."""

SPLIT = ("service_s", "wrong_figures_shown", "wrong_figures_acted_on", "harmful_actions", "yen_to_restore")
"""Losses that are known before and after the alert."""

ALWAYS = ("service_s", "wrong_figures_acted_on")
"""Of these, shown even when nothing was lost."""

COUNTS = ("duplicated", "phantom_orders", "late_notices")
RARE = ("unbalanced_yen", "undecidable_figures")
"""Shown only where there is something to show."""


def tables(card: Scorecard, width: int, lang: Lang, most: int) -> list[Line]:
    """Objectives on the left, losses on the right, at most ``most`` rows with the heading."""
    objectives = card.objectives
    if len(objectives) >= most:  # what does not fit must not be what went wrong
        objectives = sorted(objectives, key=lambda one: RANK.get(one.verdict, 2))
    if not judges(card) and not _measured_anything(card):
        return []
    left = _left_table(objectives, lang)
    right = _right_table(card.loss, lang, short=width < ROOMY)
    left_widths, right_widths = _fit(_widths(left), _widths(right), width)
    lines = []
    for row, (objective, cells, loss) in enumerate(_rows(objectives, left, right)):
        text = Text("  " if row == 0 else f"  {_mark(card, objective)} " if objective else "    ")
        if objective and objective.verdict == "fail":
            text.stylize(RED)
        text.append("  " if row == 0 else "")
        text.append("  ".join(pad(cell, wide) for cell, wide in zip(cells, left_widths, strict=True)))
        text.append("  " + "  ".join(pad(cell, wide) for cell, wide in zip(loss, right_widths, strict=True)))
        text.rstrip()
        lines.append(Line(text))
    return _at_most(lines, most, lang)


def _mark(card: Scorecard, objective: ObjectiveCell) -> str:
    """In a run that cannot judge ``?`` marks what the run could not tell; what it could earns no mark for that."""
    if card.cannot_judge and objective.measured is not None and objective.id not in card.cannot_judge.causes:
        return DASH
    return MARKS.get(objective.verdict, "?")


def _measured_anything(card: Scorecard) -> bool:
    measured_some = any(one.measured is not None for one in card.objectives)
    return measured_some or any(_value(card.loss, name) is not None for name in SPLIT)


def data_lines(card: Scorecard, width: int, lang: Lang) -> list[Line]:
    """What became of acknowledged orders and of the data, and how long the operator kept a service closed."""
    label = f"{say(lang, 'data')}: "
    lines = wrap(_data_words(card.loss, lang), " · ", width - cell_len(label))
    return [Line(Text((" " * cell_len(label) if number else label) + line)) for number, line in enumerate(lines)]


def books_lines(card: Scorecard, width: int, lang: Lang, most: int) -> list[Line]:
    """A line for each check that is not well, the worst first, and the others counted.

    Of a run that cannot judge: what else keeps it from that, and how much cannot be answered because of it.
    """
    if not judges(card):
        return _unjudged_lines(card, width, lang, most)
    checks = sorted(card.checks, key=lambda check: RANK.get(check.verdict, 2))
    bad = [check for check in checks if RANK.get(check.verdict, 2) < RANK["pass"]]
    shown = bad[: max(1, most - 1)]
    label = f"{say(lang, 'books.none' if BOOKS in (card.not_offered or []) else 'books')}: "
    lines = []
    for number, check in enumerate(shown):
        text = Text(label if number == 0 else " " * cell_len(label))
        text.append(clip(_finding(check, lang), width - cell_len(label)), RED if check.verdict == "fail" else "")
        lines.append(Line(text))
    rest = _others(card, len(bad) - len(shown), lang)
    if rest:
        start = " " * cell_len(label) if lines else label
        lines.append(Line(Text(clip(start + rest, width))))
    return lines


def _unjudged_lines(card: Scorecard, width: int, lang: Lang, most: int) -> list[Line]:
    """Whole where there is room for that, else a line for each cause, and those left out counted."""
    label = f"{say(lang, 'books.none')}: "
    room, space = width - cell_len(label), " " * cell_len(label)
    causes = [_finding(check, lang) for check in further_causes(card)]
    end = [row for row in fold(follows(card, lang), room) if row]
    rows = [row for cause in causes for row in fold(cause, room)]
    if len(rows) + len(end) > most:
        shown = causes[: max(1, most - len(end) - 1)]
        left = len(causes) - len(shown)
        rows = [clip(cause, room) for cause in shown] + ([say(lang, "books.unwell", n=left)] if left else [])
    return [Line(Text((space if number else label) + row)) for number, row in enumerate([*rows, *end])]


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


def _left_table(objectives: Sequence[ObjectiveCell], lang: Lang) -> list[list[str]]:
    head = [say(lang, f"table.{name}") for name in ("objective", "limit", "measured")]
    return [head, *([one.id, _limit(one), measured(one.measured, one.unit, lang)] for one in objectives)]


def _limit(objective: ObjectiveCell) -> str:
    return f"{'≥ ' if objective.at_least else ''}{amount(objective.limit, objective.unit)}"


def _right_table(loss: LossCell, lang: Lang, short: bool) -> list[list[str]]:
    """Before and after the alert; without an alert there is no such split, only a sum."""
    if loss.after_alert is None:
        rows = [[say(lang, f"loss.{name}"), _of(name, _value(loss, name))] for name in _worth_showing(loss)]
        return [[say(lang, "table.loss"), say(lang, "table.total")], *rows]
    head = [say(lang, f"table.{name}") for name in ("loss", "before.short" if short else "before", "after")]
    return [head, *(_split(loss, name, lang) for name in _worth_showing(loss))]


def _split(loss: LossCell, name: str, lang: Lang) -> list[str]:
    whole = _value(loss, name)
    after = None if loss.after_alert is None else _value(loss.after_alert, name)
    before = None if whole is None or after is None else whole - after
    return [say(lang, f"loss.{name}"), _of(name, before), _of(name, after)]


def _worth_showing(loss: LossCell) -> Iterator[str]:
    for name in SPLIT:
        if name in ALWAYS or _value(loss, name):
            yield name


def _value(loss: LossCell | AfterAlertCell, name: str) -> float | None:
    found: float | None = getattr(loss, name)
    return found


def _of(name: str, value: float | None) -> str:
    return seconds(value) if name.endswith("_s") else amount(value, "yen" if "yen" in name else "count")


def _data_words(loss: LossCell, lang: Lang) -> Iterator[str]:
    orders = loss.acknowledged_orders
    if orders.lost is not None and orders.exposed is not None:
        yield say(lang, "data.lost", lost=f"{orders.lost:,}", exposed=f"{orders.exposed:,}")
    for name in (*COUNTS, *RARE):
        value = _value(loss, name)
        if value is not None and (value or name in COUNTS):
            yield say(lang, f"data.{name}", n=f"{value:,}")
    if loss.planned_closure_s:
        yield say(lang, "data.planned_closure_s", seconds=seconds(loss.planned_closure_s))


def _rows(
    objectives: Sequence[ObjectiveCell], left: list[list[str]], right: list[list[str]]
) -> Iterator[tuple[ObjectiveCell | None, list[str], list[str]]]:
    beside = [None, *objectives]
    empty_left, empty_right = [""] * len(left[0]), [""] * len(right[0])
    for objective, mine, theirs in zip_longest(beside, left, right):
        yield objective, mine or empty_left, theirs or empty_right


def _widths(table: Sequence[Sequence[str]]) -> list[int]:
    return [max(cell_len(row[column]) for row in table) for column in range(len(table[0]))]


def _fit(left: list[int], right: list[int], width: int) -> tuple[list[int], list[int]]:
    """Names give way, in turns, for the numbers must stay whole."""
    over = sum(left) + sum(right) + 2 * (len(left) + len(right)) + 2 - width
    for table, least in ((left, 16), (right, 12), (left, 8), (right, 6)):
        taken = max(0, min(over, table[0] - least))
        table[0] -= taken
        over -= taken
    return left, right


def _at_most(lines: list[Line], most: int, lang: Lang) -> list[Line]:
    if len(lines) <= most:
        return lines
    kept = max(1, most - 1)
    return [*lines[:kept], Line(Text("    " + say(lang, "more", n=len(lines) - kept)))]
