"""The verbs on all runs of a folder: runs list, verify, prune, export."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.cells import cell_len

from drills.archive.crosscheck import examine
from drills.archive.export import export
from drills.archive.index import indexed
from drills.archive.prune import chosen, prune
from drills.archive.trends import without_card
from drills.commands.common import DEFAULT_RUNS, Lang, Runs, as_json, language, say, say_line, writable, write
from drills.errors import Refused
from drills.exits import EXIT_FAIL
from drills.record.register import read_register
from drills.record.runs import find_run, list_runs
from drills.spec.findingsfile import load_findings
from reports.cells import pad
from reports.history_words import verdict_words, words
from reports.trends import day
from targets.visible import visible_line

Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this family."""
    runs = typer.Typer(help="What lies in the folder of runs: list, verify, prune, export.", no_args_is_help=True)
    runs.command("list", epilog="Example: kunren runs list --drill night-batch-lock --json")(list_all)
    runs.command("verify", epilog="Examples: kunren runs verify · kunren runs verify --head 3f9c… --evidence")(verify)
    runs.command("prune", epilog="Example: kunren runs prune --keep 20 --older-than 90 --dry-run")(prune_runs)
    runs.command("export", epilog="Example: kunren runs export drills-2026.zip --findings findings.yaml")(export_runs)
    app.add_typer(runs, name="runs")


def list_all(
    drill: Annotated[list[str] | None, typer.Option("--drill", help="Only this drill (may be repeated).")] = None,
    runs: Runs = DEFAULT_RUNS,
    lang: Lang = "en",
    json: Json = False,
) -> None:
    """List every run, the newest first, those without a card among them."""
    said, found, register = language(lang), indexed(runs), read_register(runs)
    rows = [row for row in found.rows if not drill or row.called in drill][::-1]
    unread = {run: why for run, why in found.unread.items() if not drill or run.partition("/")[0] in drill}
    lost = [each for each in without_card(found.rows, register, found.unread) if not drill or each.drill in drill]
    if json:
        write(as_json({"schema": "kunren.runs/1", "runs": rows, "without_card": lost, "unread": unread}), "-")
        return
    lines = [(words(said, "runs.run"), words(said, "runs.verdict"), words(said, "runs.at"))]
    lines += [(row.run, verdict_words(said, row.verdict), day(row.at)) for row in rows]
    lines += [(each.run, words(said, "runs.no-card"), day(each.at)) for each in lost[::-1]]
    lines += [(run, why, "") for run, why in unread.items()]
    wide = [max(cell_len(visible_line(line[column])) for line in lines) for column in (0, 1)]
    for run, verdict, at in lines:  # no table: there may be many thousands
        say_line(f"{pad(visible_line(run), wide[0])}  {pad(visible_line(verdict), wide[1])}  {at}".rstrip())


def verify(
    head: Annotated[
        str | None, typer.Option("--head", metavar="SHA256", help="A head of the register that you kept elsewhere.")
    ] = None,
    evidence: Annotated[bool, typer.Option("--evidence", help="Also each run against its own checksums.")] = False,
    runs: Runs = DEFAULT_RUNS,
    json: Json = False,
) -> None:
    """Say whether register and run folders tell the same: no attempt hidden, no card exchanged, no line cut off.

    Exit 1 where something does not fit.
    """
    found = examine(runs, head, evidence=evidence)
    if json:
        entries = {"entries": len(found.register.entries), "head": found.register.head}
        document = {"schema": "kunren.verified-runs/1", **entries, "problems": found.problems, "notes": found.notes}
        write(as_json(document), "-")
    else:
        for problem in found.problems:
            say_line(f"PROBLEM: {problem}")
        for note in found.notes:
            say_line(f"note: {note}")
        say(f"{found.runs} runs, {len(found.register.entries)} entries in the register")
        if found.register.head is not None:
            say(f"head {found.register.head} (keep it elsewhere: it proves later that nothing was rewritten)")
        if not found.problems:
            say("register and runs fit")
    raise typer.Exit(EXIT_FAIL if found.problems else 0)


def prune_runs(
    keep: Annotated[
        int | None, typer.Option("--keep", min=0, help="Leave the newest N of each drill and arm whole.")
    ] = None,
    older_than: Annotated[
        int | None, typer.Option("--older-than", metavar="DAYS", min=0, help="Only runs older than so many days.")
    ] = None,
    findings: Annotated[
        Path | None, typer.Option("--findings", metavar="FILE", help="Leave runs whole that its open findings name.")
    ] = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    runs: Runs = DEFAULT_RUNS,
    json: Json = False,
) -> None:
    """Remove the evidence of old runs to make room; their cards and the register stay, and what was removed is entered.

    Such a run cannot be judged again. Export first what an auditor may ask for.
    """
    if keep is None and older_than is None:
        raise Refused("which runs are to be pruned?", "give --keep N, --older-than DAYS or both")
    before = None if older_than is None else datetime.now(UTC) - timedelta(days=older_than)
    spared = set() if findings is None else _named_by(findings)
    mine = chosen(indexed(runs).rows, keep=keep, before=before, spared=spared)
    outcomes = [prune(runs, run, really=not dry) for run in mine]
    if json:
        write(as_json({"schema": "kunren.pruned-runs/1", "dry_run": dry, "runs": outcomes}), "-")
        return
    gone = [each for each in outcomes if each.freed]
    for each in outcomes:
        if each.left:
            say_line(f"left as it is: {each.run}: {each.left}")
    freed = sum(each.freed for each in gone) / 2**20
    say(f"{'would free' if dry else 'freed'} {freed:,.1f} MiB of {len(gone)} runs; their cards and the register stay")


def _named_by(file: Path) -> set[str]:
    """Runs in which what is still open was seen or retested. Refused where there is no file, or no such one."""
    if not file.is_file():
        raise Refused(f"there is no file {file}")
    still = [finding for finding in load_findings(file) if finding.closed is None]
    seen = {seen.run for finding in still for seen in (finding.first_seen, finding.last_seen, *finding.recurrences)}
    return seen | {attempt.run for finding in still for attempt in finding.retests}


def export_runs(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The zip file to write.")],
    refs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Folders, last, or prefixes; default: all.")
    ] = None,
    cards_only: Annotated[bool, typer.Option("--cards-only", help="Without the evidence.")] = False,
    findings: Annotated[
        Path | None, typer.Option("--findings", metavar="FILE", help="findings.yaml, to go with it.")
    ] = None,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Write what an auditor takes away: cards, register, evidence, and a program that checks it all without kunren."""
    writable(str(file))
    folders = list(dict.fromkeys(find_run(runs, ref) for ref in refs)) if refs else list_runs(runs)
    if not folders:
        raise Refused(f"there is no run in {runs}", "start one with: kunren run DRILL")
    if findings is not None and not findings.is_file():
        raise Refused(f"there is no file {findings}")
    made = export(file, runs, folders, findings, cards_only=cards_only)
    say(f"{file}: {made.runs} runs, {made.size / 2**20:,.1f} MiB, sha256 {made.sha256}")
    if made.manifest.register_head is not None:
        say(f"head of the register {made.manifest.register_head}")
    say("unpack it and check it with: python3 check.py")
