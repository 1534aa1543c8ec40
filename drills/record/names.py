"""The run folder: names of its files, and what can go wrong with it.

::

    KunrenError
    └── StoreError                exit 70  something could not be written once the run was under way
        └── Unusable              exit  3  no such run, not readable, or no place to put one; says the fix
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from drills.errors import KunrenError

RUN = "run.json"
DRILL = "drill.yaml"
RUNBOOK = "runbook.yaml"
RUNBOOKS = "runbooks"
"""Those that the operator had beside it, a file each."""
TARGET = "target.yaml"
"""The target file, where there was one."""
EVENTS = "events.jsonl"
UNDO = "rollback.jsonl"
SUMS = "SHA256SUMS"
CARD = "scorecard.json"
SIGNATURE = "evidence.sig"
PRUNED = "pruned.json"
"""In a run folder whose evidence was removed to make room; its card stays."""
SAMPLES = "samples"
BOOKS = "books"
LOGS = "logs"
NAMES = "names.json"
COLUMNS = ("intended", "sent", "done", "outcome", "name", "key")
"""Of the samples, each in a file of its own."""

FOLDER_NAME = re.compile(r"(?P<stamp>\d{8}T\d{6}\.\d{3}Z)-(?P<arm>[^/:]+)-(?P<seed>\d+)\Z", re.ASCII)
"""``yyyymmddThhmmss.mmmZ-ARM-SEED``; the arm's ``:`` is written ``.``, which every file system and shell takes."""

MENDS: Mapping[int, str] = {
    errno.EACCES: "give a folder you may write to with --runs DIR",
    errno.EPERM: "give a folder you may write to with --runs DIR",
    errno.EROFS: "the file system is read-only: give another folder with --runs DIR",
    errno.ENOSPC: "the disk is full: make room, or give another folder with --runs DIR",
    errno.EDQUOT: "your quota is used up: make room, or give another folder with --runs DIR",
    errno.ENOTDIR: "a file stands where a folder is needed: give another folder with --runs DIR",
    errno.EEXIST: "a file stands where a folder is needed: give another folder with --runs DIR",
    errno.EMFILE: "too many open files: raise the limit with ulimit -n",
}


class StoreError(KunrenError):
    """The run folder could not be written; ``message`` says what, ``fix`` what to do about it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} ({self.fix})" if self.fix else self.message


class Unusable(StoreError):
    """The run cannot be found, read, or given a folder: nothing was started."""

    exit_code: ClassVar[int] = 3


def os_words(error: OSError) -> str:
    """The system's own words, without errno and path."""
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


def mend_of(error: OSError) -> str:
    """What a person can do about it; empty when we know nothing better than the system's words."""
    return MENDS.get(error.errno or 0, "")


def reference(folder: Path) -> str:
    """``DRILL/FOLDER``, as a run is called on cards and on the command line."""
    whole = folder.resolve()
    return f"{whole.parent.name}/{whole.name}"
