"""The verb that shows the history of drills: trend."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from drills.archive.index import indexed
from drills.archive.trends import trend
from drills.commands.common import DEFAULT_RUNS, Lang, as_json, console, language, writable, write
from drills.commands.findings import DEFAULT_FILE as FINDINGS
from drills.commands.findings import GRACE_DAYS, day
from drills.commands.report import Html, Pdf, deliver, refuse_page
from drills.errors import Refused
from drills.findings.state import Standing, by_urgency
from drills.findings.store import Store
from drills.record.arm import RUNBOOK
from drills.record.dates import Journal, fates
from drills.record.register import read_register
from reports.trends import print_trend

EVERY = "all"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "trend",
        epilog="Examples: kunren trend · kunren trend runs --drill night-batch-lock --json - · kunren trend --arm all"
        " · kunren trend --html history.html",
    )(show_trend)


def show_trend(
    runs: Annotated[Path, typer.Argument(metavar="[RUNS]", help="Folder of the runs.")] = DEFAULT_RUNS,
    drill: Annotated[list[str] | None, typer.Option("--drill", help="Only this drill (may be repeated).")] = None,
    arm: Annotated[str, typer.Option("--arm", help="Runs of this arm, or all.")] = str(RUNBOOK),
    lang: Lang = "en",
    json: Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="The history as JSON.")] = None,
    html: Html = None,
    pdf: Pdf = None,
    file: Annotated[
        Path, typer.Option("--findings", metavar="FILE", help="On the page, where it is there.")
    ] = FINDINGS,
) -> None:
    """Show the history of drills, the worst first: last verdicts, medians of recovery and loss, where a line breaks and
    why, and what was started and has no card. Exit 0 whatever it shows.
    """
    writable(json, html, pdf)
    refuse_page(html, pdf)
    said = language(lang)
    if not runs.is_dir():
        raise Refused(f"there is no folder {runs}", "name the folder of the runs, or start one with: kunren run DRILL")
    found = indexed(runs)

    def wanted(called: str, in_arm: str) -> bool:
        return arm in (EVERY, in_arm) and (not drill or called in drill)

    history = trend(found.rows, read_register(runs), found.unread, wanted, fates(Journal(runs).entries()))
    print_trend(console(to_stderr=json == "-"), history, str(runs), said)
    if json is not None:
        write(as_json({"schema": "kunren.trend/1", "trend": history}), json)
    if html is not None or pdf is not None:
        from reports.pages.render import history_page  # here: who asks for no page does not wait for what lays it out

        rows = [row for row in found.rows if wanted(row.called, row.arm)]
        deliver(history_page(history, rows, _findings(file), said), html, pdf)


def _findings(file: Path) -> list[Standing] | None:
    """How they stand today; None where there is no such file."""
    if not file.exists():
        return None
    return by_urgency(Store.read(file).findings, day(None), timedelta(days=GRACE_DAYS))
