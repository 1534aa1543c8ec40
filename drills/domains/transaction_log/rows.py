"""Rows about the transaction log: its whole lines wherever its files lie, the files, and the highest number given."""

from __future__ import annotations

from collections.abc import Mapping

from drills.record.books import Row


class LogLine(Row, frozen=True, kw_only=True, tag="log-line"):
    """A whole line of this run, its CRC right: ``what`` was asked, before it went on; ``id`` is ``FILE:SEQUENCE``.

    ``key`` is the customer's own for it. Lines of the log's own have no account.
    """

    sequence: int
    what: str
    file: str


class LogFile(Row, frozen=True, kw_only=True, tag="log-file"):
    """A file of the log, lines of earlier days included: ``ranges`` (first, last) of the numbers on its whole lines.

    ``damaged`` is how many lines of it are not whole, ``bytes`` what it takes; ``copied``: somebody made it to look
    into. ``id`` is its name, with ``evidence/`` or ``archive/`` where it was moved to.
    """

    ranges: tuple[tuple[int, int], ...]
    damaged: int
    bytes: int
    copied: bool


class LogTrace(Row, frozen=True, kw_only=True, tag="log-trace"):
    """A file that the raised log level wrote: how many requests it has, of when the first and the last, and bytes."""

    requests: int
    first_ns: int
    last_ns: int
    bytes: int


class HighWater(Row, frozen=True, kw_only=True, tag="high-water"):
    """The highest number that was ever given, kept off the volume; ``began``: the last one before this run."""

    sequence: int
    began: int


class VolumeState(Row, frozen=True, kw_only=True, tag="volume"):
    """The volume ``id`` when the books were read: bytes and inodes in all and free.

    ``per_s``: by how many bytes a second it last grew steadily; 0 where that was not seen lately.
    """

    size: int
    free: int
    inodes: int
    inodes_free: int
    per_s: int


ROWS: Mapping[str, tuple[type[Row], ...]] = {
    "transactions": (LogLine, LogFile, LogTrace, HighWater, VolumeState),
}
"""Book -> its rows of this kind."""
