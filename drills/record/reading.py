"""Reading what a run left: a file that is not there is told from one that this machine cannot read now.

The first says something of the run folder, and the judge takes it for damage. The second says nothing of it: too many
open files, no permission, no memory, a disk that fails. Nobody may judge, or call falsified, what nobody could read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from drills.record.names import Unusable, os_words

OF_THE_FOLDER = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG})
"""Errors that are a fact about the folder: there is no such file, or it is no file. All others are the machine's."""

FIXES: Mapping[int, str] = {
    errno.EMFILE: "raise the limit of open files, such as with ulimit -n 4096",
    errno.ENFILE: "this machine has too many files open: end some programs",
    errno.EACCES: "read it as a user who may, or copy the folder to where you may read it",
    errno.EPERM: "read it as a user who may, or copy the folder to where you may read it",
    errno.ENOMEM: "free some memory, or judge it on a larger machine",
    errno.EIO: "the disk fails: copy the folder from a backup",
}


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Inside, an error of this machine becomes Unusable with its cause; ``OF_THE_FOLDER`` pass as they are."""
    try:
        yield
    except MemoryError:
        raise Unusable(f"cannot read {path}: out of memory", FIXES[errno.ENOMEM]) from None
    except OSError as error:
        if error.errno in OF_THE_FOLDER:
            raise
        raise Unusable(f"cannot read {path}: {os_words(error)}", FIXES.get(error.errno or 0, "")) from error


def content_of(path: Path) -> bytes:
    """All of a file; OSError where there is none, Unusable where it cannot be read now."""
    with reading(path):
        return path.read_bytes()


def names_in(folder: Path) -> list[str]:
    """The names in a folder, sorted; none where there is no folder. Unusable where it cannot be read now."""
    try:
        with reading(folder):
            return sorted(os.listdir(folder))
    except OSError:
        return []


def present(path: Path) -> bool:
    """Whether something is there; Unusable where nobody can tell."""
    return _mode(path) is not None


def is_file(path: Path) -> bool:
    """Whether a regular file is there; Unusable where nobody can tell."""
    return stat.S_ISREG(_mode(path) or 0)


def _mode(path: Path) -> int | None:
    try:
        with reading(path):
            return path.stat().st_mode
    except OSError:
        return None
