"""Verbs that start nothing: list, doctor, lint, schema, runbook show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from drills.commands.catalog import listing
from drills.commands.common import DEFAULT_RUNS, Lang, Runs, Target, as_json, console, language, say, say_line, write
from drills.commands.doctor import examine
from drills.errors import Refused, UnknownName
from drills.exits import EXIT_FAIL, EXIT_REFUSED
from drills.record.arm import RUNBOOK, Arm, ArmKind
from drills.spec.drill import catalogue, load_drill
from drills.spec.lint import lint as lint_files
from drills.spec.planning import runbook_of
from drills.spec.runbook import load_runbook
from drills.spec.runbook_text import render_page
from drills.spec.schemas import SCHEMAS, schema
from drills.spec.target import system, words_of
from drills.spec.vocabulary import embedded
from reports.cells import print_table


def register(app: typer.Typer) -> None:
    """Add the verbs of this family."""
    app.command("list")(list_drills)
    app.command("doctor")(doctor)
    app.command("lint")(lint)
    app.command("schema")(show_schema)
    runbooks = typer.Typer(help="Runbooks as a person follows them.", no_args_is_help=True)
    runbooks.command(
        "show",
        epilog="Examples: kunren runbook show exchange-link-down --lang ja"
        " · kunren runbook show night-batch-lock --wrong reopen-early",
    )(show_page)
    app.add_typer(runbooks, name="runbook")


def list_drills(
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    lang: Lang = "en",
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """List every drill of the catalogue: slug, title, sources, fidelity, how long it takes at most, last verdict."""
    rows = listing(runs)
    if json:
        write(as_json(rows), "-")
        return
    heads = (Column("drill", no_wrap=True), "title", "sources", "fidelity", Column("at most", no_wrap=True))
    table = Table(*heads, Column("last verdict", min_width=20), box=None, pad_edge=False)
    for row in rows:
        title, sources = row.title[language(lang)], ", ".join(row.sources)
        table.add_row(row.drill, title, sources, row.fidelity, f"{row.takes_s} s", row.last)
    print_table(console(to_stderr=False), table)


def doctor(
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False, runs: Runs = DEFAULT_RUNS
) -> None:
    """Say what this machine offers for drills, what is missing, and the fix. Exit 3 when drills cannot run here."""
    findings = examine(runs)
    if json:
        write(as_json(findings), "-")
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        for fold in ("ellipsis", "ellipsis", "fold"):
            table.add_column(overflow=fold)
        for each in findings:
            mark = "ok" if each.ok else ("MISSING" if each.needed else "absent")
            table.add_row(mark, each.what, each.says + (f"\n  fix: {each.fix}" if each.fix else ""))
        print_table(console(to_stderr=False), table)
    raise typer.Exit(EXIT_REFUSED if any(each.needed and not each.ok for each in findings) else 0)


def lint(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DRILL|PATH]...", help="Drills by name, files or folders; default: the catalogue."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    target: Target = "local",
) -> None:
    """Check drill files, runbooks and target files without starting anything. Exit 1 when something is wrong."""
    findings = lint_files([_meant(each) for each in paths or ()], words_of(target), system(target).capabilities())
    if json:
        write(as_json(findings), "-")
    else:
        for found in findings:
            say_line(str(found))
        if all(found.note for found in findings):
            say("drills and runbooks: nothing to complain about")
    raise typer.Exit(0 if all(found.note for found in findings) else EXIT_FAIL)


def _meant(name: str) -> Path:
    """The folder of the catalogue's drill of this name; any other name is a path."""
    known = catalogue()
    return known[name].parent if name in known and not Path(name).exists() else Path(name)


def show_schema(
    what: Annotated[str, typer.Argument(help=f"One of: {', '.join(SCHEMAS)}.")] = "drill",
) -> None:
    """Print the JSON Schema of a file format, for an editor that completes drill files."""
    if what not in SCHEMAS:
        raise UnknownName("schema", what, tuple(SCHEMAS))
    write(as_json(schema(what)), "-")


def show_page(
    where: Annotated[str, typer.Argument(metavar="DRILL|FILE", help="A drill of the catalogue, or a runbook file.")],
    wrong: Annotated[
        str | None, typer.Option("--wrong", metavar="NAME", help="A wrong variant of the drill's, differences marked.")
    ] = None,
    lang: Lang = "en",
) -> None:
    """Show the runbook as a person follows it."""
    path, tool = Path(where), embedded().operator
    if path.is_file() and "runbook" in path.read_text(errors="replace")[:200]:
        if wrong is not None:
            raise Refused("--wrong goes with a drill, not with a runbook file")
        runbook = load_runbook(path, tool)
    else:
        arm = RUNBOOK if wrong is None else Arm(ArmKind.WRONG, wrong)
        runbook = runbook_of(load_drill(where), arm) or load_runbook(path, tool)
    say(render_page(runbook, language(lang)))
