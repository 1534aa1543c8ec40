"""The command line put together from the families of verbs."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from drills.commands import (
    check,
    compare,
    findings,
    heal,
    inspect,
    probe,
    report,
    run,
    runs,
    schedule,
    sign,
    trend,
    verify,
)
from drills.commands.common import say

app = typer.Typer(
    name="kunren",
    help=(
        "Disaster drills that judge themselves: past incidents of brokerages, injected into a mini-brokerage under"
        " real load, recovered by a runbook, and judged by books that the fault cannot touch."
    ),
    epilog=(
        "Exit codes: 0 passed · 1 failed · 2 unknown or invalid · 3 refused to start · 70 internal error ·"
        " 129 hung up · 130 interrupted · 143 terminated"
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for family in (inspect, run, verify, check, compare, report, trend, runs, findings, sign, heal, schedule, probe):
    family.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"kunren {version('kunren')}")
        raise typer.Exit


@app.callback()
def _root(
    wanted: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version and leave.")
    ] = False,
) -> None:
    """Options before the verb."""
