"""Verbs around a target that runs: heal what a dead run left, and bring the brokerage up to look around."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from drills.commands.common import DEFAULT_RUNS, Runs, Target, as_json, console, write
from drills.commands.execution import Proxy
from drills.errors import KunrenError, MissingMeans, Refused
from drills.execution import openfiles
from drills.execution.heal import Residual, heal, residuals
from drills.execution.reaper import guarded
from drills.execution.turn import MACHINE, WAITS
from drills.exits import EXIT_FAIL, complain
from drills.record.folder import Journal, find_run, session_folder
from drills.spec.target import system
from targets.cache import FIX
from targets.runtime import Request
from targets.target import Startable, StartFailed, TargetError

SESSION = "target-up"
"""Below the runs: what is written while somebody looks around."""

PHASE = "D3"
"""A target to look at stands in the middle of the trading day."""


def register(app: typer.Typer) -> None:
    """Add the verbs of this family."""
    app.command("heal", epilog="Examples: kunren heal · kunren heal --all · kunren heal last")(heal_runs)
    targets = typer.Typer(help="The system under drill.", no_args_is_help=True)
    targets.command("up", epilog="Then, elsewhere: brokerctl --role viewer --env drill status")(target_up)
    targets.callback()(_targets)
    app.add_typer(targets, name="target")


def _targets() -> None:
    """The system under drill."""


def heal_runs(
    refs: Annotated[list[str] | None, typer.Argument(metavar="RUN…", help="Only what these runs left.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Whatever any dead run left.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Undo whatever a dead run may have left; lists first what it found, says what it undid.

    With neither RUN nor --all it only lists: exit 1 when there is something to undo.
    """
    if every and refs:
        raise Refused("name runs, or --all")
    out = console(to_stderr=json)
    found = _leftovers(runs, refs or [])
    if not found:
        out.print("nothing was left behind")
    for leftover in found:
        out.print(leftover.words(), markup=False, soft_wrap=True)
    acts = every or bool(refs)
    done = {leftover.name: heal(leftover) for leftover in found} if acts else {}
    for healed in done.values():
        for line in healed.said:
            out.print(f"  {line}", markup=False, soft_wrap=True)
    if json:
        write(as_json({"found": len(found), "said": {name: list(healed.said) for name, healed in done.items()}}), "-")
    if found and not acts:
        out.print("undo it with: kunren heal --all")
        raise typer.Exit(EXIT_FAIL)
    if not all(healed.ended for healed in done.values()):
        out.print("not everything is undone; correct what is said above, then again: kunren heal --all")
        raise typer.Exit(EXIT_FAIL)


def _leftovers(runs: Path, refs: list[str]) -> list[Residual]:
    """MissingMeans where nobody can look: that is not to have found nothing."""
    try:
        return residuals(runs, tuple(find_run(runs, ref) for ref in refs))
    except TargetError as error:
        raise MissingMeans([str(error)]) from error
    except OSError as error:
        raise MissingMeans([f"cannot look for what was left: {error}"], FIX) from error


def target_up(
    keep: Annotated[int, typer.Option("--keep", min=1, help="Seconds after which it ends by itself.")] = 600,
    target: Target = "local",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides customers, prices and fills.")] = 7,
    proxy: Proxy = "auto",
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Start the system under drill in the foreground, to look around and to operate it by hand; Ctrl-C ends it.

    Its logs stay in the runs folder, below target-up/.
    """
    runtime = system(target)
    lacks = runtime.lacking(proxy)
    if lacks:
        raise MissingMeans(lacks)
    folder = session_folder(runs, SESSION, datetime.now(UTC))
    wanted = Request(f"{SESSION}/{folder.name}", seed, PHASE, None, runtime.compression, folder / "logs", proxy)
    openfiles.provide(openfiles.largest(runtime.files_per_customer)[1])
    try:
        made = runtime.make(wanted)
    except TargetError as error:
        raise MissingMeans([str(error)]) from error
    try:
        with MACHINE.among_others(lambda holders: complain(WAITS.format(holders=holders)), lambda: False):
            _keep_up(made, folder, keep)
    except StartFailed as error:
        raise Refused(error.words()) from error
    except TargetError as error:
        raise KunrenError(str(error)) from error


def _keep_up(target: Startable, folder: Path, keep: int) -> None:
    out = console(to_stderr=False)
    with (
        contextlib.closing(Journal(folder / "rollback.jsonl")) as journal,
        guarded(folder, journal.append, target),
        target,
    ):
        out.print(f"the system under drill is up for {keep} s; Ctrl-C ends it")
        for line in target.by_hand():
            out.print(line, markup=False, soft_wrap=True)  # to be copied: no line break of ours in a path
        out.print(f"handshake:  {_shown(target)}", markup=False, soft_wrap=True)
        threading.Event().wait(keep)


def _shown(target: Startable) -> str:
    """Whether a drill would take it for a drill target."""
    try:
        return target.handshake().says
    except TargetError as error:
        return f"none, so no drill would inject anything: {error}"
