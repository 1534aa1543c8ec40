"""One HTML file for one run or several: self-contained, without a script, in both languages, at most two megabytes.

Jinja2 escapes whatever it is handed and stops at a name that does not exist; what a terminal or a browser would obey in
foreign text is made visible first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from drills.archive.row import RunRow
from drills.archive.trends import Trend
from drills.findings.state import Standing
from drills.judge.scorecard import Scorecard
from reports.blocks import MARKS
from reports.card import called, judges
from reports.compare import worst_first
from reports.figures import DASH, seconds
from reports.pages import history
from reports.pages.model import Run, View, views
from reports.pages.words import word
from reports.texts import Lang, known
from reports.words import arm_name
from targets.visible import visible

TEMPLATES = Path(__file__).parent / "templates"
MOST_BYTES = 2_000_000
ROWS = (20, 3, 0)
"""Rows of evidence a count, as many as the size allows."""
PAPER_ROWS, PAPER_STEPS = 8, 18
"""How many rows of what may grow long stand on paper, where a drill has two pages; the rest is counted."""
TONES = {"pass": "pass", "fail": "fail", "unknown": "unknown", "invalid": "unknown"}
UNIT = re.compile(r"(?<=\d) (?=(?:s|min|件)(?!\w))")
"""The space between a number and its unit."""
LANGUAGES: tuple[Lang, ...] = ("en", "ja")


@dataclass(frozen=True, slots=True)
class Listed:
    """A run in the table of contents; ``link`` is the id of its article, empty where there is none."""

    drill: str
    tone: str
    verdict: str
    recover: str
    run: str
    link: str


def page(runs: Sequence[Run], lang: Lang = "en") -> bytes:
    """The file, worst first; ``lang`` is the language that it opens in.

    Where it would get too large, rows of evidence are left out first, then whole runs, and it says so.
    """
    by_run = {id(run.card): run for run in runs}
    ordered = [by_run[id(card)] for card in worst_first(run.card for run in runs)]
    for most in ROWS:
        made = _page(ordered, len(ordered), most, lang)
        if len(made) <= MOST_BYTES:
            return made
    kept = len(ordered)
    while kept and len(made) > MOST_BYTES:
        kept = min(kept - 1, kept * MOST_BYTES // len(made))
        made = _page(ordered, kept, ROWS[-1], lang)
    return made


def _page(runs: Sequence[Run], kept: int, most_rows: int, lang: Lang) -> bytes:
    shown = [views(run, number, most_rows) for number, run in enumerate(runs[:kept], 1)]
    pages = [_in(each, runs, [view[each] for view in shown], most_rows) for each in LANGUAGES]
    title = word(lang, "page.title" if len(runs) == 1 else "page.titles")
    return _file("page.html", f"{title}: {called(runs[0].card)}" if len(runs) == 1 else title, pages, lang)


def history_page(trend: Trend, rows: Sequence[RunRow], findings: Sequence[Standing] | None, lang: Lang = "en") -> bytes:
    """The history of drills. ``rows`` are the runs that it is made from, ``findings`` None where there is no file."""
    shown = history.document(trend, rows, findings)
    pages = [shown[each] | {"heads": history.heads(each)} for each in LANGUAGES]
    return _file("history.html", word(lang, "history.title"), pages, lang)


def _file(template: str, title: str, pages: Sequence[dict[str, Any]], lang: Lang) -> bytes:
    style = Markup((TEMPLATES / "page.css").read_text(encoding="utf-8"))  # noqa: S704  # our own file
    made = _environment().get_template(template)
    return made.render(lang=lang, title=title, style=style, pages=pages, version=version("kunren")).encode()


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_harmless,
    )
    made.globals |= {
        "sign": lambda tone: MARKS.get(tone, "?"),
        "tone": lambda tone: TONES.get(tone, "none"),
        "cells": _cells,
        "paper_rows": PAPER_ROWS,
        "paper_steps": PAPER_STEPS,
    }
    return made


def _harmless(value: Any) -> Any:
    """Foreign text made visible, and no number parted from its unit."""
    return UNIT.sub("\N{NO-BREAK SPACE}", visible(value)) if type(value) is str else value


def _cells(rows: Sequence[Any], w: Any) -> list[tuple[str, str, str]]:
    """Rows of evidence as a table takes them."""
    return [(row.reference, seconds(row.at), row.content or w("evidence.gone")) for row in rows]


def _in(lang: Lang, runs: Sequence[Run], shown: list[View], most_rows: int) -> dict[str, Any]:
    left = len(runs) - len(shown)
    notes = [word(lang, "page.left-out", n=left)] if left else []
    if most_rows < ROWS[0]:
        notes.append(word(lang, "page.less-evidence", n=most_rows))
    ids = [view.id for view in shown] + [""] * left
    several = len(runs) > 1
    return {
        "lang": lang,
        "w": partial(word, lang),
        "heading": word(lang, "page.titles" if several else "page.title"),
        "count": word(lang, "page.runs", n=len(runs)),
        "heads": [word(lang, f"col.{name}") for name in ("drill", "verdict", "recover", "run")],
        "rows": [_listed(run.card, link, lang) for run, link in zip(runs, ids, strict=True)] if several else [],
        "notes": notes,
        "views": shown,
        "footer": word(lang, "page.footer", version=version("kunren")),
    }


def _listed(card: Scorecard, link: str, lang: Lang) -> Listed:
    judged = judges(card)
    grade = f" — {known(lang, f'grade.{card.grade}', card.grade)}" if card.grade else ""
    recover = card.span("recover")
    title = card.title.get(lang) or card.title.get("en") or called(card)
    return Listed(
        f"{title} ({called(card)} · {arm_name(lang, card.arm)})",
        card.verdict if judged else "unknown",
        word(lang, f"verdict.{card.verdict if judged else 'none'}") + grade,
        DASH if recover is None else seconds(max(0.0, recover[1])),
        card.run,
        link,
    )
