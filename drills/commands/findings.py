"""The verbs on findings: sync, list, show, assign, accept, overdue; ``retest`` lies beside this file."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from drills.commands.common import DEFAULT_RUNS, Lang, Runs, as_json, console, language, writable, write
from drills.commands.retest import retest
from drills.commands.syncing import bring_up_to_date
from drills.errors import Refused
from drills.exits import EXIT_FAIL
from drills.findings.state import LONGEST, by_urgency, standing
from drills.findings.store import Store
from drills.spec.calendarkinds import day_of
from drills.spec.findingsfile import Acceptance, same_person
from reports.findings import print_finding, print_findings, print_rows, print_synced
from reports.history_words import words
from targets.visible import visible_line

DEFAULT_FILE = Path("findings.yaml")
GRACE_DAYS = 7

File = Annotated[Path, typer.Option("--file", metavar="FILE", help="The findings; belongs into version control.")]
Ref = Annotated[str, typer.Argument(metavar="ID", help="A finding, or an unambiguous beginning of its id.")]
On = Annotated[str | None, typer.Option("--on", metavar="DATE", help="As of this day; default: today.")]
Grace = Annotated[
    int, typer.Option("--grace", metavar="DAYS", min=0, help="How long a finding may be without owner and due date.")
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this family."""
    findings = typer.Typer(
        help="What failed in drills: whose it is, by when; closed only by retests with drawn seeds.",
        no_args_is_help=True,
    )
    findings.command("sync", epilog="Example: kunren findings sync --runs runs --file findings.yaml")(sync)
    findings.command("list", epilog="Example: kunren findings list --all --json")(list_findings)
    findings.command("show", epilog="Example: kunren findings show F-3f9c21aa --lang ja")(show)
    findings.command(
        "assign", epilog="Example: kunren findings assign F-3f9c21aa --owner sato --due 2026-12-31 --ticket OPS-123"
    )(assign)
    findings.command(
        "accept",
        epilog='Example: kunren findings accept F-3f9c21aa --reason "replaced in March" --until 2027-03-31'
        " --approver suzuki",
    )(accept)
    findings.command("retest", epilog="Example: kunren findings retest F-3f9c21aa")(retest)
    findings.command("overdue", epilog="Example, for a pipeline: kunren findings overdue --grace 14")(overdue)
    app.add_typer(findings, name="findings")


def sync(runs: Runs = DEFAULT_RUNS, file: File = DEFAULT_FILE, lang: Lang = "en", json: Json = False) -> None:
    """Bring the file up to date with the runs at hand: what failed, came back, or was shown to be no more.

    Only what was declared to pass counts. What persons have set is never changed.
    """
    said, store = language(lang), Store.read(file)
    writable(str(file))
    found = bring_up_to_date(store, runs)
    if json:
        write(as_json({"schema": "kunren.findings-sync/1", **msgspec.to_builtins(found)}), "-")
    else:
        print_synced(console(to_stderr=False), found, said)


def list_findings(
    every: Annotated[bool, typer.Option("--all", help="Those accepted and closed as well.")] = False,
    file: File = DEFAULT_FILE,
    on: On = None,
    grace: Grace = GRACE_DAYS,
    lang: Lang = "en",
    json: Json = False,
) -> None:
    """List what is open: what is late first, then the most severe."""
    said = language(lang)
    found = by_urgency(Store.read(file).findings, day(on), timedelta(days=grace))
    if json:
        document = {"schema": "kunren.findings-list/1", "findings": found}
        write(as_json(document), "-")
    else:
        print_findings(console(to_stderr=False), found, said, every=every)


def show(ref: Ref, file: File = DEFAULT_FILE, on: On = None, grace: Grace = GRACE_DAYS, lang: Lang = "en") -> None:
    """Show one whole: who has it, where it was seen, all retests."""
    found = standing(Store.read(file).find(ref), day(on), timedelta(days=grace))
    print_finding(console(to_stderr=False), found, language(lang))


