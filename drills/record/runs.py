"""Which runs there are, and which one a person means."""

from __future__ import annotations

from pathlib import Path

from drills.record.names import FOLDER_NAME, RUN, Unusable, os_words, reference
from drills.record.reading import present, reading

SHOWN = 8
"""Candidates named in a message."""


def list_runs(runs: Path) -> list[Path]:
    """Run folders below ``runs``, oldest first; empty when there is no such folder. Unusable if it cannot be read."""
    try:
        drills = sorted(path for path in runs.iterdir() if path.is_dir()) if runs.is_dir() else []
        found = [path for drill in drills for path in drill.iterdir() if FOLDER_NAME.match(path.name) and path.is_dir()]
    except OSError as error:
        raise Unusable(f"cannot read {runs}: {os_words(error)}") from error
    return sorted(found, key=lambda path: (path.name, path.parent.name))


def find_run(runs: Path, ref: str) -> Path:
    """The run that ``ref`` means: a folder, ``last``, or an unambiguous prefix of ``DRILL/FOLDER`` or ``FOLDER``.

    Unusable when there is none or more than one; the message lists the candidates.
    """
    known = list_runs(runs)
    if ref == "last":
        if known:
            return known[-1]
        raise Unusable(f"there is no run in {runs}", "start one with: kunren run DRILL")
    folder = Path(ref)
    if _is_folder(folder) and (present(folder / RUN) or FOLDER_NAME.match(folder.resolve().name)):
        return folder
    matching = _matching(known, ref)
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise Unusable(f"'{ref}' may mean {len(matching)} runs: {_named(matching)}", "give more of the name")
    raise Unusable(_none(runs, folder, ref), _candidates(known))


def _is_folder(path: Path) -> bool:
    """A name too long for a file, or with a NUL in it, names none; one that nobody may look at is Unusable."""
    try:
        with reading(path):
            return path.is_dir()
    except (OSError, ValueError):
        return False


def _matching(known: list[Path], ref: str) -> list[Path]:
    wanted = ref.rstrip("/")
    if not wanted:
        return []
    exact = [path for path in known if wanted in (reference(path), path.name)]
    return exact or [path for path in known if reference(path).startswith(wanted) or path.name.startswith(wanted)]


def _none(runs: Path, folder: Path, ref: str) -> str:
    if _is_folder(folder):
        return f"{ref} is a folder but no run folder: it has no {RUN}"
    return f"no run '{ref}' in {runs}"


def _candidates(known: list[Path]) -> str:
    return f"known: {_named(known)}" if known else "start one with: kunren run DRILL"


def _named(found: list[Path]) -> str:
    newest = [reference(path) for path in reversed(found)][:SHOWN]
    rest = len(found) - len(newest)
    return ", ".join(newest) + (f" and {rest} older" if rest else "")
