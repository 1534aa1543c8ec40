"""What ``prepare`` of a target file reads, and a digest of it: a system is prepared anew when that has changed.

Inputs are the commands themselves; every file and folder that one of their arguments names with ``{here}``; what
``prepare_inputs`` names; and the Python, where a command uses it. Their content counts, not their times.
"""

from __future__ import annotations

import glob
import hashlib
import itertools
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from targets.description import BRACES, Argv, Description
from targets.target import TargetError

LEFT_OUT = frozenset({".git", ".hg", ".svn", "__pycache__"})
"""Folders that change without anything being different."""

RUN = "rollback.jsonl"
"""A folder with such a file is that of a run: those are often written beside the target file."""

ENDS_A_PATH = re.compile(r"[\s:;,'\"|&<>()]")
"""In an argument that is more than one path, such as a line for a shell."""


def digest(description: Description) -> str:
    """Twelve characters that differ when anything does that prepare reads; TargetError where it cannot be read."""
    found = hashlib.sha256(repr((description.here, description.prepare, description.prepare_inputs)).encode())
    if any("{python}" in word for argv in description.prepare for word in argv):
        found.update(f"{sys.executable} {sys.version}".encode())
    for path in sorted(set(_files(description))):
        found.update(b"\0" + os.fsencode(path) + b"\0" + _content(path))
    return found.hexdigest()[:12]


def matching(here: Path, pattern: str) -> Iterator[Path]:
    """What a pattern names below the folder; ``**`` is any number of folders."""
    for name in glob.iglob(pattern, root_dir=here, recursive=True, include_hidden=True):
        yield here / name


def _files(description: Description) -> Iterator[Path]:
    here = Path(description.here)
    for pattern in description.prepare_inputs:
        for path in matching(here, pattern):
            yield from _below(path)
    for argv in description.prepare:
        for path in _named(here, argv):
            yield from _below(path)


def _named(here: Path, argv: Argv) -> Iterator[Path]:
    """What follows ``{here}`` in an argument, as far as it is there."""
    for word in argv:
        marks = [*BRACES.finditer(word), None]
        for mark, after in itertools.pairwise(marks):
            if mark is not None and mark[1] == "here":
                yield from _there(str(here), word[mark.end() : after.start() if after else None])


def _there(here: str, rest: str) -> list[Path]:
    for path in (rest, ENDS_A_PATH.split(rest, maxsplit=1)[0]):
        if os.path.lexists(here + path):
            return [Path(here + path)]
        found = glob.glob(glob.escape(here) + path, recursive=True)
        if found:
            return [Path(each) for each in found]
    return []


def _below(path: Path) -> Iterator[Path]:
    """The file itself, or all files in the folder."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path):
        if RUN in files:
            folders.clear()
            continue
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(set(folders) - LEFT_OUT)
        yield from (Path(folder, name) for name in (*files, *links))


def _content(path: Path) -> bytes:
    """What stands for it: a digest of a file's bytes and whether it may be run, where a link to a folder leads."""
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            with path.open("rb") as file:
                may_run = b"x" if found.st_mode & 0o111 else b"-"
                return may_run + hashlib.file_digest(file, "sha256").digest()
        return os.fsencode(os.readlink(path)) if path.is_symlink() else b""  # of a pipe or a device nothing is read
    except FileNotFoundError:
        return b"absent"
    except OSError as error:
        raise TargetError(f"prepare reads {path}, which cannot be read: {error.strerror}") from error
