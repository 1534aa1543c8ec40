"""The verb that renders runs again: report. And the page, for verbs that make cards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drills.cards import compare_with_kept, judge
from drills.commands.common import DEFAULT_RUNS, Lang, Runs, console, language, writable, write
from drills.commands.execution import Junit
from drills.errors import Refused
from drills.exits import complain
from drills.judge.scorecard import Scorecard
from drills.record.folder import find_run, sealed, verify_evidence
from drills.record.names import DRILL
from drills.spec.places import places
from reports.junit import junit_bytes
from reports.terminal import print_card
from reports.texts import Lang as Language

if TYPE_CHECKING:
    from reports.pages.model import Run

Html = Annotated[str | None, typer.Option("--html", metavar="FILE", help="The page: one file, to open or hand on.")]
Pdf = Annotated[str | None, typer.Option("--pdf", metavar="FILE", help="The page on paper; needs a Chromium browser.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "report",
        epilog="Examples: kunren report last --html card.html · kunren report last --lang ja --pdf card.pdf"
        " · kunren report night-batch-lock/20261122T172643 night-batch-lock/20261122T173246 --html both.html",
    )(report)


def report(
    refs: Annotated[list[str], typer.Argument(metavar="RUN…", help="Folders, last, or unambiguous prefixes.")],
    html: Html = None,
    pdf: Pdf = None,
    junit: Junit = None,
    runs: Runs = DEFAULT_RUNS,
    lang: Lang = "en",
) -> None:
    """Show runs again, as their cards lie in the folders: here, on a page, on paper or for CI. Always exit 0.

    The page is in English and Japanese; --lang says which it opens in, and which goes to paper.
    """
    writable(html, pdf, junit)
    refuse_page(html, pdf)
    said = language(lang)
    folders = list(dict.fromkeys(find_run(runs, ref).resolve() for ref in refs))
    shown = [shown_run(folder) for folder in folders]
    for run in shown:
        for problem in run.problems:
            complain(f"{run.folder}: {problem}")
    if html is None and pdf is None and junit is None:
        out = console(to_stderr=False)
        for run in shown:
            print_card(out, run.card, run.history, run.folder, lang=said)
    deliver_page(shown, html, pdf, said)
    if junit is not None:
        files = {run.card.run: run.folder / DRILL for run in shown}
        write(junit_bytes([run.card for run in shown], lambda card: places(files[card.run])), junit)


def shown_run(folder: Path) -> Run:
    """A run with its card as it lies in the folder, and what does not fit."""
    from reports.pages.model import Run  # here: whoever asks for no page does not wait for what lays it out

    judged = compare_with_kept(folder)
    changed = verify_evidence(folder) if sealed(folder) else []
    return Run(judged.card, judged.history, folder, (*judged.problems, *changed))


def deliver_page(runs: Sequence[Run], html: str | None, pdf: str | None, lang: Language) -> None:
    """To the files asked for, if any; nothing where there are no runs."""
    if not runs or (html is None and pdf is None):
        return
    from reports.pages.render import page

    deliver(page(runs, lang), html, pdf)


def deliver(content: bytes, html: str | None, pdf: str | None) -> None:
    """A page to the files asked for."""
    if html is not None:
        write(content, html)
    if pdf is not None:
        from reports.pages.paper import printed

        write(printed(content), pdf)


def deliver_page_of(cards: Iterable[Scorecard], runs: Path, html: str | None, lang: Language) -> None:
    """The same for runs that have just been made, from their folders below ``runs``."""
    if html is None:
        return
    from reports.pages.model import Run

    found = [(card, runs / card.run) for card in cards]
    deliver_page([Run(card, judge(folder)[1], folder) for card, folder in found], html, None, lang)


def refuse_page(html: str | None, pdf: str | None = None) -> None:
    """Refused where a page is to go to stdout, which carries other things, or nothing is there to print it with."""
    if html == "-":
        raise Refused("--html goes into a file", "name one, such as card.html")
    if pdf == "-":
        raise Refused("--pdf goes into a file", "name one, such as card.pdf")
    if pdf is not None:
        from reports.pages.paper import browser

        browser()
