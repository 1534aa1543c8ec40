"""Where targets live while they run, and what they keep between runs."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

from targets.finding import Finding, writable
from targets.target import TargetError
from targets.visible import is_text

WHAT = "cache folder"
FIX = "set KUNREN_CACHE to a folder you may write to"


class NoCache(TargetError):
    """Nothing says where the cache is; the message says why, and the fix."""


def cache_folder() -> Path:
    """``KUNREN_CACHE``, else ``~/.cache/kunren``: the only place outside the runs' that is written to. Absolute.

    NoCache where neither the environment nor the password database names a home. An empty variable names nothing.
    """
    named = os.environ.get("KUNREN_CACHE")
    if named:
        return Path(named).resolve()
    shared = os.environ.get("XDG_CACHE_HOME")
    return ((Path(shared) if shared else _home() / ".cache") / "kunren").resolve()


def cache_complaint() -> str | None:
    """Why nothing can be kept in the cache, with the fix; None where it can, and then the folder is there."""
    try:
        folder = cache_folder()
        if not is_text(folder):  # targets are told their folders as text
            return f"the path of the cache, {folder}, is not UTF-8; set KUNREN_CACHE to another folder"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # tried, not asked: root may, says access(2), write anywhere
            return None
    except NoCache as error:
        return str(error)
    except OSError as error:
        number = errno.ENOTDIR if isinstance(error, FileExistsError) else error.errno or 0
        return f"cannot write to {folder}: {os.strerror(number)}; set KUNREN_CACHE to another folder"


@contextlib.contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A folder of one's own in the cache, gone afterwards. NoCache."""
    complaint = cache_complaint()
    if complaint is not None:
        raise NoCache(complaint)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=cache_folder()) as folder:
        yield Path(folder)


def examine_cache() -> Finding:
    """Whether it can be written to, found out by trying; leaves nothing behind."""
    try:
        folder = cache_folder()
    except NoCache as error:
        return Finding(WHAT, False, str(error), True, FIX)
    return writable(WHAT, folder, FIX)


def _home() -> Path:
    named = os.environ.get("HOME")
    if named:
        return Path(named)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        why = f"HOME is not set, and uid {os.getuid()} has no entry in the password database"
        raise NoCache(f"no place for the cache: {why}; {FIX}") from None
