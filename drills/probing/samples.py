"""What a probe notes of each request, in columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Longs: TypeAlias = NDArray[np.int64]
Marks: TypeAlias = NDArray[np.uint8]


class Ended(IntEnum):
    """How a request ended."""

    ANSWERED = 0
    STATUS = 1  # answered with a status that is not good
    REFUSED = 2
    RESET = 3  # the connection ended before the answer did
    TIMEOUT = 4
    TLS = 5  # no handshake, or a certificate that is not good
    UNREACHABLE = 6
    GARBLED = 7  # not HTTP
    HELD = 8  # not sent: as many as allowed were waiting for an answer already

    @property
    def word(self) -> str:
        """As it is called in output."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Samples:
    """Requests in the order in which they were due: when each was due, was sent and ended (ns), and how (``Ended``).

    One that was not sent has ``sent`` and ``done`` as due.
    """

    due: Longs
    sent: Longs
    done: Longs
    how: Marks

    def __len__(self) -> int:
        return len(self.due)

    def part(self, start: int, end: int) -> Samples:
        """Those from one place to before another."""
        rows = slice(start, end)
        return Samples(self.due[rows], self.sent[rows], self.done[rows], self.how[rows])


def made(n: int) -> Samples:
    """Room for so many."""
    due, sent, done = (np.zeros(n, np.int64) for _ in range(3))
    return Samples(due, sent, done, np.full(n, Ended.HELD, np.uint8))
