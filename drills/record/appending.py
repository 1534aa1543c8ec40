"""Appending to a file of lines: each line whole or not at all, and one process at a time where several write."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drills.record.names import StoreError, mend_of, os_words

NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
"""What file systems say that have no locks, as some of networks: there one process at a time may write."""
TAKEN = (errno.EAGAIN, errno.EACCES)
PAUSE_S = 0.005


def append_whole(file: int, path: Path, size: int, content: bytes) -> None:
    """Write at the end of an open file of ``size`` bytes; StoreError, and then nothing of it stays."""
    try:
        written = os.write(file, content)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {os_words(error)}", mend_of(error)) from error
    if written < len(content):
        os.ftruncate(file, size)  # half a line would spoil the next one
        raise StoreError(f"cannot write {path}: the disk took {written} of {len(content)} bytes")


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """The file, for reading and appending; made where there is none, and then its entry is on disk. OSError."""
    is_new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if is_new:
            sync_folder(path.parent)
        yield file
    finally:
        os.close(file)


def lock(file: int, within_s: float) -> bool:
    """Have it alone until it is closed; False where somebody else has it for longer. OSError."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in NO_LOCKS:
                return True
            if error.errno not in TAKEN:
                raise
            if time.monotonic() >= deadline:
                return False
        else:
            return True
        time.sleep(PAUSE_S)


def is_torn(file: int, size: int) -> bool:
    """Whether the last line of ``size`` bytes was cut off. OSError."""
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to disk: a synced file in a lost entry is a lost file."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
