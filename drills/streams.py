"""Standard output and standard error: where they may be closed, full, hung up or of another encoding.

Whoever reads our output may leave (``| head``, a terminal that is closed): the drill goes on to its end, and nothing
is said, for nobody listens. Output that could not be written for another reason is said once, at the end.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO

READER_LEFT = (errno.EPIPE, errno.EIO)
"""The other end of the pipe is closed; the terminal was hung up."""

LARGEST = 9999
"""Columns or lines of a screen; what says more is a mistake."""


class Output(io.TextIOBase):
    """A standard stream that never raises; ``lost`` says why something that was printed did not arrive.

    ``stream`` is None where it was closed before we began.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.lost: str | None = None
        self.closed_before = stream is None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As the stream's."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """As the stream's."""
        return getattr(self._stream, "errors", None)

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """OSError where there is none."""
        if self._stream is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._stream.fileno()

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Print, as far as anybody takes it."""
        with self._surviving():
            self._open().write(text)
        return len(text)

    def flush(self) -> None:
        """Hand over what was printed."""
        with self._surviving():
            if self._stream is not None and not self._stream.closed:  # we may outlive it, and are flushed at our end
                self._stream.flush()

    def write_bytes(self, content: bytes) -> None:
        """The same for bytes, whatever the stream's encoding; handed over at once."""
        with self._surviving():
            stream = self._open()
            stream.flush()
            stream.buffer.write(content)
            stream.buffer.flush()

    def _open(self) -> TextIO:
        if self._stream is None or self._stream.closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._stream

    @contextlib.contextmanager
    def _surviving(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in READER_LEFT and self.lost is None:
                self.lost = (
                    "it is closed"
                    if self._stream is None or self._stream.closed
                    else os.strerror(error.errno or 0).lower()
                )
            self._to_nowhere()

    def _to_nowhere(self) -> None:
        """From here on to nobody, so that leaving Python, which flushes, fails at nothing either."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)


@contextlib.contextmanager
def standard_streams() -> Iterator[Output]:
    """Inside, ``sys.stdout`` and ``sys.stderr`` are such streams; standard output's."""
    _sane_size()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a verdict is worth more than its ✓
    before = sys.stdout, sys.stderr
    _fill_closed()
    output = Output(sys.stdout)
    sys.stdout, sys.stderr = output, Output(sys.stderr)
    try:
        yield output
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def write_bytes(content: bytes) -> None:
    """To standard output, whatever its encoding."""
    output: object = sys.stdout
    if isinstance(output, Output):
        output.write_bytes(content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def _fill_closed() -> None:
    """Nothing of ours may get the number of a standard stream that was closed: a child's words would go into it."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _sane_size() -> None:
    """A screen of no columns, or of words, is none: forget it, and each library measures or assumes one."""
    for name in ("COLUMNS", "LINES"):
        said = os.environ.get(name, "1")
        if not (said.isascii() and said.isdigit() and 0 < int(said[:9]) <= LARGEST):
            del os.environ[name]
