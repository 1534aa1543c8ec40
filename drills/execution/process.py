"""The caller's side of a run's process: started, read until it ends, told to end, and never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

import msgspec

from drills.execution.events import SIGNALS, How, RunEvent, Sampled, cut_by
from drills.interrupts import ENDING, Terminated
from drills.operators.actions import Action
from drills.record.encoding import encode
from drills.spec.request import RunRequest
from drills.spec.wire import to_wire
from targets import children

CHILD = "drills.execution.child"
READ = 1 << 20
"""More than a pipe holds: all that is there is taken at once, so that only the newest picture has to be shown."""

DECODER: msgspec.json.Decoder[RunEvent] = msgspec.json.Decoder(RunEvent)


def argv() -> list[str]:
    """How the process of a run is started; its parent's process id and its end of the pipe follow."""
    return children.python(CHILD)


class Stop:
    """Ends in order, before their time, all runs that were given it, and each that is given it later.

    From any thread, and from a signal handler. ``asked`` is how: the first demand counts, later ones change nothing.
    """

    def __init__(self) -> None:
        self.asked: How | None = None
        self._running: list[RunProcess] = []

    def request(self, how: How = How.INTERRUPTED) -> None:
        """``how``, as record, card and exit code are to say it: interrupted, hung-up or terminated; else ValueError."""
        if how not in SIGNALS:
            raise ValueError(f"a run can be stopped as {', '.join(SIGNALS)}, not as {how}")
        if self.asked is None:
            self.asked = how
            for process in tuple(self._running):
                process.end(how)

    def attach(self, process: RunProcess) -> None:
        """It can be told from now on, and is told at once where that was asked for before."""
        self._running.append(process)
        if self.asked is not None:
            process.end(self.asked)

    def detach(self, process: RunProcess) -> None:
        """It has ended."""
        if process in self._running:
            self._running.remove(process)


class Terminal:
    """From where a person acts in the run that was given it; actions before its start and after its end are lost."""

    def __init__(self) -> None:
        self._process: RunProcess | None = None
        self._lock = threading.Lock()

    def send(self, action: Action) -> None:
        """From any thread."""
        with self._lock:
            if self._process is not None:
                self._process.tell(action)

    def attach(self, process: RunProcess) -> None:
        """It can be told from now on."""
        with self._lock:
            self._process = process

    def detach(self) -> None:
        """It has ended."""
        with self._lock:
            self._process = None


class RunProcess:
    """The process of one run, inside a block; on leaving that it has ended, in order where it is left early.

    OSError where the process cannot be started.
    """

    def __init__(self, request: RunRequest, stop: Stop, terminal: Terminal | None = None) -> None:
        self._request = to_wire(request) + b"\n"
        self._stop, self._terminal = stop, terminal
        self._told = False
        self._pipe: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
            self._stop.attach(self)
            self._ask()
        except BaseException as error:  # also Ctrl-C: what was started must not be left
            self._leave(error)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._leave(error)

    def events(self) -> Iterator[RunEvent]:
        """What the run tells, until it has ended; of several pictures that came together the last."""
        assert self._pipe is not None
        rest = b""
        while data := os.read(self._pipe, READ):
            *lines, rest = (rest + data).split(b"\n")
            yield from _newest([DECODER.decode(line) for line in lines])

    def end(self, how: How) -> None:
        """Have it end in order; once, whoever asks."""
        if self._process is not None and not self._told:
            self._told = True
            self._process.send_signal(SIGNALS[how])

    def died(self) -> str:
        """How it ended, where it did so without its last word."""
        assert self._process is not None
        code = self._process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"left with exit code {code}"
        return f"the process of the run {how}"

    def _start(self) -> None:
        self._pipe, theirs = os.pipe()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        try:
            # It would die of a signal that came before it heeds any, so it begins with them blocked, as this thread.
            signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
            self._process = subprocess.Popen(
                [*argv(), str(os.getpid()), str(theirs)],
                env=children.keeper_environment(),
                stdin=subprocess.PIPE,
                stdout=_stderr(),  # should anything in it print
                pass_fds=(theirs,),
                start_new_session=True,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(theirs)

    def _ask(self) -> None:
        """Say what to run. Without that it leaves at once."""
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(self._request)
            self._process.stdin.flush()
        if self._terminal is None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        else:
            self._terminal.attach(self)

    def tell(self, action: Action) -> None:
        """Hand on what a person does; nothing where it has ended."""
        stdin = None if self._process is None else self._process.stdin
        if stdin is not None and not stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                stdin.write(encode(action) + b"\n")
                stdin.flush()

    def _leave(self, error: BaseException | None) -> None:
        if error is not None:
            self.end(cut_by(error).how if isinstance(error, KeyboardInterrupt | Terminated) else How.TERMINATED)
        if self._terminal is not None:
            self._terminal.detach()
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        if self._process is not None:
            self._process.wait()
        self._stop.detach(self)


def _newest(events: Sequence[RunEvent]) -> Iterator[RunEvent]:
    """All but the pictures that were taken before another one of these."""
    last = max((number for number, event in enumerate(events) if isinstance(event, Sampled)), default=-1)
    return (event for number, event in enumerate(events) if number >= last or not isinstance(event, Sampled))


def _stderr() -> int:
    """Ours, where we have one."""
    with contextlib.suppress(OSError):
        os.fstat(2)
        return 2
    return subprocess.DEVNULL
