"""The verb that judges again: check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from drills.cards import compare_with_kept, rejudge
from drills.commands.common import DEFAULT_RUNS, Lang, Runs, console, language, worst
from drills.commands.execution import Json, Junit, OpenMetrics, Outputs, Quiet, deliver, exit_code
from drills.commands.report import Html, deliver_page, refuse_page, shown_run
from drills.errors import Refused
from drills.exits import EXIT_FAIL, complain
from drills.judge.scorecard import Scorecard
from drills.record.folder import find_run, sealed, verify_evidence
from drills.record.names import DRILL
from drills.record.tampering import Findings, examine
from reports.terminal import print_card


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "check", epilog="Examples: kunren check last · kunren check last --json - · kunren check last --evidence"
    )(check)


def check(
    refs: Annotated[list[str], typer.Argument(metavar="RUN…", help="A folder, last, or an unambiguous prefix.")],
    evidence: Annotated[bool, typer.Option("--evidence", help="Also look whether anything was tampered with.")] = False,
    public_key: Annotated[
        Path | None, typer.Option("--public-key", metavar="FILE", help="Who must have signed it; with --evidence.")
    ] = None,
    anew: Annotated[
        bool, typer.Option("--rejudge", help="Write the card that this version gives into the folder.")
    ] = False,
    runs: Runs = DEFAULT_RUNS,
    lang: Lang = "en",
    json: Json = None,
    junit: Junit = None,
    openmetrics: OpenMetrics = None,
    html: Html = None,
    quiet: Quiet = False,
) -> None:
    """Judge again from the run folder alone, and compare with the card that lies there: the same, byte for byte.

    Writes nothing into the folder but with --rejudge. Exit 1 also where the card is not what the inputs give.
    """
    if public_key is not None and not evidence:
        raise Refused("--public-key without --evidence", "say both")
    to = Outputs(json, junit, openmetrics, html)
    to.refuse_unwritable()
    refuse_page(html)
    out, said = console(to_stderr=to.to_stdout), language(lang)
    cards: list[Scorecard] = []
    problems: list[str] = []
    files: dict[str, Path] = {}
    folders = [find_run(runs, ref) for ref in refs]
    for folder in folders:
        judged = rejudge(folder) if anew else compare_with_kept(folder)
        found = examine(folder, public_key) if evidence else Findings([], [])
        mismatch = not evidence and sealed(folder) and bool(verify_evidence(folder))
        if not quiet:
            print_card(out, judged.card, judged.history, folder, lang=said)
        for note in (
            *(f"{folder}: {each}" for each in judged.notes),
            *(f"evidence: {folder}: {each}" for each in found.notes),
        ):
            out.print(note, soft_wrap=True)
        if mismatch:
            complain(f"evidence does not match: {folder}: see kunren check {folder} --evidence")
        cards.append(judged.card)
        files[judged.card.run] = folder / DRILL
        problems += [f"{folder}: {problem}" for problem in (*judged.problems, *found.problems)]
    _tell(out, problems, evidence)
    deliver(cards, to, files)
    deliver_page([shown_run(folder) for folder in folders] if html else [], html, None, said)
    raise typer.Exit(EXIT_FAIL if problems else worst(exit_code(card.verdict) for card in cards))


def _tell(out: Console, problems: list[str], evidence: bool) -> None:
    """What does not fit; who asked for the evidence gets it as the answer, with or without problems."""
    for problem in problems:
        if evidence:
            out.print(f"evidence: {problem}", style="red", soft_wrap=True)
        else:
            complain(problem)
    if evidence and not problems:
        out.print("evidence: nothing was changed since the run was sealed")
