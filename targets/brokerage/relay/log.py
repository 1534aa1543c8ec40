"""The transaction log: mandatory, written before a request goes on, and refusing where it cannot be written.

A full volume shows first as a *short write*: a part of the line is in the file and no error was raised. So every write
is compared, a part of a line is cut off again, and the sequence goes on with whole lines alone. Nothing is buffered.
The highest number lies elsewhere too, off the volume: a log that loses its end cannot tell.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

from targets.brokerage.relay import lines
from targets.brokerage.relay.lines import CURRENT, Line

MARK = "high-water"
MODE = 0o640
APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
TAIL = 64 * 1024


class Appender:
    """A file that grows by whole pieces or not at all."""

    def __init__(self, path: Path) -> None:
        """OSError."""
        self.path = path
        self._file = os.open(path, APPEND, MODE)
        self._whole: int | None = None
        """Where a part of a piece begins that could not be cut off yet."""

    def add(self, piece: bytes) -> None:
        """OSError where it could not be written whole; then nothing of it is there."""
        self._cut()
        before = os.fstat(self._file).st_size
        taken = os.write(self._file, piece)
        if taken != len(piece):
            self._whole = before
            self._cut()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def reopen(self) -> None:
        """Go on in the file that has the name now. OSError: in the one of before."""
        file = os.open(self.path, APPEND, MODE)
        os.close(self._file)
        self._file, self._whole = file, None

    def _cut(self) -> None:
        if self._whole is not None:
            os.ftruncate(self._file, min(self._whole, os.fstat(self._file).st_size))
            self._whole = None

    def stat(self) -> os.stat_result:
        """Of the file that is written to, whatever it is called by now."""
        return os.fstat(self._file)

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)


class HighWater:
    """The highest number ever given to a whole line, in a file off the volume."""

    def __init__(self, folder: Path) -> None:
        """OSError; ValueError where the file is something else."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / MARK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        self.value = int(os.pread(self._file, 32, 0) or b"0")

    def raise_to(self, value: int) -> None:
        """OSError."""
        os.pwrite(self._file, b"%020d\n" % value, 0)
        self.value = value

    def close(self) -> None:
        """No more."""
        os.close(self._file)


def high_water(folder: Path) -> int:
    """The mark in that folder, 0 where there is none. OSError, ValueError."""
    try:
        return int((folder / MARK).read_bytes())
    except FileNotFoundError:
        return 0


class TransactionLog:
    """Numbers requests and writes them down."""

    def __init__(self, folder: Path, mark: HighWater) -> None:
        """OSError. What the last writer left unfinished at the end is cut off."""
        self._mark = mark
        self.cut = cut_torn_tail(folder / CURRENT)
        """Bytes of an unfinished line that were there."""
        self._file = Appender(folder / CURRENT)
        self.sequence = max(mark.value, _last(folder / CURRENT))

    @property
    def inode(self) -> int:
        """Of the file that is written to."""
        return self._file.stat().st_ino

    @property
    def size(self) -> int:
        """Bytes in the file that is written to."""
        return self._file.stat().st_size

    def add(self, account: str, key: str, what: str, size: int = 0, digest: str = "") -> Line:
        """Write down one request; OSError where that could not be done, and then there is no line and no number."""
        line = Line(self.sequence + 1, time.monotonic_ns(), account, key, what, size, digest)
        self._file.add(lines.written(line))
        self.sequence = line.seq
        self._mark.raise_to(line.seq)
        return line

    def reopen(self) -> None:
        """After its file got another name: go on in a new one. OSError: in the old one."""
        self._file.reopen()

    def put_aside(self) -> bool:
        """Give the file another name and go on in a new one; OSError: nothing has changed.

        False where that is not to be done: the name is another file's, or nobody's, and who did that has a reason.
        """
        path = self._file.path
        aside = path.with_name(lines.put_aside(path.name, self.sequence))
        if not _same(path, self._file.stat()) or aside.exists():
            return False
        path.rename(aside)
        try:
            self._file.reopen()
        except OSError:
            aside.rename(path)
            raise
        return True

    def close(self) -> None:
        """Write no more."""
        self._file.close()
        self._mark.close()


def _same(path: Path, opened: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), opened)
    except FileNotFoundError:
        return False


def cut_torn_tail(path: Path) -> int:
    """Cut off what follows the last newline; how many bytes that were. OSError."""
    try:
        with path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            kept = _end_of_last_line(file.fileno(), size)
            if kept < size:
                os.ftruncate(file.fileno(), kept)
            return size - kept
    except FileNotFoundError:
        return 0


def _end_of_last_line(file: int, size: int) -> int:
    end = size
    while end > 0:
        begin = max(0, end - TAIL)
        found = os.pread(file, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _last(path: Path) -> int:
    """The highest number in the end of a log; its lines are in order."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
        return lines.last_sequence(lines.whole(file.read()))
