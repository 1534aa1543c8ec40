"""Verbs that run and judge: run, verify, check."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from drills import planning
from drills.definition.node import TIME, UNITS
from drills.errors import MissingMeans, Refused
from drills.exits import EXIT_FAIL, EXIT_INTERRUPTED, EXIT_PASS, EXIT_TERMINATED, EXIT_UNKNOWN, complain
from drills.history import NS
from drills.interrupts import Terminated
from drills.judge import judge, judge_and_write
from drills.observation import watched_for
from drills.order import Order, page_of
from drills.runner import RunFailed, run
from drills.scorecard import Scorecard
from drills.spec import Drill, catalogue, load_drill
from drills.store import card_bytes, evidence_number, find_run, write_card
from drills.tampering import Findings, examine
from drills.verbs.common import DEFAULT_RUNS, Lang, Runs, as_json, console, language, worst, writable, write
from drills.verification import Row, tell, verify_arm
from reports.junit import junit_bytes
from reports.live import Screen
from reports.summary import summary
from reports.terminal import print_card
from reports.texts import Lang as Language
from targets.local import lacking
from targets.stack import OFFER

START_STOP_S = 10
"""What starting and stopping the embedded target takes, for the forecast."""

Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Decides onset, arrivals and fills; default: drawn.")]
Reaction = Annotated[str, typer.Option("--reaction", help="How long the robot waits after the alert, such as 6s.")]
Proxy = Annotated[str, typer.Option("--proxy", metavar="auto|embedded|toxiproxy", help="auto prefers the real one.")]
Json = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="The card (several: a summary) as JSON.")]
Junit = Annotated[str | None, typer.Option("--junit", metavar="FILE", help="One testcase per objective and check.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no card.")]
Drills = Annotated[list[str] | None, typer.Argument(metavar="DRILL|PATH…", help="Names of the catalogue, or files.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this family."""
    app.command(
        "run",
        epilog="Examples: kunren run exchange-link-down · kunren run exchange-link-down --arm no-action --seed 7"
        " --json - · kunren run --all --junit report.xml",
    )(run_drills)
    app.command("verify", epilog="Example: kunren verify exchange-link-down --repeat 3")(verify)
    app.command(
        "check", epilog="Examples: kunren check last · kunren check last --json - · kunren check last --evidence"
    )(check)


def run_drills(
    drills: Drills = None,
    every: Annotated[bool, typer.Option("--all", help="Every drill of the catalogue.")] = False,
    arm: Annotated[
        str,
        typer.Option("--arm", help="runbook, no-action, no-fault, false-alarm, without:STEP or wrong:NAME."),
    ] = "runbook",
    runbook: Annotated[Path | None, typer.Option("--runbook", help="Another page behind the alert's link.")] = None,
    reaction: Reaction = "1s",
    proxy: Proxy = "auto",
    seed: Seed = None,
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="Runs per drill; seeds count up.")] = 1,
    retry_invalid: Annotated[
        int, typer.Option("--retry-invalid", min=0, max=1, help="Run an invalid run once more; both are kept.")
    ] = 0,
    subject: Annotated[str | None, typer.Option("--subject", help="What is drilled, such as app@1.2.3.")] = None,
    runs: Runs = DEFAULT_RUNS,
    lang: Lang = "en",
    json: Json = None,
    junit: Junit = None,
    quiet: Quiet = False,
) -> None:
    """Run drills: inject, load, recover, judge. The exit code is the worst verdict."""
    writable(json, junit)
    seed, said = drawn_seed(seed), language(lang)
    orders = [
        _order(drill, arm, seed, turn, runs, reaction, proxy, runbook, subject)
        for drill in _drills(drills, every, proxy)
        for turn in range(repeat)
    ]
    out = console(to_stderr=json == "-")
    cards = []
    for order in orders:
        card = _one(order, out, said, quiet)
        if card.verdict == "invalid" and retry_invalid:
            card = _one(replace(order, attempts=2), out, said, quiet)
        cards.append(card)
    _deliver(cards, json, junit)
    raise typer.Exit(worst(_exit(card) for card in cards))


