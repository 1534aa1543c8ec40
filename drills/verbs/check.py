"""The verb that judges again: check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drills.errors import Refused
from drills.exits import EXIT_FAIL, complain
from drills.judge import judge
from drills.store import find_run, sealed, verify_evidence, write_card
from drills.tampering import Findings, examine
from drills.verbs.common import DEFAULT_RUNS, Lang, Runs, console, language, worst, writable
from drills.verbs.execution import Json, Junit, Quiet, deliver, exit_code
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
    runs: Runs = DEFAULT_RUNS,
    lang: Lang = "en",
    json: Json = None,
    junit: Junit = None,
    quiet: Quiet = False,
) -> None:
    """Judge again from the run folder alone: the same card, byte for byte."""
    if public_key is not None and not evidence:
        raise Refused("--public-key without --evidence", "say both")
    writable(json, junit)
    out, said = console(to_stderr=json == "-"), language(lang)
    cards, problems = [], []
    for folder in [find_run(runs, ref) for ref in refs]:
        card, history = judge(folder)
        found = examine(folder, card, public_key) if evidence else Findings([], [])
        changed = found.problems or (verify_evidence(folder) if sealed(folder) else [])
        if not changed:  # else whoever looks into tampering wants the folder as it was found
            write_card(folder, card)
        elif not evidence:
            complain(f"evidence does not match: {folder}: see kunren check {folder} --evidence")
        if not quiet:
            print_card(out, card, history, folder, lang=said)
        for note in found.notes:
            out.print(f"evidence: {folder}: {note}", markup=False, soft_wrap=True)
        cards.append(card)
        problems += [f"{folder}: {problem}" for problem in found.problems]
    for problem in problems:
        out.print(f"evidence: {problem}", style="red", markup=False, soft_wrap=True)
    if evidence and not problems:
        out.print("evidence: nothing was changed since the run was sealed", markup=False)
    deliver(cards, json, junit)
    raise typer.Exit(EXIT_FAIL if problems else worst(exit_code(card) for card in cards))
