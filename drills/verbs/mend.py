"""Verbs around a target that runs: heal what a dead run left, and bring the brokerage up to look around."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from drills.errors import KunrenError, MissingMeans, Refused
from drills.heal import heal, leftovers
from drills.store import find_run
from drills.verbs.common import DEFAULT_RUNS, Runs, as_json, console, write
from targets.brokerage.clock import clock_config
from targets.brokerage.config import COMPRESSION
from targets.brokerage.world import make_world
from targets.local import LocalTarget, lacking
from targets.target import TargetError


def register(app: typer.Typer) -> None:
    """Add the verbs of this family."""
    app.command("heal", epilog="Examples: kunren heal --all · kunren heal last")(heal_runs)
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
    """Undo whatever a dead run may have left; lists first what it found, says what it undid."""
    if every == bool(refs):
        raise Refused("name runs, or --all")
    out = console(to_stderr=json)
    found = leftovers(runs, tuple(find_run(runs, ref) for ref in refs or ()))
    if not found:
        out.print("nothing was left behind")
    for leftover in found:
        out.print(leftover.words(), markup=False, soft_wrap=True)
    done = {leftover.stack.name: heal(leftover) for leftover in found}
    for lines in done.values():
        for line in lines:
            out.print(f"  {line}", markup=False, soft_wrap=True)
    if json:
        write(as_json({"found": len(found), "said": done}), "-")


def target_up(
    keep: Annotated[int, typer.Option("--keep", min=1, help="Seconds after which it ends by itself.")] = 600,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides customers, prices and fills.")] = 7,
    proxy: Annotated[str, typer.Option("--proxy", metavar="auto|embedded|toxiproxy")] = "auto",
) -> None:
    """Start the brokerage in the foreground, to look around and to use brokerctl by hand; Ctrl-C ends it."""
    lacks = lacking(proxy)
    if lacks:
        raise MissingMeans(lacks)
    out = console(to_stderr=False)
    with tempfile.TemporaryDirectory(prefix="kunren-logs-") as logs:
        world = make_world(seed)
        clock = clock_config("D3", None, COMPRESSION)
        try:
            with LocalTarget(world=world, seed=seed, logs=Path(logs), clock=clock, proxy=proxy) as target:
                for line in _signpost(target, logs, keep):
                    out.print(line, markup=False, soft_wrap=True)  # to be copied: no line break of ours in a path
                threading.Event().wait(keep)
        except TargetError as error:
            raise KunrenError(str(error)) from error


def _signpost(target: LocalTarget, logs: str, keep: int) -> Iterator[str]:
    yield f"the mini-brokerage is up for {keep} s; Ctrl-C ends it"
    yield f"customers:  {target.customers_url()}"
    yield f"logs:       {logs}"
    yield f"operate it: export KUNREN_STACK={target.folder}"
    yield f"            {os.path.relpath(Path(sys.executable).parent / 'brokerctl')} --role viewer --env drill status"