def verify(
    drills: Annotated[list[str], typer.Argument(metavar="DRILL…", help="Names of the catalogue, or files.")],
    arm: Annotated[list[str] | None, typer.Option("--arm", help="Only these arms (may be repeated).")] = None,
    seed: Seed = None,
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="Seeds per arm.")] = 1,
    reaction: Reaction = "1s",
    proxy: Proxy = "auto",
    runs: Runs = DEFAULT_RUNS,
    lang: Lang = "en",
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Can this drill be trusted? Runs its arms and wrong variants and compares each with what is declared."""
    writable(json)
    seed, said = drawn_seed(seed), language(lang)
    out = console(to_stderr=json == "-")
    planned = [
        [
            _order(drill, name, seed, turn, runs, reaction, proxy, None, None)
            for turn in range(repeat)
            for name in arm or planning.arms_of(drill)
        ]
        for drill in _drills(drills, every=False, proxy=proxy)
    ]
    rows: list[Row] = []
    for orders in planned:
        out.print(f"{orders[0].drill.name}: {len(orders)} runs, {sum(map(_forecast, orders)) / 60:.0f} min at most")
        rows += [_verified(order, out, said, quiet) for order in orders]
    tell(rows, out, said)
    if json is not None:
        write(as_json({"schema": "kunren.verification/1", "rows": rows}), json)
    raise typer.Exit(EXIT_PASS if all(row.as_declared for row in rows) else EXIT_FAIL)


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
        if not found.problems:  # whoever looks into tampering wants the folder as it was found
            write_card(folder, card)
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
    _deliver(cards, json, junit)
    raise typer.Exit(EXIT_FAIL if problems else worst(_exit(card) for card in cards))


def _drills(names: list[str] | None, every: bool, proxy: str) -> list[Drill]:
    if every == bool(names):
        raise Refused("name at least one drill, or --all", f"known: {', '.join(catalogue(variants=True))}")
    found = [load_drill(name) for name in (names or catalogue(variants=True))]
    for drill in found:
        planning.refuse_missing(drill, OFFER, "local")
    lacks = lacking(proxy)
    if lacks:
        raise MissingMeans(lacks)
    return found


def _order(
    drill: Drill,
    arm: str,
    seed: int,
    turn: int,
    runs: Path,
    reaction: str,
    proxy: str,
    runbook: Path | None,
    subject: str | None,
) -> Order:
    order = Order(drill, arm, seed + turn, runs, parse_reaction(reaction), proxy, runbook, subject)
    page_of(order)  # refuses an arm that the drill has not and a page that does not hold, before any run is started
    return order


def drawn_seed(asked: int | None) -> int:
    """The seed asked for, else one drawn once a command, so that all its arms meet the same fault."""
    return secrets.randbelow(1_000_000) if asked is None else asked


def parse_reaction(text: str) -> int:
    """``1s``, ``250ms`` … in ns; Refused for anything else."""
    match = TIME.match(text)
    if match is None or match[2] not in UNITS:
        raise Refused(f"--reaction {text!r} is no time with its unit", "such as 1s, 250ms or 2m")
    return int(float(match[1]) * UNITS[match[2]])


def _forecast(order: Order) -> float:
    """Seconds a run takes at most."""
    plan = planning.plan(order.drill, order.arm, order.seed, order.reaction)
    onset = min((fault.at for fault in plan.faults), default=0)
    return START_STOP_S + (plan.baseline + onset + watched_for(plan)) / NS


def _one(order: Order, out: Console, lang: Language, quiet: bool) -> Scorecard:
    """Run and judge one; a run that failed half-way still gets its card."""
    if not quiet:
        out.print(
            f"{order.drill.name} · arm {order.arm} · seed {order.seed} · at most {_forecast(order):.0f} s", markup=False
        )
    with Screen(out, quiet=quiet) as screen:
        finished = run(order, screen)
    card, history = judge_and_write(finished.folder)
    if not quiet:
        print_card(out, card, history, finished.folder, lang=lang)
    if isinstance(finished.error, RunFailed):
        complain(str(finished.error))
    elif finished.error is not None:
        _leave(finished.error)
    return card


def _leave(why: BaseException) -> NoReturn:
    """After Ctrl-C or SIGTERM no other run is started."""
    terminated = isinstance(why, Terminated)
    complain(f"{'terminated' if terminated else 'interrupted'}; everything was undone and stopped")
    raise typer.Exit(EXIT_TERMINATED if terminated else EXIT_INTERRUPTED)


def _verified(order: Order, out: Console, lang: Language, quiet: bool) -> Row:
    card = _one(order, out, lang, quiet=True)
    if card.verdict == "invalid":  # may be run once more; both are kept and said
        out.print(f"  invalid: {order.arm} seed {order.seed}: run once more ({card.run})", markup=False)
        card = _one(replace(order, attempts=2), out, lang, quiet=True)
    row = verify_arm(order.drill, card, evidence_number(Path(order.runs) / card.run))
    if not quiet:
        out.print(row.words(), markup=False)
    return row


def _exit(card: Scorecard) -> int:
    return {"pass": EXIT_PASS, "fail": EXIT_FAIL}.get(card.verdict, EXIT_UNKNOWN)


def _deliver(cards: Iterable[Scorecard], json: str | None, junit: str | None) -> None:
    found = list(cards)
    if json is not None:
        write(card_bytes(found[0] if len(found) == 1 else summary(found)), json)
    if junit is not None:
        write(junit_bytes(found), junit)
