"""The verb that runs drills."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from drills.commands.common import DEFAULT_RUNS, Lang, Runs, Target, console, language, worst
from drills.commands.execution import (
    USUAL_REACTION,
    Json,
    Junit,
    OpenMetrics,
    Outputs,
    Proxy,
    Quiet,
    Reaction,
    Seed,
    chosen,
    conduct,
    deliver,
    drawn_seed,
    exit_code,
    leave,
    parse_time,
    possible,
)
from drills.commands.many import carry_out_many
from drills.commands.person import pace_of, person_of, refuse_person
from drills.commands.report import Html, deliver_page_of, refuse_page
from drills.judge.repeats import repeated
from drills.judge.scorecard import Scorecard
from drills.record.names import CARD
from drills.spec.planning import arm_of, usual_arm
from drills.spec.request import RunRequest, again
from reports.card import called
from reports.texts import Lang as Language

Drills = Annotated[list[str] | None, typer.Argument(metavar="DRILL|PATH…", help="Names of the catalogue, or files.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "run",
        epilog="Examples: kunren run exchange-link-down · kunren run exchange-link-down --arm no-action --seed 7"
        " --json - · kunren run --all --junit report.xml · kunren run night-batch-lock --operator human --name Sato",
    )(run_drills)


def run_drills(
    drills: Drills = None,
    every: Annotated[bool, typer.Option("--all", help="Every drill of the catalogue.")] = False,
    target: Target = "local",
    arm: Annotated[
        str | None,
        typer.Option(
            "--arm",
            help="runbook, no-action, no-fault, false-alarm, without:STEP or wrong:NAME; default: runbook, where there"
            " is one, else no-action.",
        ),
    ] = None,
    runbook: Annotated[Path | None, typer.Option("--runbook", help="Another runbook behind the alert's link.")] = None,
    reaction: Reaction = USUAL_REACTION,
    operator: Annotated[
        str, typer.Option("--operator", metavar="auto|human", help="Who acts: a robot, or you, in this terminal.")
    ] = "auto",
    name: Annotated[str | None, typer.Option("--name", help="Whose actions these are; default: your login.")] = None,
    role: Annotated[str, typer.Option("--role", help="In which role you are on call.")] = "operator",
    pace: Annotated[
        str | None,
        typer.Option("--pace", metavar="robot|person", help="default: person where a person acts, else robot."),
    ] = None,
    proxy: Proxy = "auto",
    seed: Seed = None,
    repeat: Annotated[
        int,
        typer.Option(
            "--repeat",
            min=1,
            help="Runs per drill; seeds count up. An objective fails where more than half miss it, damage at once.",
        ),
    ] = 1,
    retry_invalid: Annotated[
        int,
        typer.Option("--retry-invalid", min=0, max=1, help="Run an invalid run once more; both cards are delivered."),
    ] = 0,
    jobs: Annotated[
        int,
        typer.Option("--jobs", min=1, max=64, help="Most runs at a time; fewer where the processors do not suffice."),
    ] = 1,
    subject: Annotated[str | None, typer.Option("--subject", help="What is drilled, such as app@1.2.3.")] = None,
    runs: Runs = DEFAULT_RUNS,
    lang: Lang = "en",
    json: Json = None,
    junit: Junit = None,
    openmetrics: OpenMetrics = None,
    html: Html = None,
    quiet: Quiet = False,
) -> None:
    """Run drills: inject, load, recover, judge. The exit code is the worst verdict."""
    to = Outputs(json, junit, openmetrics, html)
    to.refuse_unwritable()
    refuse_page(html)
    first, said, wait = drawn_seed(seed), language(lang), parse_time(reaction)
    person = person_of(operator, name, role)
    speed = pace_of(pace, person)
    orders = [
        possible(
            RunRequest(
                drill.at_pace(speed),
                arm_of(drill, arm) if arm else usual_arm(drill),
                first + turn,
                runs,
                wait,
                proxy,
                runbook,
                subject,
                target=target,
                person=person,
                drawn=seed is None,
            )
        )
        for drill in chosen(drills, every, target, proxy)
        for turn in range(repeat)
    ]
    out = console(to_stderr=to.to_stdout)
    if person is not None:
        refuse_person(orders, out, quiet=quiet)
    if len(orders) == 1:
        cards, cut = _single(orders[0], out, said, quiet, retry_invalid > 0)
    else:
        cards, cut = carry_out_many(orders, jobs, out, said, quiet=quiet, retry_invalid=retry_invalid > 0, every=every)
    files = {order.drill.called: order.drill.file for order in orders}
    deliver(cards, to, {card.run: files[called(card)] for card in cards if called(card) in files})
    deliver_page_of(cards, runs, html, said)
    if cut is not None:
        leave(cut, runs / cards[-1].run / CARD if cards else None)
    raise typer.Exit(worst(exit_code(each.verdict) for each in repeated(cards)))


def _single(
    request: RunRequest, out: Console, lang: Language, quiet: bool, retry_invalid: bool
) -> tuple[list[Scorecard], BaseException | None]:
    """One run, seen as it goes on, and its card; where it could not judge and that is asked for, once more."""
    card, cut = conduct(request, out, lang, quiet)
    if card.verdict != "invalid" or not retry_invalid or cut is not None:
        return [card], cut
    second, cut = conduct(again(request, card), out, lang, quiet)
    return [card, second], cut
