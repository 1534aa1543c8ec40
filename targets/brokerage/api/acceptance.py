"""Which share of the latest orders the exchange would not take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 2.0
LEAST = 5


class Acceptance:
    """Of the answers of the last two seconds; 0 while there are too few to say."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: deque[tuple[float, bool]] = deque()

    def note(self, rejected: bool) -> None:
        """The exchange has answered an order."""
        self._answers.append((self._clock(), rejected))

    def rejected_ratio(self) -> float:
        """From 0 to 1."""
        while self._answers and self._answers[0][0] < self._clock() - WINDOW_S:
            self._answers.popleft()
        if len(self._answers) < LEAST:
            return 0.0
        return sum(rejected for _, rejected in self._answers) / len(self._answers)
