"""Ctrl-C and SIGTERM: both end a run in order, with everything undone, and neither stops the undoing half-way."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any


class Terminated(SystemExit):
    """SIGTERM, raised in the main thread so that everything is undone as on Ctrl-C.

    A SystemExit, because an event loop passes that on at once instead of keeping it as some task's result.
    """


@contextlib.contextmanager
def sigterm_raises() -> Iterator[None]:
    """Inside, SIGTERM raises Terminated in the main thread."""

    def raise_it(*_: object) -> None:
        raise Terminated(143)

    before = signal.signal(signal.SIGTERM, raise_it)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """A second Ctrl-C must not stop the undoing half-way; it takes seconds at most."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def left_in_peace(manager: contextlib.AbstractContextManager[Any]) -> Iterator[None]:
    """The manager's block; what it does on leaving is not interrupted by a second Ctrl-C."""
    manager.__enter__()
    try:
        yield
    finally:
        with signals_held():
            manager.__exit__(None, None, None)
