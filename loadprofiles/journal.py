"""The load's two files: the customers' journal (rows of the book) and the samples. Buffered, flushed by the caller."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from loadprofiles.samples import RECORD, OutcomeCode


class Journal:
    """Appends to ``customers.jsonl`` and ``samples.bin`` of a folder. A sample is never on disk before its rows."""

    def __init__(self, folder: Path) -> None:
        self._rows_file = (folder / "customers.jsonl").open("ab", buffering=0)
        self._samples_file = (folder / "samples.bin").open("ab", buffering=0)
        self._rows = bytearray()
        self._samples = bytearray()
        self.written = 0
        """Rows noted so far."""
        self._encoder = msgspec.json.Encoder()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def row(self, kind: str, t_ns: int, row: int, account: str, **fields: Any) -> None:
        """Note one row of the book, numbered as it comes; ``row`` becomes its id."""
        common = {"kind": kind, "n": self.written, "t_ns": t_ns, "id": str(row), "account": account}
        self._rows += self._encoder.encode({**common, **fields})
        self.written += 1
        self._rows += b"\n"

    def sample(self, intended: int, sent: int, done: int, row: int, outcome: OutcomeCode, name: int) -> None:
        """Note how one arrival ended."""
        self._samples += RECORD.pack(intended, sent, done, row, outcome, name)

    def flush(self) -> None:
        """Hand everything noted so far to the operating system."""
        rows, samples = bytes(self._rows), bytes(self._samples)
        self._rows.clear()
        self._samples.clear()
        _write(self._rows_file, rows)
        _write(self._samples_file, samples)

    def close(self) -> None:
        """Flush and close both files; they are closed as well where they take no more."""
        with self._rows_file, self._samples_file:
            self.flush()


def _write(file: Any, data: bytes) -> None:
    """Unbuffered files may take only a part."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
