"""The terminal card: what a run showed, on one screen of 24 lines.

First what was drilled, on what, and the verdict; then what happened when; then numbers with the books beside them;
last the lines to copy. Nothing is shown for a field that is null, except a dash where a number would stand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from drills.judge.scorecard import Scorecard
from drills.judge.timeline import events
from drills.record.history import History
from drills.record.unsupported import ALERTS
from drills.spec.pace import PERSON
from reports.blocks import RED, books_lines, data_lines, tables, where
from reports.card import as_card, called, judges
from reports.cells import fit, pad, spread
from reports.figures import amount, seconds
from reports.replay import command, replay
from reports.strips import axis, fault_strip, service_strip, steps_strip
from reports.texts import Lang, known, say
from reports.unjudged import cause, first_cause, fix
from reports.words import BETWEEN, arm_name, governing, limits, sentence, service_name

MOST = 24
"""Lines that a card may have on a terminal, which wraps those that are wider than it."""
EVERYTHING = 10_000
"""Lines that it may have where nobody has to see it at once: in a pipe or a file."""
LEAST_MIDDLE = 6
NARROWEST = 80
WIDEST = 120
"""Cells; a wider screen does not make a better card."""
RUNS = Path("runs")
"""Where a run is found by its name alone."""
LEGEND = 36
"""Cells for what stands right of the strips."""


def render_card(
    document: object,
    history: History | None,
    folder: Path,
    *,
    lang: Lang = "en",
    width: int = 100,
    compare_with: str | None = None,
    whole: bool = False,
) -> Text:
    """The card of a scorecard (a record or decoded JSON) as styled text; ``.plain`` has no styles. To print it use
    ``print_card``.

    ``history`` draws the strips; without it they are left out. ``width`` is the screen's. ``compare_with`` is another
    run to compare with, named in the last line. ``whole``: nothing is left out and counted, however long it gets.
    """
    card = as_card(document)
    wide = min(max(NARROWEST, width), WIDEST)
    most = EVERYTHING if whole else MOST
    head = [*_first(card, wide, lang), *_second(card, wide, lang)]
    led = list(_led(card, lang))
    strips = list(_strips(card, history, wide, lang)) if history is not None else []
    foot = [*_small_print(card, folder, wide, lang, whole), *_to_copy(card, folder, lang, compare_with)]
    data = data_lines(card, wide, lang)
    while strips and len([*head, *strips, *led, *data, *foot]) > most - LEAST_MIDDLE:
        strips.pop()
    room = most - len([*head, *strips, *led, *data, *foot])
    bad = sum(check.verdict in ("fail", "invalid", "unknown") for check in card.checks)
    books = books_lines(card, lang, most=max(2, min(1 + bad, room - 2 - len(card.objectives))))
    middle = tables(card, wide, lang, most=max(2, room - len(books)))
    return Text("\n").join([*head, *strips, *led, *middle, *data, *books, *foot])


def print_card(
    out: Console,
    document: object,
    history: History | None,
    folder: Path,
    *,
    lang: Lang = "en",
    compare_with: str | None = None,
) -> None:
    """Print the card with its lines whole: rich would break those to copy at the width, or cut them there."""
    whole = not out.is_terminal
    text = render_card(document, history, folder, lang=lang, width=out.width, compare_with=compare_with, whole=whole)
    out.print(text, soft_wrap=True)


def _first(card: Scorecard, width: int, lang: Lang) -> list[Text]:
    """Drill, title, target; on two lines where one does not hold them."""
    target = known(lang, f"target.{card.target}", say(lang, "target.other", target=card.target))
    other: Lang = "ja" if lang == "en" else "en"
    titles = [card.title[key] for key in (lang, other) if card.title.get(key)]
    room = width - cell_len(called(card)) - cell_len(target) - 4
    while len(titles) > 1 and cell_len("  ".join(titles)) > room:
        titles.pop()
    title = "  ".join(titles)
    left = Text(called(card), "bold") + Text(f"  {title}" if title else "", "not bold")
    return spread(left, target, width)


def _second(card: Scorecard, width: int, lang: Lang) -> list[Text]:
    context = " · ".join(_context(card, lang))
    if not judges(card):
        return [*_cannot_judge(card, lang), Text(context)]
    words = say(lang, f"verdict.{card.verdict}")
    grade = known(lang, f"grade.{card.grade}", card.grade) if card.grade else ""
    style = f"bold {RED}" if card.verdict == "fail" else "bold"
    return spread(Text(words, style) + Text(f" — {grade}" if grade else "", "not bold"), context, width)


def _reaction(card: Scorecard) -> str:
    return "" if card.operator.reaction_s is None else amount(card.operator.reaction_s, "s")


def _cannot_judge(card: Scorecard, lang: Lang) -> Iterator[Text]:
    """Why, and under it what to do."""
    check = first_cause(card)
    rows = where(check, lang) if check is not None else ""
    yield Text(say(lang, "cannot-judge", why=cause(card, lang)) + rows, "bold")
    yield Text("  " + say(lang, "cannot-judge.fix", fix=fix(card, lang)), "bold")


def _context(card: Scorecard, lang: Lang) -> Iterator[str]:
    yield card.arm if lang == "en" or ":" in card.arm else f"{arm_name(lang, card.arm)} ({card.arm})"
    kind = card.operator.kind
    idle = kind == "robot" and not card.operator.opened
    who = known(lang, f"operator.{kind}" + (".idle" if idle else ""), kind)
    yield who.format(reaction=_reaction(card), name=card.operator.name, role=card.operator.role)
    if card.operator.pace == PERSON:
        yield say(lang, "pace.person")
    yield say(lang, "compression", factor=card.clock.compression)
    yield say(lang, "seed", seed=card.seed)
    if card.attempts > 1:
        yield say(lang, "attempts", attempts=card.attempts)
    lacks = card.unsupported or []
    if lacks:
        yield say(lang, "unsupported", things=", ".join(known(lang, f"thing.{thing}", thing) for thing in lacks))
    if ALERTS not in lacks:
        yield say(lang, "monitor", seconds=amount(card.clock.monitor_interval_s, "s"))


def _strips(card: Scorecard, history: History, width: int, lang: Lang) -> Iterator[Text]:
    names = [*history.plan.services]
    labels = [say(lang, "strip.fault"), *(service_name(lang, name) for name in names), say(lang, "strip.steps")]
    label = max(map(cell_len, labels)) + 2
    over = axis(history, width - label - LEGEND - 7)
    if over is None:
        yield Text(f"  {say(lang, 'strip.no-load')}")
        return
    injected = any(events(history, "fault:", "inject"))
    notes = [_fault_note(card, history, lang) if injected else say(lang, "strip.no-fault")]
    notes += [say(lang, "strip.legend") if number == 0 else "" for number, _ in enumerate(names)]
    notes.append(_alert_note(card, lang))
    rows = [
        fault_strip(history, over),
        *(service_strip(history, name, over) for name in names),
        steps_strip(card, over),
    ]
    for name, row, note in zip(labels, rows, notes, strict=True):
        yield _strip(pad(name, label), row, note)


def _strip(label: str, row: str, note: str) -> Text:
    text = Text(f"  {label}▕")
    for cell in row:
        text.append(cell, RED if cell == "░" else "")
    text.append("▏" + (f"  {note}" if note else ""))
    return text


def _fault_note(card: Scorecard, history: History, lang: Lang) -> str:
    at = card.instants.t_inject
    kinds = ", ".join(dict.fromkeys(fault.label for fault in history.plan.faults))
    return f"{kinds} {seconds(at[0])}" if at is not None else kinds


def _led(card: Scorecard, lang: Lang) -> Iterator[Text]:
    """The alerts that somebody followed, in order, and what each led to; how many others came."""
    followed = [alert for alert in card.alerts if alert.opened]
    items = []
    for alert in followed:
        runbooks = " → ".join(alert.opened)
        ended = known(lang, f"ended.{alert.ended}", alert.ended) if alert.ended else say(lang, "ended.none")
        items.append(say(lang, "led.item", at=seconds(alert.t), rule=alert.rule, runbooks=runbooks, ended=ended))
    others = len(card.alerts) - len(followed)
    if followed and others:
        items.append(say(lang, "led.others", n=others))
    if items:
        yield Text(f"  {say(lang, 'led')}  {' · '.join(items)}")


def _alert_note(card: Scorecard, lang: Lang) -> str:
    first = next((alert for alert in card.alerts if alert.for_this_fault), next(iter(card.alerts), None))
    if first is None and ALERTS in (card.unsupported or []):  # nobody looked for any
        return say(lang, "unsupported", things=say(lang, f"thing.{ALERTS}"))
    if first is None:
        return say(lang, "strip.no-alert") if judges(card) else ""
    return say(lang, "strip.alert", rule=first.rule, at=seconds(first.t))


def _small_print(card: Scorecard, folder: Path, width: int, lang: Lang, whole: bool) -> Iterator[Text]:
    if card.governing is not None:
        yield Text(f"{say(lang, 'governing')}: {governing(card.governing, lang)}")
    for attempt in card.earlier:
        says = BETWEEN[lang].join(sentence(lang, each) for each in attempt.causes)
        words = say(lang, "earlier", verdict=attempt.verdict, says=says, run=attempt.run)
        yield Text(words)
    if card.limits and card.verdict != "invalid":  # of which nothing is known anyway
        label = f"{say(lang, 'limits')}: "
        room = sys.maxsize if whole else width - cell_len(label)
        shown = fit(limits(card, lang), "; ", room, lambda left: say(lang, "more", n=left))
        yield Text(label + shown)
    number = card.evidence or say(lang, "not-sealed")
    number = number if whole or not card.evidence else f"{number[:16]}…"
    evidence = f"{say(lang, 'evidence')} {number}"
    if (engine := card.engines.get("proxy")) is not None:
        evidence += f" · {say(lang, 'proxy', engine=engine)}"
    yield Text(f"{evidence}  {folder}")


def _to_copy(card: Scorecard, folder: Path, lang: Lang, compare_with: str | None) -> Iterator[Text]:
    run = folder.name if folder.parent.parent == RUNS else str(folder)
    lines = {"replay": replay(card), "closer": ["check", run, "--json", "-"]}
    if compare_with is not None:
        lines["compare"] = ["compare", run, compare_with]
    for name, argv in lines.items():
        yield Text(f"{say(lang, name)}: {command(argv)}")
