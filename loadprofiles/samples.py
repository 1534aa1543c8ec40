"""Request samples as they lie in ``samples.bin``: fixed records of 40 bytes, appended while the load runs.

``intended``, ``sent`` and ``done`` are CLOCK_MONOTONIC in ns; ``key`` is the id of the request's row in the customers'
journal; ``name`` indexes the profile's services. ``done`` is when the customer knew how it ended, a time-out included.
A dropped arrival has 0 in ``sent``, ``done`` and ``key``: nothing left the customer.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RECORD = struct.Struct("<qqqqBB6x")
SAMPLE = np.dtype(
    {
        "names": ["intended", "sent", "done", "key", "outcome", "name"],
        "formats": ["<i8", "<i8", "<i8", "<i8", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 32, 33],
        "itemsize": RECORD.size,
    }
)


class OutcomeCode(IntEnum):
    """How a request ended; the code in the samples. Lower-case names stand in the journal."""

    OK = 0
    REJECT = 1  # a business answer; good
    CLOSED = 2  # the operator has closed the service
    UNKNOWN = 3  # the brokerage said it does not know
    ERROR = 4  # any other 5xx, or an answer that makes no sense
    TIMEOUT = 5  # nothing came back in time: it may have happened
    REFUSED = 6  # no connection, so it did not happen
    RESET = 7  # the connection ended before the answer: it may have happened
    DROPPED = 8  # never sent: no customer was idle

    @property
    def word(self) -> str:
        """As written in the journal."""
        return self.name.lower()


class Tail:
    """Reads a growing file of samples; a record that is half written is left for the next call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def new(self) -> npt.NDArray[Any]:
        """Complete records (dtype SAMPLE) since the last call; empty while the file does not exist."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except FileNotFoundError:
            data = b""
        whole = len(data) - len(data) % RECORD.size
        self._read += whole
        return np.frombuffer(data[:whole], SAMPLE)
