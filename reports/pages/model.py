"""All that one page shows of one run in one language, ready to be laid out: the template decides nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from drills.judge.milestones import Milestones
from drills.judge.scorecard import CheckCell, Scorecard
from drills.record.arm import NOTHING_BROKEN, Arm
from drills.record.history import Count, History
from reports.blocks import RANK
from reports.card import called, judges
from reports.figures import amount, seconds
from reports.pages import sections, timeline
from reports.pages.evidence import Row, row
from reports.pages.facts import Spent, milestones
from reports.pages.runbook import StepText, step_texts
from reports.pages.story import Told, in_short, story, told
from reports.pages.tiles import Tile, tiles
from reports.pages.words import word
from reports.replay import replay
from reports.texts import Lang, known
from reports.unjudged import cause, fix, follows
from reports.words import arm_name, governing, limits, sentence

WIDE, NARROW = 940, 330
"""Widths of the two drawings: on a screen or on paper, and on a phone."""
REMARKED = ("no-action", "without", "wrong")
"""Kinds of arms that are made to show what goes wrong."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run to be shown: its card, its history, where it lies, and what does not fit."""

    card: Scorecard
    history: History
    folder: Path
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A count of a check in words, and the rows behind it."""

    words: str
    bad: int
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Checked:
    """A check; ``tone`` is its verdict, ``said`` what it found in short."""

    id: str
    invariant: str
    tone: str
    result: str
    said: str
    short: str
    counts: list[Found]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class View:
    """One run in one language."""

    lang: Lang
    id: str
    name: str
    title: str
    tone: str
    verdict: str
    grade: str
    meaning: str
    remark: str
    facts: list[tuple[str, str]]
    problems: tuple[str, ...]
    cannot: list[tuple[str, str]]
    tiles: list[Tile]
    story: list[str]
    wide: Markup | None
    narrow: Markup | None
    alerts: list[sections.ROW]
    steps: list[sections.ROW]
    runbook: str
    damage: list[sections.ROW]
    books: list[sections.ROW]
    has_books: bool
    objectives: list[sections.Limit]
    spent: list[sections.Part]
    spent_text: str
    estimate: str
    business: list[Checked]
    validity: list[Checked]
    governing: str
    quantities: list[tuple[str, str]]
    limits: list[str]
    earlier: list[str]
    evidence: str
    folder: str
    check: str
    replay: str
    hashes: list[str]


def views(run: Run, number: int, most_rows: int) -> dict[Lang, View]:
    """The run in both languages; ``number`` makes its ids unlike those of others, ``most_rows`` are shown a count."""
    at = milestones(run.history)
    numbers = told(run.history, run.card, at)
    texts = step_texts(run.folder)
    known_rows: dict[str, Row] = {}
    return {
        lang: _view(run, at, numbers, texts, known_rows, f"{lang}{number}", lang, most_rows) for lang in ("en", "ja")
    }


def _view(
    run: Run,
    at: Milestones,
    numbers: Told,
    texts: dict[str, StepText],
    rows: dict[str, Row],
    id_: str,
    lang: Lang,
    most_rows: int,
) -> View:
    card, history = run.card, run.history
    judged = judges(card)
    said = story(card, numbers, lang) if card.verdict != "invalid" else []
    spent = sections.time_spent(card, history, at)
    checks = [_checked(check, history, rows, lang, most_rows) for check in _worst_first(card.checks)]
    validity = {check.id for check in card.checks if check.validity}
    wide, narrow = (_drawn(run, lang, f"{id_}-{width}", width, said) for width in (WIDE, NARROW))
    return View(
        lang=lang,
        id=id_,
        name=called(card),
        title=card.title.get(lang) or card.title.get("en") or called(card),
        tone=card.verdict if judged else "unknown",
        verdict=word(lang, f"verdict.{card.verdict if judged else 'none'}"),
        grade=known(lang, f"grade.{card.grade}", card.grade) if card.grade else "",
        meaning=_meaning(card, lang),
        remark=_remark(card, lang),
        facts=list(_facts(card, lang)),
        problems=run.problems,
        cannot=[] if judged else _cannot(card, lang),
        tiles=tiles(card, numbers, lang),
        story=said,
        wide=wide,
        narrow=narrow,
        alerts=sections.alert_rows(card, lang),
        steps=sections.step_rows(card, texts, lang),
        runbook=card.runbook.id if card.runbook else "",
        damage=sections.damage_rows(card, history, at, numbers, lang),
        books=sections.book_rows(history, lang),
        has_books=sections.has_books(card),
        objectives=sections.limit_rows(card, lang),
        spent=[] if spent is None else sections.parts(spent, card, lang),
        spent_text=_spent_text(spent, lang),
        estimate="" if spent is None else sections.estimate(spent, card, lang),
        business=[check for check in checks if check.id not in validity],
        validity=[check for check in checks if check.id in validity],
        governing="" if card.governing is None else governing(card.governing, lang),
        quantities=_quantities(card, lang),
        limits=[each for each in limits(card, lang) if each],
        earlier=[word(lang, "earlier.text", run=each.run, verdict=each.verdict) for each in card.earlier],
        evidence=card.evidence or "",
        folder=card.run,
        check=shlex.join(["kunren", "check", card.run, "--evidence"]),
        replay=shlex.join(["kunren", *replay(card)]),
        hashes=[each for each in (card.drill_sha256, card.runbook_sha256) if each],
    )


def _meaning(card: Scorecard, lang: Lang) -> str:
    if card.arm in NOTHING_BROKEN and card.grade in (None, "performed"):
        return word(lang, "grade.control")
    return word(lang, f"grade.{card.grade}") if card.grade else ""


def _remark(card: Scorecard, lang: Lang) -> str:
    """What was done otherwise on purpose: a reader must not take it for how we recover."""
    kind = Arm.parse(card.arm).kind
    return word(lang, f"remark.{kind}", name=arm_name(lang, card.arm)) if kind in REMARKED else ""


def _cannot(card: Scorecard, lang: Lang) -> list[tuple[str, str]]:
    rest = follows(card, lang)
    why = cause(card, lang) + (f" ({rest})" if rest else "")
    return [(word(lang, "why"), why), (word(lang, "fix"), fix(card, lang))]


def _facts(card: Scorecard, lang: Lang) -> list[tuple[str, str]]:
    """What was drilled, when, on what, by whom."""
    target = known(lang, f"target.{card.target}", known(lang, "target.other", "").format(target=card.target))
    monitor = amount(card.clock.monitor_interval_s, "s")
    found = [
        ("made-on", card.started.replace("T", " ").replace("Z", " UTC")),
        ("target", target),
        ("followed", arm_name(lang, card.arm)),
        ("operator", _operator(card, lang)),
        ("clock", word(lang, "clock.text", factor=card.clock.compression, seconds=monitor)),
        ("seed", str(card.seed)),
        ("sources", ", ".join(card.sources)),
        ("fidelity", card.fidelity),
        ("subject", card.subject or ""),
        ("version", word(lang, "version.text", kunren=card.kunren, rules=card.rules)),
    ]
    return [(word(lang, key), value) for key, value in found if value]


def _operator(card: Scorecard, lang: Lang) -> str:
    idle = card.operator.kind == "robot" and not card.operator.opened
    words = known(lang, f"operator.{card.operator.kind}" + (".idle" if idle else ""), card.operator.kind)
    reaction = "" if card.operator.reaction_s is None else amount(card.operator.reaction_s, "s")
    return words.format(reaction=reaction, name=card.operator.name, role=card.operator.role)


def _drawn(run: Run, lang: Lang, name: str, width: int, said: Sequence[str]) -> Markup | None:
    steps = run.card.runbook.steps if run.card.runbook else []
    numbered = [timeline.Numbered(n, step.start, step.end) for n, step in enumerate(steps, 1)]
    what = word(lang, "timeline.alt", what=" ".join(said))
    return timeline.draw(run.card, run.history, lang, name, width, numbered, what)


def _spent_text(found: Spent | None, lang: Lang) -> str:
    if found is None:
        return word(lang, "spent.none")
    return word(lang, "spent.text" if found.over else "spent.text.open", whole=seconds(found.whole))


def _quantities(card: Scorecard, lang: Lang) -> list[tuple[str, str]]:
    cell = card.governing
    if cell is None:
        return []
    sides = [(word(lang, "left"), cell.left), (word(lang, "right"), cell.right)]
    return [(name, "–" if value is None else f"{value:,.4g}") for name, value in [*cell.numbers.items(), *sides]]


def _worst_first(checks: Sequence[CheckCell]) -> list[CheckCell]:
    return sorted(checks, key=lambda check: RANK.get(check.verdict, 2))


def _checked(check: CheckCell, history: History, known_rows: dict[str, Row], lang: Lang, most: int) -> Checked:
    def rows(references: Sequence[str]) -> list[Row]:
        for each in references[:most]:
            known_rows.setdefault(each, row(history, each))
        return [known_rows[each] for each in references[:most]]

    told_already = {each for count in check.counts for each in count.evidence}
    return Checked(
        id=check.id,
        invariant=check.invariant,
        tone=check.verdict,
        result=word(lang, f"check.{check.verdict}"),
        said=sentence(lang, check),
        short=in_short(check, lang),
        counts=[Found(_words(count, lang), count.bad, rows(count.evidence)) for count in check.counts],
        rows=rows([each for each in check.evidence if each not in told_already]),
    )


def _words(count: Count, lang: Lang) -> str:
    return sentence(lang, Alone([count]))


@dataclass(frozen=True, slots=True)
class Alone:
    """One count alone, to be put into words like a check's."""

    counts: list[Count]
    reasons: tuple[()] = ()
