"""Who owns a stack: the process that holds the lock in its folder. What nobody owns is left over from a dead one.

A folder and its lock come to be as one step: whoever makes one, and whoever looks whether one is owned, holds the lock
on the folder above for that moment. So nobody ever sees a new stack that is not owned yet.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

OWNER_LOCK = "owner.lock"


def claim(folder: Path) -> TextIO:
    """Make the folder and own it until the file is closed, be it by our death. FileExistsError if it is there.

    OSError also where the file system takes the lock and does not keep it: everybody would take ours for left over.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent):
        folder.mkdir()
        owner = (folder / OWNER_LOCK).open("w")
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _held(folder):
            owner.close()
            shutil.rmtree(folder)
            raise OSError(f"file locks do not hold in {folder.parent}: set KUNREN_CACHE to a folder on a local disk")
    return owner


def lost(folder: Path, owner: TextIO) -> bool:
    """Whether the lock that its owner holds is no longer the one by which others find out."""
    try:
        return not os.path.samestat(os.stat(folder / OWNER_LOCK), os.fstat(owner.fileno()))
    except (OSError, ValueError):  # removed, or closed
        return True


def owned(folder: Path) -> bool:
    """Whether it is there and its owner lives."""
    with contextlib.suppress(FileNotFoundError), _alone(folder.parent):
        return _held(folder)
    return False


def abandoned(root: Path) -> list[Path]:
    """The folders in ``root`` that nobody owns, by name."""
    if not root.is_dir():
        return []
    with _alone(root):
        return sorted(path for path in root.iterdir() if path.is_dir() and not _held(path))


def remove(folder: Path) -> None:
    """Remove it, the lock last: while its owner is at it, nobody takes it for left over."""
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != OWNER_LOCK:
                path.unlink(missing_ok=True)
        with _alone(folder.parent):
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Nobody else makes or looks at folders in ``root`` meanwhile; it takes microseconds."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _held(folder: Path) -> bool:
    try:
        with (folder / OWNER_LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
