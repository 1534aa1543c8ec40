"""The verb that signs: evidence numbers with a local key, to be checked by ``kunren check --evidence``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drills.commands.common import DEFAULT_RUNS, Runs, say
from drills.errors import Refused
from drills.record.folder import find_run
from drills.record.signature import load_key, new_key, sign


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "sign", epilog="Examples: kunren sign --new-key drill.key · kunren sign last --key drill.key · then"
        " kunren check last --evidence --public-key drill.key.pub",
    )(sign_runs)  # fmt: skip


def sign_runs(
    refs: Annotated[list[str] | None, typer.Argument(metavar="RUN…", help="A folder, last, or a prefix.")] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="The private key to sign with.")] = None,
    new: Annotated[Path | None, typer.Option("--new-key", metavar="FILE", help="Make a key, and FILE.pub.")] = None,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Sign the evidence number of a run with a key of your own: who has FILE.pub need not have kept the number."""
    if (new is None) == (key is None) or bool(refs) == (key is None):
        raise Refused("name runs and --key FILE, or --new-key FILE alone")
    if new is not None:
        say(f"made {new} (keep it to yourself) and {new_key(new)} (give it to whoever checks)")
    if key is not None:
        mine = load_key(key)
        for folder in [find_run(runs, ref) for ref in refs or ()]:
            say(f"signed {sign(folder, mine)}  {folder}")
