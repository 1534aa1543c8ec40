"""The verb that puts runs side by side: compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drills.cards import judge
from drills.commands.common import DEFAULT_RUNS, Lang, Runs, as_json, console, language, writable, write
from drills.errors import Refused
from drills.exits import complain
from drills.judge.keptcard import kept_card
from drills.judge.scorecard import Scorecard
from drills.record.folder import find_run
from reports.compare import comparison, render_comparison


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "compare",
        epilog="Example: kunren compare exchange-link-down/20261122T172643 exchange-link-down/20261122T173246",
    )(compare)


def compare(
    refs: Annotated[list[str], typer.Argument(metavar="RUN RUN…", help="Folders, last, or unambiguous prefixes.")],
    runs: Runs = DEFAULT_RUNS,
    lang: Lang = "en",
    json: Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="The comparison as JSON.")] = None,
) -> None:
    """Put the cards of runs side by side, the worst first, in words. Always exit 0: it compares and does not judge."""
    writable(json)
    said = language(lang)
    folders = list(dict.fromkeys(find_run(runs, ref).resolve() for ref in refs))
    if len(folders) < 2:
        raise Refused("one run alone cannot be compared", "name at least two")
    cards = [card_of(folder) for folder in folders]
    out = console(to_stderr=json == "-")
    out.print(render_comparison(cards, lang=said, width=out.width), soft_wrap=True)
    if json is not None:
        write(as_json(comparison(cards, said)), json)


def card_of(folder: Path) -> Scorecard:
    """The card that lies in the run folder, under whatever rules it was made; judged now where there is none.

    Unusable where it cannot be read now, or is of a form that this version cannot show.
    """
    kept = kept_card(folder)
    if kept is None:
        return judge(folder)[0]
    if kept.of_other_rules:
        complain(f"{folder}: {kept.note()}")
    return kept.decoded(folder)
