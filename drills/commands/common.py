"""What several verbs share: consoles, exit codes, JSON output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from drills.errors import Refused
from drills.exits import EXIT_FAIL, EXIT_PASS, EXIT_UNKNOWN
from drills.record.encoding import encode_indented
from drills.streams import write_bytes
from reports.texts import Lang as Language
from targets.registry import RUNTIMES
from targets.visible import visible, visible_line

Lang = Annotated[str, typer.Option("--lang", help="en or ja.", metavar="en|ja")]
Target = Annotated[
    str,
    typer.Option("--target", metavar="|".join((*RUNTIMES, "FILE")), help="The system under drill, or its target file."),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder of the runs.")]
DEFAULT_RUNS = Path("runs")

PIPE_WIDTH = 120
"""Columns where nobody's window says how many there are."""


class PlainConsole(Console):
    """Prints what it is given as text: what a terminal would obey in it is shown, and no markup is read from it.

    Only rich's own control codes pass: they are marked as such, and no text can be.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich renders, the text of each piece made visible."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))

    def render_str(self, text: str, **options: Any) -> Text:
        """The same before it is measured, so that columns stay straight."""
        return super().render_str(visible(text), **options)


def console(*, to_stderr: bool) -> Console:
    """For people: plain text in a pipe, with ``NO_COLOR`` or with ``TERM=dumb``."""
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    stream = sys.stderr if to_stderr else sys.stdout
    return PlainConsole(
        width=None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH,
        stderr=to_stderr,
        no_color=plain or None,
        force_terminal=False if plain else None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def say(text: str) -> None:
    """To stdout as it is, but for what a terminal would obey."""
    print(visible(text))  # noqa: T201  # the one way to print without a console


def say_line(text: str) -> None:
    """The same for what has to be one line, for programs that read it."""
    say(visible_line(text))


def language(lang: str) -> Language:
    """``en`` or ``ja``; Refused for anything else."""
    known: dict[str, Language] = {"en": "en", "ja": "ja"}
    if lang in known:
        return known[lang]
    raise Refused(f"unknown language {lang!r}; known: en, ja")


def write(content: bytes, where: str) -> None:
    """To a file, or to stdout when ``where`` is ``-``; Refused when the file cannot be written."""
    if where == "-":
        write_bytes(content)
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
            fix = "name a file in a folder that exists and may be written to"
            raise Refused(f"cannot write {file}: {error.strerror}", fix) from error
        if not there:
            file.unlink()
    if len({file.resolve() for file in files}) < len(files):
        raise Refused("two outputs are to go into the same file", "name a file for each")


def as_json(document: object) -> bytes:
    """Indented JSON with a newline at the end."""
    return encode_indented(document)


def worst(codes: Iterable[int]) -> int:
    """Of several runs: 1 when any failed, else 2 when any is unknown, else 0."""
    found = set(codes)
    return EXIT_FAIL if EXIT_FAIL in found else EXIT_UNKNOWN if EXIT_UNKNOWN in found else EXIT_PASS
