"""The verb that asks whether a drill can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from drills.api import forecast
from drills.commands.common import DEFAULT_RUNS, Lang, Runs, Target, as_json, console, language, writable, write
from drills.commands.execution import (
    USUAL_REACTION,
    Json,
    Proxy,
    Quiet,
    Reaction,
    Seed,
    chosen,
    conduct,
    drawn_seed,
    leave,
    parse_time,
    possible,
)
from drills.exits import EXIT_FAIL, EXIT_PASS
from drills.interrupts import Terminated
from drills.record.folder import evidence_number
from drills.spec import planning
from drills.spec.drill import Drill
from drills.spec.request import RunRequest, again
from drills.verification import Row, cases, not_run, tell, verify_arm
from reports.junit import verification_bytes
from reports.texts import Lang as Language
from reports.unjudged import cause


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "verify",
        epilog="Examples: kunren verify exchange-link-down --repeat 3 · kunren verify night-batch-lock --junit a.xml",
    )(verify)


def verify(
    drills: Annotated[list[str], typer.Argument(metavar="DRILL…", help="Names of the catalogue, or files.")],
    target: Target = "local",
    arm: Annotated[list[str] | None, typer.Option("--arm", help="Only these arms (may be repeated).")] = None,
    seed: Seed = None,
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="Seeds per arm.")] = 1,
    reaction: Reaction = USUAL_REACTION,
    proxy: Proxy = "auto",
    runs: Runs = DEFAULT_RUNS,
    lang: Lang = "en",
    json: Json = None,
    junit: Annotated[str | None, typer.Option("--junit", metavar="FILE", help="One testcase per arm.")] = None,
    quiet: Quiet = False,
) -> None:
    """Can this drill be trusted? Runs its arms and wrong variants and compares each with what is declared."""
    writable(json, junit)
    first, said, wait = drawn_seed(seed), language(lang), parse_time(reaction)
    out = console(to_stderr=json == "-")
    orders = [
        possible(RunRequest(drill, name, first + turn, runs, wait, proxy, target=target, drawn=seed is None))
        for drill in chosen(drills, every=False, target=target, proxy=proxy)
        for turn in range(repeat)
        for name in ([planning.arm_of(drill, each) for each in arm] if arm else planning.arms_of(drill))
    ]
    rows, cut = _verified(orders, out, said, quiet)
    rows += [not_run(request.drill, request.arm, request.seed) for request in orders[len(rows) :]]
    tell(rows, out, said)
    if json is not None:
        write(as_json({"schema": "kunren.verification/1", "rows": rows}), json)
    if junit is not None:
        write(
            verification_bytes(cases(rows, {order.drill.called: order.drill.file for order in orders}, target)), junit
        )
    if cut is not None:
        leave(cut)
    raise typer.Exit(EXIT_PASS if all(row.as_declared for row in rows) else EXIT_FAIL)


def _verified(
    orders: list[RunRequest], out: Console, lang: Language, quiet: bool
) -> tuple[list[Row], BaseException | None]:
    """A row for each run that came to its end, and what cut them short."""
    rows: list[Row] = []
    drill: Drill | None = None
    for request in orders:
        if request.drill is not drill:
            drill = request.drill
            mine = [forecast(each) for each in orders if each.drill is drill]
            out.print(f"{drill.called}: {len(mine)} runs, {sum(mine) / 60:.0f} min at most")
        try:
            row, cut = _one(request, out, lang)
        except (KeyboardInterrupt, Terminated) as signal:  # while nothing ran
            return rows, signal
        if cut is not None:
            return rows, cut
        rows.append(row)
        if not quiet:
            out.print(row.words(), markup=False)
    return rows, None


def _one(request: RunRequest, out: Console, lang: Language) -> tuple[Row, BaseException | None]:
    card, cut = conduct(request, out, lang, quiet=True)
    if card.verdict == "invalid" and cut is None:  # may be run once more; both are kept and said
        what = f"{request.arm} seed {request.seed}: {cause(card, lang)}"
        out.print(f"  invalid: {what}; run once more ({card.run})", markup=False)
        card, cut = conduct(again(request, card), out, lang, quiet=True)
    return verify_arm(request.drill, card, evidence_number(Path(request.runs) / card.run)), cut