def assign(
    ref: Ref,
    owner: Annotated[str | None, typer.Option("--owner", help="Who has to see to it.")] = None,
    due: Annotated[str | None, typer.Option("--due", metavar="DATE", help="By when.")] = None,
    ticket: Annotated[str | None, typer.Option("--ticket", help="Where it is worked on.")] = None,
    cause: Annotated[str | None, typer.Option("--cause", help="The root cause, in a sentence.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Anything else worth knowing.")] = None,
    file: File = DEFAULT_FILE,
    lang: Lang = "en",
) -> None:
    """Say whose it is and by when, its ticket, its root cause; what is not named stays."""
    said, store = language(lang), Store.read(file)
    finding = store.find(ref)
    texts = {"owner": owner, "ticket": ticket, "cause": cause, "note": note}
    changed: dict[str, str | date] = {name: _text(name, value) for name, value in texts.items() if value is not None}
    if due is not None:
        changed["due"] = day(due, "--due")
    if not changed:
        raise Refused("nothing to set", "give --owner, --due, --ticket, --cause or --note")
    after = msgspec.structs.replace(finding, **changed)
    if after.accepted is not None and after.owner is not None and same_person(after.owner, after.accepted.approver):
        raise Refused(f"{after.owner} has accepted the risk of {after.id}", "name another owner, or accept it anew")
    store.write(store.replaced(after))
    today = day(None)
    print_finding(console(to_stderr=False), standing(after, today, timedelta(days=GRACE_DAYS)), said)


def accept(
    ref: Ref,
    reason: Annotated[str, typer.Option("--reason", help="Why the risk is borne.")],
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The acceptance runs out after this day.")],
    approver: Annotated[str, typer.Option("--approver", help="Who bears it; not the owner.")],
    file: File = DEFAULT_FILE,
    on: On = None,
    lang: Lang = "en",
) -> None:
    """Accept the risk of a finding, for a time, by somebody who is not its owner."""
    said, store = language(lang), Store.read(file)
    finding, today, last = store.find(ref), day(on), day(until, "--until")
    by = _text("approver", approver)
    if finding.owner is None:
        raise Refused(f"{finding.id} has no owner", f"first: kunren findings assign {finding.id} --owner NAME")
    if same_person(finding.owner, by):
        raise Refused(f"{by} owns {finding.id} and cannot accept its risk", "somebody else has to")
    if finding.closed is not None:
        raise Refused(f"{finding.id} is closed", "nothing is left to accept")
    if not today <= last <= today + LONGEST:
        raise Refused(f"--until {last} is not within a year from {today}", "give a day on which to think of it again")
    risk = Acceptance(reason=_text("reason", reason), until=last, approver=by, since=today)
    after = msgspec.structs.replace(finding, accepted=risk)
    store.write(store.replaced(after))
    print_finding(console(to_stderr=False), standing(after, today, timedelta(days=GRACE_DAYS)), said)


def overdue(
    file: File = DEFAULT_FILE, on: On = None, grace: Grace = GRACE_DAYS, lang: Lang = "en", json: Json = False
) -> None:
    """Say what is late: past its due date, accepted until a day that has passed, or nobody's for too long.

    Exit 1 where anything is, for pipelines.
    """
    said, today = language(lang), day(on)
    late = [one for one in by_urgency(Store.read(file).findings, today, timedelta(days=grace)) if one.late]
    if json:
        write(as_json({"schema": "kunren.findings-list/1", "findings": late}), "-")
    else:
        out = console(to_stderr=False)
        if late:
            print_rows(out, late, said)
        out.print(words(said, "findings.late", n=len(late)) if late else words(said, "findings.late.none", date=today))
    raise typer.Exit(EXIT_FAIL if late else 0)


def day(written: str | None, option: str = "--on") -> date:
    """The day that is written, else today; Refused for what is no date."""
    if written is None:
        return datetime.now().astimezone().date()
    found = day_of(written)
    if found is None:
        raise Refused(f"{option} {written!r} is no date", "such as 2026-12-31, from 2000 to 2099")
    return found


def _text(name: str, value: str) -> str:
    found = visible_line(value.strip())
    if not found:
        raise Refused(f"--{name} is empty", "say something, or edit the file to take it out")
    return found
