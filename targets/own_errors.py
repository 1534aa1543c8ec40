"""Errors of our own parts, told apart from the target's.

Proxy, load generator, launcher and harness may run out of descriptors, memory, ports or threads, or have a bug. What
they then fail to do says nothing of the target. Each says so in a line of its own log::

    own error: too many open files: accept on client-api

``kind_of`` knows such an error when it is caught; ``targets.accounts`` counts the lines. What the other side did
(refused, reset, closed, kept silent) is no error of ours, whatever its own log or answer says.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator

MARK = "own error: "
"""How such a line begins."""

UNHANDLED = "unhandled error"
NO_THREAD = "no new thread"

KINDS: dict[int, str] = {
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files in system",
    errno.ENOMEM: "out of memory",
    errno.ENOBUFS: "no buffer space",
    errno.EADDRNOTAVAIL: "no free local port",
    errno.ENOSPC: "disk full",
    errno.EDQUOT: "disk full",
    errno.EIO: "disk error",
}
"""errno -> kind. These come of the caller's own machine and limits, never of the far end of a connection."""


def kind_of(error: BaseException) -> str | None:
    """The kind of an error of our own, also where it stands behind the one that was caught; None for any other."""
    return next((kind for each in _chain(error) if (kind := _kind(each)) is not None), None)


def raise_if_own(error: BaseException) -> None:
    """For handlers that take an error for the target's state: raise it again where it says nothing of the target."""
    if kind_of(error) is not None:
        raise error


def tell(kind: str, detail: object) -> None:
    """One line on stderr, which is the part's log; who cannot even do that has other troubles."""
    words = " ".join(str(detail).split())
    print(f"{MARK}{kind}: {words}", file=sys.stderr, flush=True)


def _kind(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return KINDS[errno.ENOMEM]
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return NO_THREAD
    # by exact number: subclasses of OSError for name servers and TLS count their own errors
    plain = isinstance(error, OSError) and type(error).__module__ == "builtins"
    return KINDS.get(error.errno or 0) if plain and isinstance(error, OSError) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what led to it; of a group of tasks each."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
        waiting += [cause for cause in (each.__cause__, each.__context__) if cause is not None]
