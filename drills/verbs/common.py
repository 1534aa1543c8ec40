"""What several verbs share: consoles, exit codes, JSON output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from drills.errors import Refused
from drills.exits import EXIT_FAIL, EXIT_PASS, EXIT_UNKNOWN
from reports.texts import Lang as Language
from targets.registry import RUNTIMES

Lang = Annotated[str, typer.Option("--lang", help="en or ja.", metavar="en|ja")]
Target = Annotated[
    str,
    typer.Option("--target", metavar="|".join((*RUNTIMES, "FILE")), help="The system under drill, or its target file."),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder of the runs.")]
DEFAULT_RUNS = Path("runs")

PIPE_WIDTH = 120
"""Columns where nobody's window says how many there are."""


def legible() -> None:
    """Where the terminal's encoding lacks a character print a ``?``; a verdict is worth more than its ✓."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


class QuietConsole(Console):
    """Falls silent when its reader has gone (``| head``); the drill it tells of goes on to its end."""

    def on_broken_pipe(self) -> None:
        """Nobody reads on: write to nowhere from here on, so that leaving Python finds no broken pipe either."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


def console(*, to_stderr: bool) -> Console:
    """For people: plain text in a pipe, with ``NO_COLOR`` or with ``TERM=dumb``."""
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    stream = sys.stderr if to_stderr else sys.stdout
    return QuietConsole(
        width=None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH,
        stderr=to_stderr,
        no_color=plain or None,
        force_terminal=False if plain else None,
        highlight=False,
        soft_wrap=False,
    )


def language(lang: str) -> Language:
    """``en`` or ``ja``; Refused for anything else."""
    known: dict[str, Language] = {"en": "en", "ja": "ja"}
    if lang in known:
        return known[lang]
    raise Refused(f"unknown language {lang!r}; known: en, ja")


def write(content: bytes, where: str) -> None:
    """To a file, or to stdout when ``where`` is ``-``; Refused when the file cannot be written."""
    if where == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        Path(where).write_bytes(content)
    except OSError as error:
        raise Refused(f"cannot write {where}: {error.strerror}") from error


def writable(*targets: str | None) -> None:
    """Refused before anything starts when one of these output files could not be written afterwards."""
    files = [Path(where) for where in targets if where is not None and where != "-"]
    for file in files:
        there = file.exists()
        try:
            file.open("ab").close()  # tried, not asked: root may, says access(2), write anywhere
        except OSError as error:
            mend = "name a file in a folder that exists and may be written to"
            raise Refused(f"cannot write {file}: {error.strerror}", mend) from error
        if not there:
            file.unlink()
    if len({file.resolve() for file in files}) < len(files):
        raise Refused("two outputs are to go into the same file", "name a file for each")


def as_json(document: object) -> bytes:
    """Indented JSON with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def worst(codes: Iterable[int]) -> int:
    """Of several runs: 1 when any failed, else 2 when any is unknown, else 0."""
    found = set(codes)
    return EXIT_FAIL if EXIT_FAIL in found else EXIT_UNKNOWN if EXIT_UNKNOWN in found else EXIT_PASS
