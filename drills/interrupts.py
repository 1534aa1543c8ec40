"""Ctrl-C, SIGTERM and SIGHUP: the first of them ends everything in order, and none stops the undoing half-way."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from drills.exits import EXIT_HUNG_UP, EXIT_INTERRUPTED, EXIT_TERMINATED

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEVICE_LOST = signal.SIGUSR1
"""What our own watch sends us (``drills.execution.guard``)."""


class Terminated(SystemExit):
    """SIGTERM, raised in the main thread so that everything is undone as on Ctrl-C.

    A SystemExit, because an event loop passes that on at once instead of keeping it as some task's result.
    """


class HungUp(Terminated):
    """SIGHUP: the terminal or the line is gone, and most likely whoever would have read what is printed."""


@contextlib.contextmanager
def first_signal_raises() -> Iterator[None]:
    """Inside, the first Ctrl-C, SIGTERM or SIGHUP raises KeyboardInterrupt, Terminated or HungUp in the main thread.

    Those after it change nothing, until the process has ended: the end is under way, bounded, and has to be whole.
    """
    came = False

    def take(number: int, _: FrameType | None) -> None:
        nonlocal came
        if not came:
            came = True
            raise _raised(number)

    before = {number: signal.signal(number, take) for number in _heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            # one that is ignored by now came to whoever was to be told (below)
            ignored = came or signal.getsignal(number) == signal.SIG_IGN
            signal.signal(number, signal.SIG_IGN if ignored else handler)


@contextlib.contextmanager
def first_signal_tells(take: Callable[[int], None]) -> Iterator[None]:
    """Inside, the first Ctrl-C, SIGTERM or SIGHUP is told to ``take`` and raises nothing; in the main thread only.

    Those after it change nothing, until the process has ended: the end is under way.
    """
    came = False

    def tell(number: int, _: FrameType | None) -> None:
        nonlocal came
        if not came:
            came = True
            take(number)

    before = {number: signal.signal(number, tell) for number in _heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if came else handler)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Inside, a Ctrl-C, SIGTERM or SIGHUP, or the loss of a safety device, waits; the first takes effect on leaving.

    Not by the signal mask: that is a thread's own, and a library's thread would take the signal for the process.
    """
    held: list[int] = []
    every = (*_heeded(), DEVICE_LOST)
    before = {number: signal.signal(number, lambda number, _: held.append(number)) for number in every}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])


@contextlib.contextmanager
def left_in_peace(manager: contextlib.AbstractContextManager[Any]) -> Iterator[None]:
    """The manager's block; what it does on leaving is not interrupted."""
    manager.__enter__()
    try:
        yield
    finally:
        with signals_held():
            manager.__exit__(None, None, None)


def exit_of(cut: BaseException) -> int:
    """What a command exits with that this cut short."""
    if isinstance(cut, HungUp):
        return EXIT_HUNG_UP
    return EXIT_TERMINATED if isinstance(cut, Terminated) else EXIT_INTERRUPTED


def _heeded() -> tuple[int, ...]:
    """All of them, but for a SIGHUP that is ignored: that is what nohup asks for."""
    ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return tuple(number for number in ENDING if not (ignored and number == signal.SIGHUP))


def _raised(number: int) -> BaseException:
    if number == signal.SIGHUP:
        return HungUp(EXIT_HUNG_UP)
    return Terminated(EXIT_TERMINATED) if number == signal.SIGTERM else KeyboardInterrupt()
