"""Everything the harness raises on purpose.

::

    KunrenError              exit 70  something of ours went wrong
    └── Refused              exit  3  refused to start; nothing was touched; says the fix
        ├── BadInput                  a file says what we cannot take: file:line, what was found, what is known
        ├── UnknownName               no drill, arm, schema … of this name; says what is known
        └── MissingMeans              the machine or the target lacks what the drill needs

A message is a full sentence for a person; ``fix`` is what to do about it, empty where the message already says it.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

SHORT_OF = {
    errno.EMFILE: "too many open files (raise the limit, such as with ulimit -n 4096)",
    errno.ENFILE: "too many open files on the whole machine (end some programs)",
    errno.ENOMEM: "out of memory (free some)",
}
"""What may fail anywhere, in an import as well, and is no error of ours."""


class KunrenError(Exception):
    """Root of the tree; ``exit_code`` is what the command line ends with."""

    exit_code: ClassVar[int] = 70


class Refused(KunrenError):
    """Refused to start: ``message`` says why, ``fix`` what to do about it."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} ({self.fix})" if self.fix else self.message


class BadInput(Refused):
    """A file that cannot be taken; ``line`` counts from 1, ``says`` is the message without the place."""

    def __init__(self, file: Path | str, line: int, says: str, fix: str = "") -> None:
        super().__init__(f"{file}:{line}: {says}", fix)
        self.file = str(file)
        self.line = line
        self.says = says


class UnknownName(Refused):
    """``name`` is not among ``known``; ``what`` is the kind of thing, such as "drill"."""

    def __init__(self, what: str, name: str, known: Collection[str]) -> None:
        super().__init__(unknown(what, name, known))
        self.name = name


class MissingMeans(Refused):
    """What the drill needs and the machine or target does not offer; ``lacks`` names each."""

    def __init__(self, lacks: Collection[str], fix: str = "") -> None:
        super().__init__("; ".join(lacks), fix)
        self.lacks = tuple(lacks)


def machine_is_short(error: BaseException) -> str | None:
    """What to say where the error means that the machine is short of something; None for any other."""
    number = errno.ENOMEM if isinstance(error, MemoryError) else getattr(error, "errno", None)
    if not isinstance(error, MemoryError | OSError) or number not in SHORT_OF:
        return None
    return f"this machine is short of what kunren needs: {SHORT_OF[number]}"


def unknown(what: str, found: object, known: Collection[str]) -> str:
    """Say what was found, the closest known name if one is close, and all that is known."""
    close = difflib.get_close_matches(str(found), known, n=1, cutoff=0.6)
    hint = f", did you mean '{close[0]}'?" if close else ";"
    return f"unknown {what} '{_short(found)}'{hint} known: {', '.join(known) or 'none'}"


def _short(found: object) -> str:
    text = str(found).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "…"
