"""The page as PDF, printed by a Chromium browser of this machine: the very engine that people read it with.

It runs headless on a copy in a folder of its own, with no network and a profile that is thrown away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from drills.errors import MissingMeans, Refused
from targets.cache import NoCache, scratch
from targets.commands import run

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
BROWSER = "KUNREN_BROWSER"
"""The variable that names another program."""
LONGEST_S = 120
FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking",
    "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer",
)  # fmt: skip


def browser() -> str:
    """The program that prints; MissingMeans where there is none."""
    named = os.environ.get(BROWSER)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        fix = f"install it (Debian: chromium) or name one in {BROWSER}; or write --html and print that from any browser"
        raise MissingMeans([f"no {named or 'Chromium browser'} on this machine to print with"], fix)
    return found


def printed(page: bytes) -> bytes:
    """The PDF of a page; Refused where the browser makes none, with its own words."""
    program = browser()
    try:
        with scratch("paper-") as folder:
            return _printed(program, page, folder)
    except NoCache as error:
        raise MissingMeans([str(error)]) from error


def _printed(program: str, page: bytes, folder: Path) -> bytes:
    source, target = folder / "page.html", folder / "page.pdf"
    source.write_bytes(page)
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()  # it refuses to start as root with its sandbox
    argv = [
        program,
        *FLAGS,
        *root,
        f"--user-data-dir={folder}/profile",
        f"--print-to-pdf={target}",
        source.as_uri(),
    ]
    said = _run(argv)
    if not target.exists():
        raise Refused(f"{program} printed nothing: {said}", "write --html and print that from any browser")
    return target.read_bytes()


def _run(argv: list[str]) -> str:
    """What it said, the last line of it."""
    try:
        done = run(argv, LONGEST_S, env=os.environ, whole_session=True)  # with it go its children
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = done.err.strip().splitlines()
    return lines[-1] if lines else f"exit {done.code}"
