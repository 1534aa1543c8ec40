"""The watch over the safety devices of a run: one that is gone ends the run at once, whatever is going on.

A device that cannot act any more is worse than none, for it is relied on. A thread looks at all of them while a target
may be there; when one is gone it interrupts the main thread as Ctrl-C would, and everything is undone and stopped.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from drills.errors import KunrenError
from drills.interrupts import DEVICE_LOST

LOOK_S = 0.25

Look = Callable[[], Sequence[str]]
"""Which devices are gone, a sentence each; empty while all stand."""


class Unguarded(KunrenError):
    """A safety device was lost; what had been started is undone and stopped."""


class _Lost(SystemExit):
    """Raised in the main thread; a SystemExit for the same reason as ``interrupts.Terminated``."""


class Watch:
    """Looks, in a thread, until something is gone or it is told to leave off. ``alive`` ends when its writer dies."""

    def __init__(self, alive: int, who: str, look: Look) -> None:
        self._alive, self._who, self._look = alive, who, look
        self._main = threading.main_thread().ident or 0
        self._stop, self._stopped = os.pipe()
        self._thread = threading.Thread(target=self._watch, name="watch over the safety devices", daemon=True)
        self.gone: tuple[str, ...] = ()

    def begin(self) -> None:
        """Look from now on."""
        self._thread.start()

    def leave_off(self) -> None:
        """Look no more."""
        os.close(self._stopped)
        self._thread.join()
        os.close(self._stop)

    def _watch(self) -> None:
        with selectors.DefaultSelector() as selector:
            for pipe in (self._alive, self._stop):
                selector.register(pipe, selectors.EVENT_READ)
            while not self.gone:
                ready = {key.fd for key, _ in selector.select(LOOK_S)}
                if self._stop in ready:
                    return
                self.gone = (self._who,) if self._alive in ready else self._seen()
        signal.pthread_kill(self._main, DEVICE_LOST)

    def _seen(self) -> tuple[str, ...]:
        try:
            return tuple(self._look())
        except Exception as error:  # noqa: BLE001  # whoever cannot look any more has lost sight of all of them
            return (f"the safety devices cannot be looked at any more: {type(error).__name__}: {error}",)


@contextlib.contextmanager
def watched(alive: int, who: str, look: Look) -> Iterator[None]:
    """Inside, Unguarded comes up when ``look`` finds a device gone, or the writer of the pipe ``alive`` ends (``who``).

    In the main thread only. It waits where signals are held, as Ctrl-C does.
    """
    watch = Watch(alive, who, look)
    raised = False

    def take(_: int, __: FrameType | None) -> None:
        nonlocal raised
        if watch.gone and not raised:
            raised = True
            raise _Lost

    before = signal.signal(DEVICE_LOST, take)
    watch.begin()
    try:
        yield
    except _Lost:
        raise Unguarded("; ".join(watch.gone)) from None
    finally:
        raised = True  # from here on nothing is left to be ended
        watch.leave_off()
        signal.signal(DEVICE_LOST, before)
